package main

import "time"

const (
	instances = 1000
	perGroup  = 20
	changes   = 1000

	soonEnough = 50 * time.Millisecond // 99 % of changes are to be in answers
)

// latency makes changes one after another: how long is each in no answer?
func latency(r *run) error {
	s, etcd, all, err := r.withInstances(instances)
	if err != nil {
		return err
	}
	defer etcd.stop()
	defer s.stop()
	took, err := r.change(s, etcd, all, changes)
	if err != nil {
		return err
	}
	r.table.demand(quantile(took, 0.99) <= soonEnough, "99 % within "+milliseconds(soonEnough),
		"1,000 instances, 1,000 changes one after another: from the return of the put to the answer", "%s", times(took))
	patched, whole := patches(s.journal.since(0))
	r.table.add("what the server says of them", "%s; everything loaded anew: %d", times(patched), whole)
	return nil
}

// withInstances starts etcd with some instances, and a server that serves them.
func (r *run) withInstances(n int) (*server, *store, []instance, error) {
	etcd, err := r.etcd()
	if err != nil {
		return nil, nil, nil, err
	}
	all := groups(n, perGroup)
	if err := etcd.fill(r, all); err != nil {
		etcd.stop()
		return nil, nil, nil, err
	}
	s, err := r.serve(allCores, followingEtcd(etcd, mail))
	if err != nil {
		etcd.stop()
		return nil, nil, nil, err
	}
	last := all[n-1]
	if _, err := s.await(r, last.name(), last.address()); err != nil {
		s.stop()
		etcd.stop()
		return nil, nil, nil, err
	}
	return s, etcd, all, nil
}

// change gives n instances another address, one after the other, and returns how
// long it took each time until that was answered.
func (r *run) change(s *server, etcd *store, all []instance, n int) ([]time.Duration, error) {
	var took []time.Duration
	for c := range n {
		i := &all[c*len(all)/n]
		i.version++
		if err := etcd.put(r, *i); err != nil {
			return nil, err
		}
		put := time.Now()
		answered, err := s.await(r, i.name(), i.address())
		if err != nil {
			return nil, err
		}
		took = append(took, answered.Sub(put))
	}
	return took, nil
}
