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
	octets     int // of its first answer, 0 without one
	deviations []string
	failed     int // turns that came to nothing
}

// A contest is one workload with all its peers.
type contest struct {
	*workload
	contenders []*contender
}

// plan says how much is measured.
type plan struct {
	span          time.Duration // of a turn
	rounds        int
	every         int // in each of so many rounds there are peers that no demand is about
	heavy         int // rounds of a workload that takes long to start
	scaleRounds   int
	sizes         []int
	benchtime     string
	handlerRounds int
}

func (p plan) of(w *workload) int {
	if w.heavy {
		return p.heavy
	}
	return p.rounds
}

// rareRounds is how many rounds there are for peers that no demand is about.
func (p plan) rareRounds() int { return (p.rounds + p.every - 1) / p.every }

// run gives every peer its turns. Each round starts with another one: nobody is
// always first after a pause.
func (c *contest) run(ctx context.Context, p plan, dir string, port int) error {
	ready, err := c.prepare(dir, port)
	if err != nil {
		return err
	}
	rounds := p.of(c.workload)
	for round := range rounds {
		say("%s: round %d of %d", c.name, round+1, rounds)
		for i := range c.contenders {
			n := (round + i) % len(c.contenders)
			if one := c.contenders[n]; one.often || round%p.every == 0 {
				if err := one.attempt(ctx, c.workload, ready[n], p.span, round); err != nil {
					return fmt.Errorf("%s: %s: %w", c.name, one.name, err)
				}
			}
		}
	}
	c.warn()
	return c.sameAsFloor()
}

// warn names the peers that could have done more.
func (c *contest) warn() {
	var names []string
	for _, one := range c.contenders {
		if len(one.turns) > 0 && one.limit() != "" {
			names = append(names, one.name+one.limit())
		}
	}
	if len(names) > 0 {
		say("%s: the server was not the limit of %s: read its processor time", c.name, strings.Join(names, ", "))
	}
}

// sameAsFloor reports that the floor writes something else than mxsrv.
func (c *contest) sameAsFloor() error {
	octets := map[string]int{}
	for _, one := range c.contenders {
		octets[one.name] = one.octets
	}
	if octets["floor"] != octets["mxsrv"] {
		return fmt.Errorf("%s: the answer of mxsrv has %d octets, that of the floor %d", c.name, octets["mxsrv"], octets["floor"])
	}
	return nil
}

// prepare gives every contender a directory with its files.
func (c *contest) prepare(dir string, port int) ([]site, error) {
	var sites []site
	for _, one := range c.contenders {
		s := site{filepath.Join(dir, c.name+"."+one.name), port}
		if err := os.Mkdir(s.dir, 0o755); err != nil {
			return nil, err
		}
		steps := []func() error{
			func() error { return os.Symlink(filepath.Join(dir, "server"), s.path("server")) },
			func() error { return fillText(s.dir, queryFile, dump(c.questions())) },
			func() error { return fillKey(s) },
			func() error { return one.prepare(s, c.workload) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.name, one.name, err)
			}
		}
		sites = append(sites, s)
	}
	return sites, nil
}

// attempt gives a peer its turn, and another one if that fails. Half an hour is not
// lost over a peer that fails twice: the report says so. Without mxsrv or the
// floor there is nothing to say.
func (one *contender) attempt(ctx context.Context, w *workload, s site, span time.Duration, round int) error {
	err := one.turn(ctx, w, s, span, round)
	if err != nil && ctx.Err() == nil {
		say("%s: %s: %v: once more", w.name, one.name, err)
		err = one.turn(ctx, w, s, span, round)
	}
	if err == nil || ctx.Err() != nil || one.name == "mxsrv" || one.name == "floor" {
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
		}
	}
	return nil
}

// of returns a figure of each turn.
func (one *contender) of(figure func(turn) float64) []float64 {
	var all []float64
	for _, t := range one.turns {
		all = append(all, figure(t))
	}
	return all
}

func qps(t turn) float64 { return t.qps }
func cpu(t turn) float64 { return t.cpu }

// limit marks what was the limit, if it was not the server.
func (one *contender) limit() string {
	const most = 0.95
	server := spreadOf(one.of(func(t turn) float64 { return t.busy })).median
	load := spreadOf(one.of(func(t turn) float64 { return t.loadBusy })).median
	switch {
	case server >= most:
		return ""
	case load >= most:
		return " †"
	default:
		return " ‡"
	}
}

// find returns a contender that has had turns, or nil.
func (c *contest) find(name string) *contender {
	i := slices.IndexFunc(c.contenders, func(one *contender) bool { return one.name == name && len(one.turns) > 0 })
	if i < 0 {
		return nil
	}
	return c.contenders[i]
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

// contests are those of the named workloads, or of all. Where little time is to
// be taken, peers that no demand is about do not load a million names.
func contests(names string, quick bool) ([]*contest, error) {
	var all []*contest
	for _, name := range strings.Fields(strings.ReplaceAll(names, ",", " ")) {
		if !slices.ContainsFunc(workloads, func(w workload) bool { return w.name == name }) {
			return nil, fmt.Errorf("no workload %q", name)
		}
	}
	for i := range workloads {
		w := &workloads[i]
		if names != "" && !slices.Contains(strings.Split(names, ","), w.name) {
			continue
		}
		c := &contest{workload: w}
		for _, p := range takingPart(w) {
			if quick && w.heavy && !p.often {
				continue
			}
			c.contenders = append(c.contenders, &contender{peer: p})
		}
		all = append(all, c)
	}
	return all, nil
}
