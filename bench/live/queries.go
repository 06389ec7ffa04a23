package main

import (
	"context"
	"strconv"
	"time"
)

const (
	askedPerSecond   = 50000
	changedPerSecond = 100
	rounds           = 4
	turnTime         = 6 * time.Second

	notSlower = 0.99
)

// queries asks at a constant rate, in turns without and with changes.
func queries(r *run) error {
	s, etcd, all, err := r.withInstances(instances)
	if err != nil {
		return err
	}
	defer etcd.stop()
	defer s.stop()
	var quiet, busy []turn
	var changed []float64
	for range rounds {
		t, err := r.dnsperf(s, turnTime, "-Q", strconv.Itoa(askedPerSecond))
		if err != nil {
			return err
		}
		quiet = append(quiet, t)
		t, rate, err := r.whileChanging(s, etcd, all)
		if err != nil {
			return err
		}
		busy, changed = append(busy, t), append(changed, rate)
	}
	r.table.compare(quiet, busy, median(changed))
	patched, whole := patches(s.journal.since(0))
	r.table.add("what the server says of the changes", "%s; loads: %d, of them of everything: %d", times(patched), len(patched)+whole, whole)
	return nil
}

// whileChanging asks while instances change, and returns how many did in a second.
func (r *run) whileChanging(s *server, etcd *store, all []instance) (turn, float64, error) {
	ctx, stop := context.WithCancel(r)
	type result struct {
		n   int
		err error
	}
	done := make(chan result)
	began := time.Now()
	go func() {
		n, err := etcd.keepChanging(ctx, all)
		done <- result{n, err}
	}()
	t, err := r.dnsperf(s, turnTime, "-Q", strconv.Itoa(askedPerSecond))
	took := time.Since(began)
	stop()
	changes := <-done
	if err == nil {
		err = changes.err
	}
	return t, float64(changes.n) / took.Seconds(), err
}

// keepChanging gives instances another address until ctx ends, and returns how many.
func (s *store) keepChanging(ctx context.Context, all []instance) (int, error) {
	tick := time.NewTicker(time.Second / changedPerSecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-tick.C:
		}
		i := &all[(n*7)%len(all)]
		i.version++
		if err := s.put(ctx, *i); err != nil && ctx.Err() == nil {
			return n, err
		}
	}
}

// compare adds what turns without and with changes have given.
func (t *table) compare(quiet, busy []turn, changed float64) {
	var ratios, quietRates, busyRates, quietLatencies, busyLatencies []float64
	lost := 0.0
	for i := range quiet {
		ratios = append(ratios, busy[i].rate/quiet[i].rate)
		quietRates, busyRates = append(quietRates, quiet[i].rate), append(busyRates, busy[i].rate)
		quietLatencies, busyLatencies = append(quietLatencies, quiet[i].latency), append(busyLatencies, busy[i].latency)
		lost += quiet[i].lost + busy[i].lost
	}
	t.add("50,000 queries a second, no changes", "%.0f answered a second, %.3f ms each on average", median(quietRates), 1000*median(quietLatencies))
	t.demand(median(ratios) >= notSlower && lost == 0, "at least 0.99 times, none lost",
		"the same with 100 changes a second", "%.0f answered a second, %.3f ms each on average; %.3f times in one round (%.3f to %.3f); %.0f lost; %.0f changes a second",
		median(busyRates), 1000*median(busyLatencies), median(ratios), quantile(ratios, 0), quantile(ratios, 1), lost, changed)
}
