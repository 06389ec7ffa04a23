package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// A turn is one server under load once.
type turn struct {
	round    int
	qps      float64
	cpu      float64 // seconds of the server for each answer
	busy     float64 // the part of its core that the server took
	loadBusy float64 // the same of dnsperf
	lost     float64
}

// contender is what one peer has given in one workload.
type contender struct {
	peer
	turns      []turn
	octets     int    // of its first answer, 0 without one
	answer     string // what that says
	deviations []string
	failed     int // turns that came to nothing
}

// attempt gives a peer its turn, and another one if that fails. Half an hour is not
// lost over a peer that fails twice: the report says so. Without mxsrv or the
// fixed there is nothing to say.
func (one *contender) attempt(ctx context.Context, w *workload, s site, span time.Duration, round int) error {
	err := one.turn(ctx, w, s, span, round)
	if err != nil && ctx.Err() == nil {
		say("%s: %s: %v: once more", w.name, one.name, err)
		err = one.turn(ctx, w, s, span, round)
	}
	if err == nil || ctx.Err() != nil || one.name == "mxsrv" || one.name == "fixed" {
		return err
	}
	say("%s: %s: %v", w.name, one.name, err)
	one.failed++
	return nil
}

// turn measures one server, newly started: where its memory happens to lie is
// then part of the spread, and not of the result.
func (one *contender) turn(ctx context.Context, w *workload, s site, span time.Duration, round int) error {
	servers, err := one.start(ctx, s)
	defer func() {
		for _, p := range servers {
			p.stop()
		}
	}()
	if err != nil {
		return err
	}
	if err := one.checked(servers[0], w, s); err != nil {
		return err
	}
	settle(servers)
	before := cpuOf(servers)
	l, err := dnsperf(ctx, s, w.options, span)
	if err != nil {
		return err
	}
	cpu := (cpuOf(servers) - before).Seconds()
	if err := l.only(w.shape.code()); err != nil {
		return err
	}
	one.turns = append(one.turns, turn{round, l.completed / l.seconds, cpu / l.completed, cpu / l.seconds, l.busy, l.lost})
	return nil
}

// settle waits until servers have done what comes after their start, as giving
// back memory: that is no part of an answer.
func settle(servers []*server) {
	const window = 20 * time.Millisecond
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		before := cpuOf(servers)
		time.Sleep(window)
		if cpuOf(servers)-before < window/20 {
			return
		}
	}
}

func (s shape) code() string {
	if s.denial {
		return "NXDOMAIN"
	}
	return "NOERROR"
}

func cpuOf(servers []*server) (sum time.Duration) {
	for _, p := range servers {
		sum += p.cpu()
	}
	return sum
}

// start starts the server of a peer, which comes first in the result, after what
// it needs beside it.
func (one *contender) start(ctx context.Context, s site) ([]*server, error) {
	var servers []*server
	if one.accompanied != nil {
		os.RemoveAll(s.path("etcd"))
		beside, err := start(ctx, s, one.accompanied(s))
		if err != nil {
			return nil, err
		}
		servers = append(servers, beside)
		if err := fed(beside, s); err != nil {
			return servers, err
		}
	}
	p, err := start(ctx, s, one.command(s))
	if err != nil {
		return servers, err
	}
	return slices.Insert(servers, 0, p), nil
}

// fed feeds etcd once it takes something.
func fed(p *server, s site) (err error) {
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = errors.Join(p.err(), feed(s)); err == nil {
			return nil
		}
		if p.err() != nil {
			return err
		}
	}
	return err
}

// checked holds the answers to the first questions against the declaration, and
// keeps what the report says of the first one.
func (one *contender) checked(p *server, w *workload, s site) error {
	questions := w.questions()
	for i, q := range questions[:min(3, len(questions))] {
		res, err := awaitAnswer(p, s, w, q, one.loose)
		if err != nil {
			return err
		}
		if i == 0 && one.octets == 0 {
			one.octets, one.deviations = res.octets, w.deviations(q, res.Msg)
			one.answer = saying(res.Msg)
		}
	}
	return nil
}

// saying is the text of a message without what is of one asking or one key alone, its
// lines sorted: dnssec puts signatures in any order.
func saying(m *dns.Msg) string {
	m = m.Copy()
	m.Id = 0
	for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
		if sig, ok := rr.(*dns.RRSIG); ok {
			sig.Inception, sig.Expiration, sig.KeyTag, sig.Signature = 0, 0, 0, ""
		}
	}
	return strings.Join(slices.Sorted(strings.Lines(m.String())), "")
}
