package health

import (
	"fmt"
	"maps"
	"time"
)

// count counts the result of a probe that began at a time. It reports whether it counts.
func (p *Prober) count(t *target, begun time.Time, r Result) bool {
	switch r.Outcome {
	case Undecided:
		p.undecided(t, r.Why)
		return false
	case NoRoute:
		p.unreachable(t, r.Why)
		return false
	}
	if r.Outcome == Failure && !begun.After(t.counted) { // one that began later, and ended first, says more
		return false
	}
	v := &t.verdict
	t.counted = latest(t.counted, begun)
	v.Probed, t.age, t.noRoute = time.Now(), 0, 0
	if r.Outcome == Success {
		t.took, v.Expires = r.Took, r.Expires
	}
	if (r.Outcome == Success) == (v.State == Down) {
		t.row++
	} else {
		t.row = 0
	}
	switch {
	case v.State < Up && r.Outcome == Success, v.State == Down && t.row >= p.config.Up:
		p.decide(t, Up, "")
	case v.State != Down && t.row >= p.config.Down:
		p.decide(t, Down, r.Why)
	case v.State == Down && r.Outcome == Failure:
		v.Why = r.Why
	}
	return true
}

// decide gives a target a new verdict.
func (p *Prober) decide(t *target, s State, why string) {
	v := &t.verdict
	was := v.State
	v.State, v.Why, v.Since, t.row = s, why, time.Now(), 0
	p.changes = append(p.changes, Change{t.probe, was, *v})
	signal(p.changed)
}

// unreachable counts a probe that had no way from here. Some in a row are no matter of a moment.
func (p *Prober) unreachable(t *target, why string) {
	v := &t.verdict
	if t.noRoute++; t.noRoute >= p.config.Down && v.State != Unreachable {
		p.decide(t, Unreachable, why)
	}
	switch v.State {
	case Unreachable:
		v.Why, v.Probed, t.age = why, time.Now(), 0
	case Unknown:
		v.Why = why
	}
}

// undecided notes why a target cannot be probed, and logs it once.
func (p *Prober) undecided(t *target, why string) {
	if t.verdict.State == Unknown {
		t.verdict.Why = why
	}
	if !p.localReasons[why] && len(p.localReasons) < mostLocalReasons {
		p.localReasons[why] = true
		p.notices = append(p.notices, fmt.Sprintf("%v and maybe others cannot be probed: %s", t.probe, why))
		signal(p.changed)
	}
}

// mostLocalReasons is how many reasons are logged why probes fail here.
const mostLocalReasons = 20

// ageAll is called once in each interval. It counts intervals, and not time: of a process that was stopped for long,
// no verdict is lost before there is a probe.
func (p *Prober) ageAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.targets {
		if t.running > 0 {
			continue // for a probe may take longer than an interval
		}
		if t.age++; t.age > staleAfter && t.verdict.State != Unknown {
			p.decide(t, Unknown, "no probe for ten intervals")
		}
	}
}

// report hands changes and notices on.
func (p *Prober) report() {
	p.mu.Lock()
	changes, notices := p.changes, p.notices
	p.changes, p.notices = nil, nil
	p.mu.Unlock()
	for _, text := range notices {
		p.observer.Warning(text)
	}
	if len(changes) == 0 {
		return
	}
	p.unsaved.Store(true)
	p.observer.Changed(changes)
	for _, c := range changes {
		p.log(c)
	}
}

// mostLines is how many changes are logged in an interval.
const mostLines = 100

// log logs a change, but not that a server is up of which nothing was known.
func (p *Prober) log(c Change) {
	switch {
	case c.Was == Unknown && c.State == Up:
		return
	case c.State == Unreachable, c.Was == Unreachable && c.State == Up:
		p.logReach(c)
		return
	}
	if n := p.lines.Add(1); n > mostLines {
		return
	}
	switch c.State {
	case Up:
		p.observer.Info(fmt.Sprintf("%v is up", c.Probe))
	default:
		p.observer.Warning(fmt.Sprintf("%v is %v: %s", c.Probe, c.State, c.Why))
	}
}

// A cut is why addresses of a family are unreachable.
type cut struct {
	ipv4 bool
	why  string
}

// logReach logs, once for all servers of a family, that they are unreachable, and that one is not any more: it is this
// host that has changed.
func (p *Prober) logReach(c Change) {
	of := cut{c.Probe.Addr.Addr().Is4(), c.Why}
	if c.State == Unreachable {
		if !p.cuts[of] {
			p.cuts[of] = true
			p.observer.Warning(fmt.Sprintf("%v and maybe others are unreachable from here: %s", c.Probe, c.Why))
		}
		return
	}
	before := len(p.cuts)
	maps.DeleteFunc(p.cuts, func(other cut, _ bool) bool { return other.ipv4 == of.ipv4 })
	if len(p.cuts) < before {
		p.observer.Info(fmt.Sprintf("%v and maybe others can be reached again", c.Probe))
	}
}

// logRest logs how many changes were not logged in this interval.
func (p *Prober) logRest() {
	if n := p.lines.Swap(0) - mostLines; n > 0 {
		p.observer.Warning(fmt.Sprintf("%d more verdicts have changed in the last %v", n, p.config.Every))
	}
}
