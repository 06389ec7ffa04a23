package health

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// A Prober keeps the verdicts of what it probes. [New] makes one; its methods may be called by several goroutines.
type Prober struct {
	config   Config
	observer Observer

	wake, changed chan struct{} // that the schedule has changed; that there is something to report
	probes        sync.WaitGroup
	unsaved       atomic.Bool  // a verdict has changed since the file was written
	saveFailed    bool         // the last time; for save alone
	lines         atomic.Int64 // of the log, in this interval
	cuts          map[cut]bool // that were logged; for report alone

	mu           sync.Mutex
	targets      map[Probe]*target
	known        map[Probe]Verdict // from before, of what is not a target yet
	schedule     schedule
	looks        time.Time    // when it is looked at again, unless woken
	waiting      [2][]*target // for their turn: those that are down last
	running      [2]int       // the same of probes that run
	changes      []Change     // to be reported
	notices      []string     // to be logged
	localReasons map[string]bool
}

// New returns a prober that probes nothing yet. Verdicts that are known from before hold until they are ten intervals
// old; the map is not kept.
func New(config Config, known map[Probe]Verdict, observer Observer) *Prober {
	config.setDefaults()
	return &Prober{
		config: config, observer: observer,
		wake: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		targets: make(map[Probe]*target), known: maps.Clone(known),
		localReasons: make(map[string]bool), cuts: make(map[cut]bool),
	}
}

// Set says what is probed from now on. The verdicts of what stays are kept, those of what goes are forgotten.
func (p *Prober) Set(probes []Probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, left := time.Now(), p.targets
	p.targets = make(map[Probe]*target, len(probes))
	for _, probe := range probes {
		t := left[probe]
		if t == nil {
			if t = p.targets[probe]; t == nil {
				t = p.begin(probe, now)
			}
		}
		p.targets[probe] = t
		delete(left, probe)
	}
	for _, t := range left {
		t.gone = true // it leaves the schedule when it is due
	}
	signal(p.wake)
}

// begin makes a target of a probe.
func (p *Prober) begin(probe Probe, now time.Time) *target {
	t := &target{probe: probe, phase: phase(probe, p.config.Every), index: -1}
	if v := p.known[probe]; p.fresh(v, now) {
		t.verdict, t.age = v, max(0, int(now.Sub(v.Probed)/p.config.Every))
	}
	delete(p.known, probe)
	p.schedule.put(t, t.nextPhase(now, p.config.Every))
	return t
}

// fresh reports whether a verdict still holds. That clocks differ a little between then and now is no matter.
func (p *Prober) fresh(v Verdict, now time.Time) bool {
	return v.State != Unknown && now.Sub(v.Probed).Abs() <= p.config.lifetime()
}

// Verdict returns that of a probe.
func (p *Prober) Verdict(probe Probe) Verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.targets[probe]; t != nil {
		return t.verdict
	}
	return Verdict{}
}

// Verdicts returns those of all that is probed.
func (p *Prober) Verdicts() map[Probe]Verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	verdicts := make(map[Probe]Verdict, len(p.targets))
	for probe, t := range p.targets {
		verdicts[probe] = t.verdict
	}
	return verdicts
}

// Snapshot returns the verdicts that a later prober may know from before. Those that this one got from an earlier one,
// and that were not asked for yet, are among them.
func (p *Prober) Snapshot() map[Probe]Verdict {
	verdicts := p.Verdicts()
	p.mu.Lock()
	for probe, v := range p.known {
		verdicts[probe] = v
	}
	p.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(verdicts, func(_ Probe, v Verdict) bool { return !p.fresh(v, now) })
	return verdicts
}

// Run probes until ctx ends, and then writes the file of verdicts. It is called once.
func (p *Prober) Run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() {
		forEach(ctx, p.changed, p.report)
	})
	parts.Go(func() { p.keep(ctx) })
	p.follow(ctx)
	p.probes.Wait()
	parts.Wait()
	p.save()
}

// forEach calls f each time that something is received, until ctx ends.
func forEach[T any](ctx context.Context, events <-chan T, f func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			f()
		}
	}
}

// signal sends to a channel of one element, if that is empty.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// saveEvery is after how many intervals verdicts are saved that have not changed: when they were probed last has.
const saveEvery = 5

// keep does what is to be done once in each interval.
func (p *Prober) keep(ctx context.Context) {
	ticker := time.NewTicker(p.config.Every)
	defer ticker.Stop()
	intervals := 0
	forEach(ctx, ticker.C, func() {
		p.ageAll()
		p.logRest()
		if intervals++; intervals%saveEvery == 0 || p.unsaved.Load() {
			p.save()
		}
	})
}

// follow starts probes when they are due, until ctx ends.
func (p *Prober) follow(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(p.startDue(ctx))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-p.wake:
		}
	}
}

// startDue starts what is due, and returns the time until something is.
func (p *Prober) startDue(ctx context.Context) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.schedule.due(time.Now()) {
		lane := laneOf(t)
		p.waiting[lane] = append(p.waiting[lane], t)
	}
	p.start(ctx)
	p.looks = p.schedule.first(time.Now().Add(time.Hour))
	return time.Until(p.looks)
}

// laneOf returns 1 for what is down, as that may take the whole timeout, else 0.
func laneOf(t *target) int {
	if t.verdict.State == Down {
		return 1
	}
	return 0
}

// start starts what waits, as far as the limit allows. The caller holds the lock.
func (p *Prober) start(ctx context.Context) {
	for lane := range p.waiting {
		for len(p.waiting[lane]) > 0 && p.mayRun(lane) && ctx.Err() == nil {
			t := p.waiting[lane][0]
			p.waiting[lane][0], p.waiting[lane] = nil, p.waiting[lane][1:]
			if !t.gone {
				p.probe(ctx, t, lane)
			}
		}
	}
}

// mayRun reports whether one more probe may run in a lane. What is down has half of the limit, which others may use
// while nothing waits for it.
func (p *Prober) mayRun(lane int) bool {
	half := max(1, p.config.Limit/2)
	switch {
	case p.busy() == p.config.Limit:
		return false
	case lane == 1:
		return p.running[1] < half
	}
	return len(p.waiting[1]) == 0 || p.running[0] < half
}

// busy returns how many probes run.
func (p *Prober) busy() int { return p.running[0] + p.running[1] }

// probe probes a target, in a goroutine, and schedules the next probe for the case that there is no result until then.
// The caller holds the lock.
func (p *Prober) probe(ctx context.Context, t *target, lane int) {
	now := time.Now()
	enough := t.running > 0 && t.verdict.State == Down || t.running >= p.config.Down
	if !enough {
		t.running++
		t.begun = now
		p.running[lane]++
		p.probes.Go(func() {
			r := p.config.attempt(ctx, t.probe)
			p.settle(ctx, t, lane, now, r)
			p.observer.Probed(t.probe, r)
		})
	}
	next := t.nextPhase(now, p.config.Every)
	if p.inDoubt(t) && p.busy() <= p.config.Limit/2 {
		next = earliest(next, now.Add(max(p.fast(), 2*t.took)))
	}
	p.schedule.put(t, next)
}

// fast returns the time to the next probe after a failure.
func (p *Prober) fast() time.Duration { return p.config.Every / fastPart }

// inDoubt reports whether a target is not down, and will not be either if all probes that run fail.
func (p *Prober) inDoubt(t *target) bool {
	return t.verdict.State != Down && t.row+t.running < p.config.Down
}

// settle takes the result of a probe that began at a time, and schedules the next one.
func (p *Prober) settle(ctx context.Context, t *target, lane int, begun time.Time, r Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.running--
	p.running[lane]--
	if !t.gone {
		counts := p.count(t, begun, r)
		now := time.Now()
		switch {
		case t.index < 0: // its turn has come again
		case !counts && r.Outcome == Failure: // nor does it schedule
		case r.Outcome != Failure || t.verdict.State == Down:
			p.schedule.put(t, t.nextPhase(now, p.config.Every))
		case p.inDoubt(t):
			p.schedule.put(t, latest(now, t.begun.Add(p.fast())))
		}
	}
	p.start(ctx)
	if p.schedule.first(p.looks).Before(p.looks) {
		signal(p.wake)
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
