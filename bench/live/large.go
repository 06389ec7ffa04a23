package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	fragments     = 100000
	fewChanges    = 200
	moreChanges   = 400
	registrations = 10000
	registering   = 64 // at a time
)

// large looks at a server with many fragments.
func large(r *run) error {
	etcd, err := r.etcd()
	if err != nil {
		return err
	}
	defer func() { etcd.stop() }()
	all := groups(fragments+registrations, perGroup)
	known, others := all[:fragments], all[fragments:]
	if err := etcd.fill(r, known); err != nil {
		return err
	}
	s, err := r.site(followingEtcd(etcd, mail))
	if err != nil {
		return err
	}
	took, err := r.firstAnswer(s, known[fragments-1])
	if err != nil {
		return err
	}
	defer func() { s.stop() }()
	r.table.add("100,000 fragments: from the start of the process to the first answer", "%s", seconds(took))
	r.table.add("memory then, and the most it had", "%s, %s", megabytes(s.memory("VmRSS")), megabytes(s.memory("VmHWM")))
	for _, step := range []func() error{
		func() error { return r.changeFew(s, etcd, known) },
		func() error { return r.changeMore(s, etcd, known) },
		func() error { return r.loadWhole(s, etcd) },
		func() error { return r.register(s, etcd, others) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	r.table.add("memory at the end, and the most it had", "%s, %s", megabytes(s.memory("VmRSS")), megabytes(s.memory("VmHWM")))
	s.stop()
	etcd.stop()
	if took, err = r.firstAnswer(s, known[fragments-1]); err != nil {
		return err
	}
	r.table.add("110,000 fragments in a snapshot, etcd down: from the start of the process to the first answer", "%s", seconds(took))
	return nil
}

// firstAnswer starts a server, and returns how long it takes to answer.
func (r *run) firstAnswer(s *server, i instance) (time.Duration, error) {
	if err := r.start(s, allCores); err != nil {
		return 0, err
	}
	answered, err := s.await(r, i.name(), i.address())
	if err != nil {
		s.stop()
	}
	return answered.Sub(s.began), err
}

// changeFew makes some changes, one after another.
func (r *run) changeFew(s *server, etcd *store, all []instance) error {
	first := s.journal.count()
	took, err := r.change(s, etcd, all, fewChanges)
	if err != nil {
		return err
	}
	r.table.demand(quantile(took, 0.99) <= soonEnough, "99 % within "+milliseconds(soonEnough),
		"200 changes one after another: from the return of the put to the answer", "%s", times(took))
	patched, whole := patches(s.journal.since(first))
	r.table.add("what the server says of them", "%s; first ten %s, last ten %s; everything loaded anew: %d",
		times(patched), milliseconds(median(patched[:min(10, len(patched))])), milliseconds(median(patched[max(0, len(patched)-10):])), whole)
	return nil
}

// changeMore goes on, because what a server keeps of changes may grow with them.
func (r *run) changeMore(s *server, etcd *store, all []instance) error {
	first := s.journal.count()
	took, err := r.change(s, etcd, all, moreChanges)
	if err != nil {
		return err
	}
	patched, whole := patches(s.journal.since(first))
	r.table.add("400 more", "%s; what the server says: %s; everything loaded anew: %d", times(took), times(patched), whole)
	return nil
}

// loadWhole makes a change that is too much for anything but a load of everything: a
// fragment of more names than are looked at alone.
func (r *run) loadWhole(s *server, etcd *store) error {
	const names = 5000
	var text strings.Builder
	for n := range names {
		fmt.Fprintf(&text, "host w%06d 203.0.113.1\n", n)
	}
	if _, err := etcd.client.Put(r, etcd.Key("whole"), text.String()); err != nil {
		return err
	}
	put := time.Now()
	answered, err := s.await(r, fmt.Sprintf("w%06d.%s", names-1, zone), "203.0.113.1")
	if err != nil {
		return err
	}
	r.table.add("a change of 5,000 names at once, for which everything is loaded: from the put to the answer", "%s", seconds(answered.Sub(put)))
	return nil
}

// register puts many new fragments as fast as etcd takes them.
func (r *run) register(s *server, etcd *store, others []instance) error {
	first, began := s.journal.count(), time.Now()
	if err := each(registering, others, func(i instance) error { return etcd.put(r, i) }); err != nil {
		return err
	}
	put := time.Now()
	for _, i := range slices.Backward(others) { // the last one comes last
		if _, err := s.await(r, i.name(), i.address()); err != nil {
			return err
		}
	}
	served := time.Since(put)
	_, whole := patches(s.journal.since(first))
	r.table.add("10,000 registrations: put within; from the last put until all are answered; loads, of them of everything", "%s; %s; %d, %d",
		seconds(put.Sub(began)), seconds(served), len(s.journal.since(first)), whole)
	return nil
}
