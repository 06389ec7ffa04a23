package publish

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A Prober probes servers and keeps verdicts of them, as [health.Prober] does. It tells the publisher of changes by
// [Publisher.VerdictsChanged], but only while it runs.
type Prober interface {
	// Set says what is probed from now on.
	Set(probes []definition.Probe)

	// Verdict returns what is known of a probe.
	Verdict(definition.Probe) health.Verdict

	// Run probes until ctx ends.
	Run(ctx context.Context)
}

// checks is what a publisher knows of probes. All but the changes is for the goroutine that publishes.
type checks struct {
	prober   Prober // nil until there is something to probe
	run      func() // runs the prober; nil until the publisher follows
	probed   []definition.Probe
	verdicts map[definition.Probe]table.Verdict // of the table

	wake    chan struct{} // that something has changed
	mu      sync.Mutex
	changed []definition.Probe
}

// VerdictsChanged tells the publisher that verdicts have changed. It does not wait. Any goroutine may call it at any
// time.
func (p *Publisher) VerdictsChanged(probes ...definition.Probe) {
	c := &p.checks
	c.mu.Lock()
	c.changed = append(c.changed, probes...)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it will see these, too
	}
}

// wake returns what tells that verdicts have changed, nil if that cannot be.
func (p *Publisher) wake() <-chan struct{} {
	if p.config.Prober == nil {
		return nil
	}
	return p.checks.wake
}

// serveVerdicts serves what has changed by verdicts. No serial changes: transfers have what is declared.
func (p *Publisher) serveVerdicts() {
	c := &p.checks
	c.mu.Lock()
	changed := c.changed
	c.changed = nil
	c.mu.Unlock()
	if t := p.Table(); t != nil && len(changed) > 0 {
		p.table.Store(t.With(c.decide(changed), changed))
	}
}

// decide takes over what the prober knows of some probes, and returns all verdicts.
func (c *checks) decide(probes []definition.Probe) map[definition.Probe]table.Verdict {
	c.verdicts = maps.Clone(c.verdicts) // tables share the one before
	if c.verdicts == nil {
		c.verdicts = make(map[definition.Probe]table.Verdict)
	}
	for _, probe := range probes {
		if v, ok := verdictOf[c.prober.Verdict(probe).State]; ok {
			c.verdicts[probe] = v
		} else {
			delete(c.verdicts, probe)
		}
	}
	return c.verdicts
}

// verdictOf has the verdicts of tables by those of probers.
var verdictOf = map[health.State]table.Verdict{
	health.Up: table.Up, health.Down: table.Down, health.Unreachable: table.Unreachable,
}

// withVerdicts has probed what a table needs, and returns the table with the verdicts of that. One that a patch has
// made has verdicts already, but not of new probes.
func (p *Publisher) withVerdicts(t *table.Table) *table.Table {
	c := &p.checks
	probes := t.Probes()
	if p.config.Prober == nil || c.prober == nil && len(probes) == 0 {
		return t
	}
	changed := differing(c.probed, probes)
	if c.prober == nil {
		c.prober = p.config.Prober()
		c.start()
	}
	if len(changed) > 0 {
		c.prober.Set(probes)
		c.probed = probes
		c.decide(changed)
	}
	if t.Patched() == nil {
		return t.With(c.verdicts, nil)
	}
	return t.With(c.verdicts, changed)
}

// differing returns what is in one of two lists of probes.
func differing(before, after []definition.Probe) []definition.Probe {
	if slices.Equal(before, after) {
		return []definition.Probe{}
	}
	in := make(map[definition.Probe]bool, len(before))
	for _, probe := range before {
		in[probe] = true
	}
	var differing []definition.Probe
	for _, probe := range after {
		if !in[probe] {
			differing = append(differing, probe)
		}
		delete(in, probe)
	}
	return slices.AppendSeq(differing, maps.Keys(in))
}

// start runs the prober, if the publisher follows.
func (c *checks) start() {
	if c.run != nil {
		c.run()
	}
}

// followVerdicts has what is to be probed probed until ctx ends. The publisher before this one has perhaps come to know
// more since this one has loaded, so there is a new prober.
func (p *Publisher) followVerdicts(ctx context.Context, running *sync.WaitGroup) {
	c := &p.checks
	c.run = func() {
		prober := c.prober
		running.Go(func() { prober.Run(ctx) })
	}
	if c.prober == nil {
		return
	}
	c.prober = p.config.Prober()
	c.prober.Set(c.probed)
	p.table.Store(p.Table().With(c.decide(c.probed), nil))
	c.start()
}

// mayProbe reports whether an address of a host may be probed.
func (p *Publisher) mayProbe(host definition.Owner, addr netip.Addr) bool {
	return p.config.mayProbe(host, addr, p.lint.Fragment)
}

func (c *Config) mayProbe(host definition.Owner, addr netip.Addr, fragment func(source string) bool) bool {
	return health.MayProbe(host, addr, c.ProbeNetworks, fragment)
}
