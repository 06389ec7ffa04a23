// Package publish serves what sources declare: it reads, judges and compiles a set
// aside, then swaps the table that is served. A set that may not be served changes
// nothing, and so the last good one stays.
//
//	source.Change ─► patch: what it concerns ─┐
//	            └──► replace: everything ─────┴─► lint ─► table ─► ledger of serials ─► swap ─► Observer
//
// A small change of a large set is served as a patch. What is served and rejected is the
// same, and takes milliseconds where a load of a million names takes a second or two.
//
// It knows nothing of CoreDNS: an [Observer] logs, counts and notifies.
package publish

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A Config says what is published.
type Config struct {
	Pos         definition.Pos // where the definitions start, for messages about all of them
	Zones       definition.Zones
	Fallthrough definition.Zones // names in these may also be declared by the next plugins
	ZonePos     map[definition.Name]definition.Pos
	BlockZones  definition.Zones          // of the server block
	Ignore      map[string]definition.Pos // rules whose warnings are accepted
	Sources     []source.Source
	Fragments   bool // one of the sources has fragments, which come and go

	Server     string         // whose zones these are: their serials go on where others of that server were
	Serials    string         // path of the file that keeps the serials, or ""
	SerialsPos definition.Pos // where that is named
}

// A Publisher publishes the sources of one server block. But for Table, Status and Stop
// it is for one goroutine at a time.
type Publisher struct {
	table  atomic.Pointer[table.Table] // nil until every source has delivered
	status atomic.Pointer[Status]

	config   Config
	zones    definition.ZoneSet
	observer Observer
	sources  *source.Collector
	ledger   *ledger
	admitted *admit.Admission // of the fragments that sources have, or nil
	progress Progress

	plugins         lint.Plugins // the others of the server block, known from Follow on
	pendingWarnings *pendingWarnings

	// Of what is served.
	counts   *counts // nil if what the sources declare now is not what is served
	names    int
	serials  map[definition.Name]uint32 // of the authoritative zones
	rejected string                     // the errors of the last load, if it was rejected

	stop func() // ends following
}

// pendingWarnings are the findings of the last load, held back until the other plugins
// are known, on which some depend.
type pendingWarnings struct {
	index    *definition.Index
	findings []lint.Finding
}

// maxFindings is how many findings of a rule are logged: nobody reads more,
// and a mistake in a large file can have a million.
const maxFindings = 20

// New returns a publisher that has loaded nothing yet. Its error is that the serials
// could not be read.
func New(c Config, o Observer) (*Publisher, error) {
	l, err := ledgerOf(c.Serials, c.Server)
	if err != nil {
		return nil, saveError(&c, err)
	}
	p := &Publisher{
		config: c, zones: c.Zones.Set(), observer: o, sources: source.Collect(c.Sources...), ledger: l,
		progress: Progress{Log: o.Info}, stop: func() {},
	}
	p.setStatus(new(Status))
	return p, nil
}

// Table returns the table that is served, or nil until every source has delivered.
func (p *Publisher) Table() *table.Table { return p.table.Load() }

// Status returns the status of what is served.
func (p *Publisher) Status() *Status { return p.status.Load() }

// Load serves what the sources declare now. Its error is what is wrong with that, or
// that the serials could not be saved.
func (p *Publisher) Load() error {
	defer p.progress.Doing("")
	p.counts = nil
	if !p.sources.Load() { // some source will deliver later
		return lint.Err(p.check(p.readAll()))
	}
	index, errs := p.read()
	p.logUnread(p.sources.Unread())
	findings := p.check(index, errs)
	err := lint.Err(findings)
	for _, s := range p.sources.Sources() {
		p.observer.Loaded(s.String(), err)
	}
	if err != nil {
		return err
	}
	freeMemory(index.Len())
	if err := p.serve(index); err != nil {
		return err
	}
	p.pendingWarnings = &pendingWarnings{index, findings}
	return nil
}

// SetPlugins tells the publisher which other plugins the server block has, and logs the
// warnings of Load. Its error is that there cannot be such a server block.
func (p *Publisher) SetPlugins(plugins lint.Plugins) error {
	p.plugins = plugins
	if err := lint.Err(lint.CheckPlugins(new(definition.Set).Index(), p.lintOptions())); err != nil {
		return err
	}
	p.warn()
	return nil
}

func (p *Publisher) warn() {
	if w := p.pendingWarnings; w != nil {
		p.logWarnings(w.findings)
		p.logWarnings(lint.CheckPlugins(w.index, p.lintOptions()))
		p.pendingWarnings = nil
	}
}

// Follow publishes all changes until Stop is called.
func (p *Publisher) Follow() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		freeMemory(p.names)
		p.catchUp()
		p.sources.Run(ctx, p.publish)
	})
	p.stop = func() {
		cancel()
		running.Wait()
	}
}

// Stop ends following, and returns when nothing is published any more.
func (p *Publisher) Stop() { p.stop() }

// catchUp loads anew what another publisher of the zones has published since this one
// has loaded, lest a serial falls, and tells the secondaries that this one serves.
func (p *Publisher) catchUp() {
	if !p.ledger.matches(p.serials) {
		if err := p.Load(); err != nil {
			p.observer.Error(err.Error()) // it is rejected again when it is noticed as a change
		}
		p.warn()
	}
	p.observer.Changed(slices.Collect(maps.Keys(p.serials)))
}

// publish serves what has changed, or says what is wrong with it.
func (p *Publisher) publish(c *source.Change) {
	defer p.progress.Doing("")
	p.logUnread(c.Unread)
	if !p.patch(c) {
		p.replace(c)
	}
}

// replace reads, judges and serves everything anew.
func (p *Publisher) replace(c *source.Change) {
	began := time.Now()
	p.counts = nil // not to be kept beside the new one
	c.Forget()
	index, errs := p.read()
	defer freeMemory(max(p.names, index.Len()))
	if findings := p.check(index, errs); p.judge(c.Source, findings) {
		p.logWarnings(findings)
		p.logSaveError(p.serve(index))
		p.observer.Info(fmt.Sprintf("loaded %s from %v in %v", p.size(), c.Source, time.Since(began).Round(time.Millisecond)))
	}
}

// size says how much is served.
func (p *Publisher) size() string {
	plural := func(n int, of string) string {
		if n == 1 {
			return "1 " + of
		}
		return fmt.Sprintf("%d %ss", n, of)
	}
	return plural(p.names, "name") + " in " + plural(len(p.zones), "zone")
}

func (p *Publisher) check(index *definition.Index, errs definition.Errors) []lint.Finding {
	p.progress.Doing("checking the definitions of " + p.config.Pos.String())
	return lint.Check(index, errs, p.lintOptions())
}

func (p *Publisher) lintOptions() lint.Options {
	c := &p.config
	opt := lint.Options{Pos: c.Pos, Zones: c.Zones, ZonePos: c.ZonePos, BlockZones: c.BlockZones,
		Fallthrough: c.Fallthrough, Plugins: p.plugins, Ignore: c.Ignore, Limit: maxFindings}
	if c.Fragments || p.admitted != nil {
		opt.RequireTargets = func(string) bool { return false } // fragments without their targets are excluded already
	}
	return opt
}

// judge counts a load, and rejects it if there are errors.
func (p *Publisher) judge(changed source.Source, findings []lint.Finding) bool {
	err := lint.Err(findings)
	p.observer.Loaded(changed.String(), err)
	if err != nil {
		p.reject(changed, err.Error())
		return false
	}
	p.rejected = ""
	return true
}

// reject leaves the table that is served. After it only a look at everything tells
// what differs from that.
func (p *Publisher) reject(changed source.Source, errors string) {
	p.counts = nil
	if p.admitted == nil || errors != p.rejected { // not again with each change in etcd
		for line := range strings.Lines(errors) {
			p.observer.Error(strings.TrimSpace(line))
		}
	}
	p.rejected = errors
	last := p.Status()
	if last.Loaded.IsZero() {
		p.observer.Error(fmt.Sprintf("%v: rejected: nothing is served yet", changed))
	} else {
		p.observer.Error(fmt.Sprintf("%v: rejected: the definitions loaded at %s are still served", changed, last.Loaded.Format(time.DateTime)))
	}
	p.setStatus(&Status{Names: last.Names, Loaded: last.Loaded, Failed: true})
}

// serve serves everything that is declared. Its error is that the serials could
// not be saved.
func (p *Publisher) serve(index *definition.Index) error {
	return p.swap(func(opt table.Options) (*table.Table, *counts) {
		return table.Compile(index, opt), tally(index, p.zones)
	})
}

// swap swaps the table for another one, and tells which zones have changed.
func (p *Publisher) swap(compile func(table.Options) (*table.Table, *counts)) error {
	p.progress.Doing("compiling the definitions of " + p.config.Pos.String())
	now := time.Now()
	serials, changed := make(map[definition.Name]uint32), []definition.Name(nil)
	t, c := compile(table.Options{
		Zones: p.config.Zones, Fallthrough: p.config.Fallthrough, Serial: uint32(now.Unix()),
		Serials: func(zone definition.Name, content table.Digest) uint32 {
			serials[zone] = p.ledger.next(zone, content, p.sources.Revision())
			if serials[zone] != p.serials[zone] {
				changed = append(changed, zone)
			}
			return serials[zone]
		},
	})
	err := p.ledger.save()
	if err != nil {
		err = saveError(&p.config, err)
	}
	p.table.Store(t)
	p.setStatus(&Status{Names: c.kinds, Loaded: now})
	p.counts, p.names, p.serials = c, c.names, serials
	p.observer.Changed(changed)
	return err
}

// setStatus completes a status and makes it that of the publisher.
func (p *Publisher) setStatus(s *Status) {
	if f := p.sources.Fragments(); f != nil {
		s.Fragments, s.Excluded = f.Len()
	}
	p.status.Store(s)
}

// logSaveError logs why serials could not be saved, if so.
func (p *Publisher) logSaveError(err error) {
	if err != nil {
		p.observer.Error(fmt.Sprintf("%v: serials may fall at the next start", err))
	}
}

func (p *Publisher) logWarnings(findings []lint.Finding) {
	for _, f := range findings {
		if f.Rule.Severity == lint.Warning {
			p.observer.Warning(f.String())
		}
	}
}
