package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A contest is a workload with its peers.
type contest struct {
	*workload
	contenders []*contender
}

// A contender is a peer in a workload, and what it has given.
type contender struct {
	peer
	site
	turns      []turn
	size       int    // bytes of its first answer, 0 without one
	answer     string // what that says
	deviations []string
	failed     int // turns that came to nothing
}

// A turn is one server under load once.
type turn struct {
	round    int
	rate     float64 // answers a second
	cpu      float64 // seconds of the server for each answer
	busy     float64 // the part of its core that the server took
	loadBusy float64 // the same of dnsperf
	lost     float64
}

func rate(t turn) float64 { return t.rate }

func cpuTime(t turn) float64 { return t.cpu }

// newContest omits peers that start late from a run of one round.
func newContest(w *workload, p plan) *contest {
	c := &contest{workload: w}
	for _, peer := range w.installed() {
		if one := (&contender{peer: peer}); one.essential() || peer.name == "file" || !w.heavy || p.rounds > 1 {
			c.contenders = append(c.contenders, one)
		}
	}
	return c
}

// steps returns the rounds of a contest. Each starts with another peer: nobody is always
// first after a pause.
func (c *contest) steps(p plan, dir string, port int) []step {
	var steps []step
	for round := range p.rounds {
		var part []*contender
		for i := range c.contenders {
			if one := c.contenders[(round+i)%len(c.contenders)]; p.takesPart(one, c.workload, round) {
				part = append(part, one)
			}
		}
		expected := p.span.Seconds() + 0.2
		if c.heavy {
			expected += 4
		}
		name := fmt.Sprintf("%s: round %d of %d", c.name, round+1, p.rounds)
		steps = append(steps, step{name, float64(len(part)) * expected, func(ctx context.Context) error {
			return c.round(ctx, p, round, part, dir, port)
		}})
	}
	return steps
}

// takesPart reports whether a contender is in a round: mxsrv and the fixed-answer plugin
// are in all, and file if it starts soon; others in one of some.
func (p plan) takesPart(one *contender, w *workload, round int) bool {
	return one.essential() || one.name == "file" && !w.heavy || round%p.every == 0
}

// essential reports whether there is no report without the contender.
func (one *contender) essential() bool { return one.name == "mxsrv" || one.name == "fixed" }

func (c *contest) round(ctx context.Context, p plan, round int, part []*contender, dir string, port int) error {
	if round == 0 {
		if err := c.prepare(dir, port); err != nil {
			return err
		}
	}
	for _, one := range part {
		if err := one.attempt(ctx, c.workload, p.span, round); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	if round < p.rounds-1 {
		return nil
	}
	for _, one := range c.contenders {
		os.RemoveAll(one.dir)
	}
	return c.sameAnswers()
}

// prepare gives every contender a directory with its files.
func (c *contest) prepare(dir string, port int) error {
	for _, one := range c.contenders {
		one.site = site{filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-")+"."+one.name), port}
		err := errors.Join(os.Mkdir(one.dir, 0o755), one.fillText(queryFile, dump(c.questions())), one.fillKey(),
			one.prepare(one.site, c.workload))
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return nil
}

// attempt gives a peer its turn, and another one if that fails. A run is not lost over a
// peer that fails twice: the report says so.
func (one *contender) attempt(ctx context.Context, w *workload, span time.Duration, round int) error {
	err := one.turn(ctx, w, span, round)
	if err != nil && ctx.Err() == nil {
		logf("%s: %s: %v: once more", w.name, one.name, err)
		err = one.turn(ctx, w, span, round)
	}
	if err == nil || ctx.Err() != nil || one.essential() {
		return err
	}
	logf("%s: %s: %v", w.name, one.name, err)
	one.failed++
	return nil
}

// turn measures a server that is started for it: where its memory happens to lie is then
// part of the spread, and not of the result.
func (one *contender) turn(ctx context.Context, w *workload, span time.Duration, round int) error {
	r, err := one.start(ctx, one.site, w)
	if err != nil {
		return err
	}
	defer r.stop()
	if err := one.check(r.server, w); err != nil {
		return err
	}
	awaitIdle(r.processes()...)
	before := cpu(r.processes()...)
	l, err := dnsperf(ctx, one.site, w.rcode(), span, strings.Fields(w.options)...)
	if err != nil {
		return err
	}
	spent := (cpu(r.processes()...) - before).Seconds()
	one.turns = append(one.turns, turn{round, l.rate(), spent / l.completed, spent / l.seconds, l.busy, l.lost})
	return nil
}

// awaitIdle waits until processes have done what comes after their start, as giving back
// memory: that is no part of an answer.
func awaitIdle(processes ...*rig.Process) {
	const window = 20 * time.Millisecond
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		before := cpu(processes...)
		time.Sleep(window)
		if cpu(processes...)-before < window/20 {
			return
		}
	}
}

func (w *workload) rcode() string {
	if w.denial {
		return "NXDOMAIN"
	}
	return "NOERROR"
}

// check compares the answers to the first questions with the declared records, and keeps
// what the report says of the first one.
func (one *contender) check(p *rig.Process, w *workload) error {
	questions := w.questions()
	for i, q := range questions[:min(3, len(questions))] {
		res, err := w.await(p, one.site, q)
		if err != nil {
			return err
		}
		if i == 0 && one.size == 0 {
			one.size, one.deviations, one.answer = res.size, w.deviations(q, res.Msg), stableText(res.Msg)
		}
	}
	return nil
}

// stableText returns a message without what is of one asking or one key alone, its lines
// sorted: the plugin dnssec puts signatures in any order.
func stableText(m *dns.Msg) string {
	m = m.Copy()
	m.Id = 0
	for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
		if sig, ok := rr.(*dns.RRSIG); ok {
			sig.Inception, sig.Expiration, sig.KeyTag, sig.Signature = 0, 0, 0, ""
		}
	}
	return strings.Join(slices.Sorted(strings.Lines(m.String())), "")
}

// sameAnswers returns an error if the fixed-answer plugin writes something else than mxsrv.
func (c *contest) sameAnswers() error {
	answers := map[string]string{}
	for _, one := range c.contenders {
		answers[one.name] = one.answer
	}
	if own, fixed := answers["mxsrv"], answers["fixed"]; own != fixed {
		return fmt.Errorf("%s: mxsrv answers\n%sand the fixed-answer plugin\n%s", c.name, own, fixed)
	}
	return nil
}

// find returns a contender that has had turns, or nil.
func (c *contest) find(name string) *contender {
	i := slices.IndexFunc(c.contenders, func(one *contender) bool { return one.name == name && len(one.turns) > 0 })
	if i < 0 {
		return nil
	}
	return c.contenders[i]
}

// of returns a figure of each turn.
func (one *contender) of(figure func(turn) float64) []float64 {
	var all []float64
	for _, t := range one.turns {
		all = append(all, figure(t))
	}
	return all
}

// ratios divides a figure of two contenders, round by round.
func ratios(a, b *contender, figure func(turn) float64) []float64 {
	var all []float64
	for _, x := range a.turns {
		for _, y := range b.turns {
			if x.round == y.round {
				all = append(all, figure(x)/figure(y))
			}
		}
	}
	return all
}

// limit returns a mark of what was the limit, if that was not the server.
func (one *contender) limit() string {
	const most = 0.95
	switch {
	case median(one.of(func(t turn) float64 { return t.busy })) >= most:
		return ""
	case median(one.of(func(t turn) float64 { return t.loadBusy })) >= most:
		return " †"
	default:
		return " ‡"
	}
}
