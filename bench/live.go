package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// What it costs that definitions are in etcd: how long a change takes to be in answers,
// what changes take from queries, and what a hundred thousand fragments need. etcd has
// the core of dnsperf; mxsrv may have both.
//
// All is on one machine: a network adds its own time to a change. etcd does not wait for
// its disk, so that no disk is measured.

const (
	someInstances = 1000
	manyInstances = 100000
	perGroup      = 20
	registering   = 64                     // puts under way
	pause         = 100 * time.Microsecond // between questions for a change
	busyRate      = 50000                  // queries a second
	changeRate    = 100                    // changes a second
	busyTime      = 6 * time.Second
	busyRounds    = 4

	maxChangeTime = 50   // milliseconds in which 99 % of changes must be in answers
	leastBusyRate = 0.99 // of the queries without changes must be answered with them
)

// live measures, and prints a table of what has come out, also if a part fails.
func live(ctx context.Context, dir string) error {
	if err := need("etcd"); err != nil {
		return err
	}
	var t table
	steps := []step{
		{"some", 75, func(ctx context.Context) error { return t.some(ctx, dir) }},
		{"many", 70, func(ctx context.Context) error { return t.many(ctx, dir) }},
	}
	chosen, err := choose(*only, []string{"some", "many"})
	if err != nil {
		return err
	}
	defer func() { t.write(os.Stdout) }()
	return follow(ctx, slices.DeleteFunc(steps, func(s step) bool { return !slices.Contains(chosen, s.name) }))
}

// An instance is a host that runs a service with others of its group: one fragment.
type instance struct {
	number, group int
	version       int // its address tells it
}

func instances(n int) []instance {
	all := make([]instance, n)
	for i := range all {
		all[i] = instance{number: i, group: i / perGroup}
	}
	return all
}

func (i instance) host() string { return fmt.Sprintf("i%06d", i.number) }

// address is another one for each of 50 versions and 200,000 numbers.
func (i instance) address() string {
	n := i.version%50<<18 | i.number
	return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
}

// fragment is what the instance puts into etcd.
func (i instance) fragment() string {
	return fmt.Sprintf("host %s %s\nservice _ldap._tcp.g%04d 0 6 389 %[1]s\n", i.host(), i.address(), i.group)
}

// put is the operation that does so.
func (i instance) put() clientv3.Op { return clientv3.OpPut("/mxsrv/"+i.host(), i.fragment()) }

// A follower is a server of definitions in etcd, and that etcd.
type follower struct {
	site
	server *rig.Process
	etcd   *rig.Cluster
	all    []instance
}

// do makes operations in one transaction.
func (f *follower) do(ops ...clientv3.Op) error {
	return f.etcd.Call(func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Txn(ctx).Then(ops...).Commit()
		return err
	})
}

// startFollower starts etcd with some instances and a server that follows it, and returns
// how long the server takes to answer with the last one.
func startFollower(ctx context.Context, dir string, n int) (f *follower, took time.Duration, err error) {
	f = &follower{all: instances(n)}
	port, err := rig.FreePort()
	f.site = site{filepath.Join(dir, fmt.Sprint("live", n)), port}
	if err = errors.Join(err, os.Mkdir(f.dir, 0o755)); err != nil {
		return nil, 0, err
	}
	if f.etcd, err = etcdOn(ctx, f.path("etcd"), dnsperfCore); err != nil {
		return nil, 0, err
	}
	var inCorefile strings.Builder
	exchanges2().definitions(&inCorefile)
	block := fmt.Sprintf("\tmxsrv {\n%s\t\tetcd %s {\n\t\t\tsnapshot snapshot\n\t\t}\n\t}\n",
		&inCorefile, f.etcd.Members[0].URL)
	err = errors.Join(f.fillText(queryFile, bare("@")+" MX\n"), f.fillText("Corefile", corefile(port, block)), f.fillEtcd())
	if err == nil {
		took, err = f.serve(ctx)
	}
	if err != nil {
		f.stop()
	}
	return f, took, err
}

func (f *follower) fillEtcd() error {
	const perTransaction = 100 // less than etcd takes by default
	return each(8, slices.Collect(slices.Chunk(f.all, perTransaction)), func(some []instance) error {
		var ops []clientv3.Op
		for _, i := range some {
			ops = append(ops, i.put())
		}
		return f.do(ops...)
	})
}

// serve starts the server, and returns how long it takes to answer with the last instance.
func (f *follower) serve(ctx context.Context) (took time.Duration, err error) {
	started := time.Now()
	if f.server, err = start(ctx, f.dir, allCores, corednsCommand...); err != nil {
		return 0, err
	}
	answered, err := f.await(ctx, f.all[len(f.all)-1])
	return answered.Sub(started), err
}

func (f *follower) await(ctx context.Context, i instance) (time.Time, error) {
	return f.awaitAddress(ctx, f.server, i.host(), i.address(), pause)
}

// stop ends the server as an operator does: it writes its snapshot.
func (f *follower) stop() {
	if f.server != nil {
		f.server.Stop(rig.Limit)
	}
	f.etcd.Stop()
}

// each does something with all of some things, a few at a time, until one fails.
func each[T any](workers int, all []T, do func(T) error) error {
	errs := make(chan error, workers)
	for w := range workers {
		go func() {
			var err error
			for i := w; i < len(all) && err == nil; i += workers {
				err = do(all[i])
			}
			errs <- err
		}()
	}
	var err error
	for range workers {
		err = errors.Join(err, <-errs)
	}
	return err
}

// change gives n instances another address, one after the other, and adds how long it took
// from the return of the put to the answer, and the processor time of a change.
func (t *table) change(ctx context.Context, f *follower, n int) error {
	var took []float64 // in milliseconds
	for c := range n {
		i := &f.all[c*len(f.all)/n]
		i.version++
		if err := f.do(i.put()); err != nil {
			return err
		}
		put := time.Now()
		answered, err := f.await(ctx, *i)
		if err != nil {
			return err
		}
		took = append(took, answered.Sub(put).Seconds()*1e3)
	}
	cost, err := f.cost(ctx, n)
	t.demand(percentile(took, 99) <= maxChangeTime, fmt.Sprintf("99 %% within %d ms", maxChangeTime),
		fmt.Sprintf("%d fragments, %d changes in turn: from the return of the put to the answer", len(f.all), n),
		"median %.1f ms, 99 %% within %.1f ms, at most %.1f ms", median(took), percentile(took, 99), slices.Max(took))
	t.add("processor time of a change", "%.2f ms", cost)
	return err
}

// cost makes n changes without questions, and returns the processor time of each, in
// milliseconds.
func (f *follower) cost(ctx context.Context, n int) (float64, error) {
	limited, cancel := context.WithTimeout(ctx, time.Duration(n)*time.Second/changeRate)
	defer cancel()
	before := cpu(f.server)
	last, n, err := f.keepChanging(limited)
	if err == nil {
		_, err = f.await(ctx, last)
	}
	return (cpu(f.server) - before).Seconds() * 1e3 / float64(n), err
}

// keepChanging gives instances another address until ctx ends, and returns the last one and
// how many.
func (f *follower) keepChanging(ctx context.Context) (last instance, n int, err error) {
	tick := time.NewTicker(time.Second / changeRate)
	defer tick.Stop()
	for ; err == nil; n++ {
		select {
		case <-ctx.Done():
			return last, n, nil
		case <-tick.C:
		}
		i := &f.all[n*7%len(f.all)]
		i.version++
		last, err = *i, f.do(i.put())
	}
	return last, n, err
}

// some measures with few fragments: changes, and queries at a constant rate in turns
// without changes and with them.
func (t *table) some(ctx context.Context, dir string) error {
	f, _, err := startFollower(ctx, dir, someInstances)
	if err != nil {
		return err
	}
	defer f.stop()
	if err := t.change(ctx, f, 1000); err != nil {
		return err
	}
	var quiet, busy []load
	var changes []float64
	for range busyRounds {
		q, err := f.load(ctx)
		if err != nil {
			return err
		}
		b, changed, err := f.whileChanging(ctx)
		if err != nil {
			return err
		}
		quiet, busy, changes = append(quiet, q), append(busy, b), append(changes, changed)
	}
	t.compare(quiet, busy, median(changes))
	return nil
}

func (f *follower) load(ctx context.Context) (load, error) {
	return dnsperf(ctx, f.site, "NOERROR", busyTime, "-Q", strconv.Itoa(busyRate))
}

// whileChanging asks while instances change, and returns how many did in a second.
func (f *follower) whileChanging(ctx context.Context) (load, float64, error) {
	changing, stop := context.WithTimeout(ctx, busyTime)
	defer stop()
	n, result := 0, make(chan error, 1)
	go func() {
		var err error
		_, n, err = f.keepChanging(changing)
		result <- err
	}()
	l, err := f.load(ctx)
	err = errors.Join(err, <-result)
	return l, float64(n) / busyTime.Seconds(), err
}

// compare adds what turns without and with changes have given, round by round.
func (t *table) compare(quiet, busy []load, changes float64) {
	var ratios, quietRates, busyRates, quietLatencies, busyLatencies []float64
	lost := 0.0
	for i, q := range quiet {
		b := busy[i]
		ratios, lost = append(ratios, b.rate()/q.rate()), lost+q.lost+b.lost
		quietRates, busyRates = append(quietRates, q.rate()), append(busyRates, b.rate())
		quietLatencies, busyLatencies = append(quietLatencies, q.latency*1e3), append(busyLatencies, b.latency*1e3)
	}
	const answered = "%.0f answered a second, %.3f ms each on average"
	t.add("50,000 queries a second, no changes", answered, median(quietRates), median(quietLatencies))
	t.demand(median(ratios) >= leastBusyRate && lost == 0, fmt.Sprintf("at least %g times, none lost", leastBusyRate),
		"the same with 100 changes a second", answered+"; %s times in one round; %.0f lost; %.0f changes a second",
		median(busyRates), median(busyLatencies), spreadOf(ratios).text("%.3f"), lost, changes)
}

// many measures with many fragments: start, memory, changes, registrations and a start
// from the snapshot.
func (t *table) many(ctx context.Context, dir string) error {
	f, took, err := startFollower(ctx, dir, manyInstances)
	if err != nil {
		return err
	}
	defer f.stop()
	t.add("100,000 fragments: from the start of the process to the first answer", "%.2f s", took.Seconds())
	t.addMemory("memory then, and the most it had", f)
	for _, n := range []int{200, 400} { // what a server keeps of changes may grow with them
		if err := t.change(ctx, f, n); err != nil {
			return err
		}
	}
	if err := t.register(ctx, f); err != nil {
		return err
	}
	t.addMemory("memory at the end, and the most it had", f)
	f.stop()
	if took, err = f.serve(ctx); err != nil {
		return err
	}
	t.add(fmt.Sprintf("%d fragments in a snapshot, etcd down: from the start of the process to the first answer",
		len(f.all)), "%.2f s", took.Seconds())
	return nil
}

func (t *table) addMemory(what string, f *follower) {
	t.add(what, "%.0f MB, %.0f MB", memory(f.server, "VmRSS")/1e6, memory(f.server, "VmHWM")/1e6)
}

// register puts new fragments as fast as etcd takes them.
func (t *table) register(ctx context.Context, f *follower) error {
	before := len(f.all)
	f.all = append(f.all, instances(before + before/10)[before:]...)
	started := time.Now()
	if err := each(registering, f.all[before:], func(i instance) error { return f.do(i.put()) }); err != nil {
		return err
	}
	put := time.Now()
	for _, i := range slices.Backward(f.all[before:]) { // the last one comes last
		if _, err := f.await(ctx, i); err != nil {
			return err
		}
	}
	t.add(fmt.Sprintf("%d registrations: put within; from the last put until all are answered", len(f.all)-before),
		"%.2f s; %.2f s", put.Sub(started).Seconds(), time.Since(put).Seconds())
	return nil
}
