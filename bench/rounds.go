package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

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
	return c.sameAsFixed()
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

// sameAsFixed reports that the fixed-answer plugin writes something else than mxsrv.
func (c *contest) sameAsFixed() error {
	answers := map[string]string{}
	for _, one := range c.contenders {
		answers[one.name] = one.answer
	}
	if answers["fixed"] != answers["mxsrv"] {
		return fmt.Errorf("%s: mxsrv answers\n%sand the fixed-answer plugin\n%s", c.name, answers["mxsrv"], answers["fixed"])
	}
	return nil
}

// prepare gives every contender a directory with its files.
func (c *contest) prepare(dir string, port int) ([]site, error) {
	var sites []site
	for _, one := range c.contenders {
		s := site{filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-")+"."+one.name), port}
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

// contests are those of the named workloads, or of all. Where little time is to
// be taken, peers that no demand is about do not load a million names.
func contests(names string, quick bool) ([]*contest, error) {
	var all []*contest
	chosen := selection(names)
	for _, name := range chosen {
		if !slices.ContainsFunc(workloads, func(w workload) bool { return w.name == name }) {
			return nil, fmt.Errorf("no workload %q: write some of %q", name, workloadNames())
		}
	}
	for i := range workloads {
		w := &workloads[i]
		if names != "" && !slices.Contains(chosen, w.name) {
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

// selection splits names with commas between.
func selection(names string) []string {
	var all []string
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}

func workloadNames() []string {
	var all []string
	for _, w := range workloads {
		all = append(all, w.name)
	}
	return all
}
