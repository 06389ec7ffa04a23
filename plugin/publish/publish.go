// Package publish serves what sources declare: it reads, judges and compiles a set
// aside, then swaps the table that is served. A set that may not be served changes
// nothing, and so the last good one stays.
//
//	source.Change ─► patch: what it concerns ─┐
//	            └──► replace: everything ─────┴─► lint ─► table ─► ledger of serials ─► swap ─► Observer
//
// A small change of a large set is served as a patch, with the result of a full load. A
// patch of a fragment takes milliseconds; one of a file of 600,000 records 0.2 s, for its
// whole text is compared; a full load of that takes 1.6 s.
//
// What is served says what is probed. Verdicts make another table in place of the one that is served, which costs what
// they concern; no serial changes, and a load that takes long holds them up.
//
// It knows nothing of CoreDNS: an [Observer] logs, counts and notifies.
package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A Config is what to publish.
type Config struct {
	Pos         definition.Pos // where the definitions start, for messages about all of them
	Zones       definition.Zones
	Fallthrough definition.Zones // names in these may also be declared by the next plugins
	ZonePos     map[definition.Name]definition.Pos
	BlockZones  definition.Zones          // of the server block
	Ignore      map[string]definition.Pos // rules whose warnings are accepted
	Sources     []source.Source
	Fragments   bool              // one of the sources has fragments, perhaps only later
	Allow       change.Allowances // of these

	View       string         // of the zones: the publishers of one continue each other's serials
	Serials    string         // path of the file that keeps the serials, or ""
	SerialsPos definition.Pos // where that is named
	Unasked    bool           // nobody has asked for the file: it is no error if there can be none

	Accepted func() []*Accepted // if it is not nil: returns what the instance that is to be replaced has accepted

	// Prober, if it is not nil, makes a prober that knows the verdicts of before. It is called when there is something
	// to probe, and again when following begins.
	Prober        func() Prober
	Detection     time.Duration  // how long it takes to see that a target is down: see lint.Options
	ProbeNetworks []netip.Prefix // in which addresses are probed that only fragments declare, or that are special
}

// A Publisher publishes the sources of one server block. Any goroutine may call Table, Status, Accepted and HasZone at
// any time; none of them waits. One goroutine calls the other methods, in the order Load, SetPlugins, Follow, Stop.
type Publisher struct {
	config   Config
	zones    definition.ZoneSet
	lint     lint.Options // without the other plugins until SetPlugins
	observer Observer
	sources  *source.Collector
	file     *serialsFile // that keeps the serials, or nil
	progress Progress
	admitted *admit.Admission // of the fragments that sources have, or nil

	table    atomic.Pointer[table.Table] // nil until a first set was accepted
	status   atomic.Pointer[Status]
	accepted atomic.Pointer[Accepted]
	serials  map[definition.Name]entry // of the authoritative zones in the table
	rejected string                    // the errors of the last change, if it was rejected
	pending  *pending                  // what Follow logs; nil until something was loaded, and after that
	checks   checks

	stop func() // ends following
}

// maxFindings is how many findings of a rule are logged: nobody reads more,
// and a mistake in a large file can have a million.
const maxFindings = 20

// New returns a publisher that has loaded nothing yet. Its error is that the serials
// could not be read.
func New(c Config, o Observer) (*Publisher, error) {
	p := &Publisher{
		config: c, zones: c.Zones.Set(), observer: o, sources: source.Collect(c.Sources...),
		lint: lint.Options{Pos: c.Pos, Zones: c.Zones, ZonePos: c.ZonePos, BlockZones: c.BlockZones,
			Fallthrough: c.Fallthrough, Ignore: c.Ignore, Detection: c.Detection, Probed: c.mayProbe, Limit: maxFindings},
		progress: Progress{Log: o.Info}, stop: func() {}, checks: checks{wake: make(chan struct{}, 1)},
	}
	if c.Fragments {
		p.lint.OptionalTargets = true
		p.lint.Fragment = func(source string) bool { return p.sources.Fragments().Of(source) != nil }
	}
	p.setStatus(Status{})
	return p, p.openSerials()
}

// openSerials opens the file of serials, if there is to be one.
func (p *Publisher) openSerials() (err error) {
	if p.config.Serials == "" {
		return nil
	}
	p.file, err = openSerials(p.config.Serials)
	if err != nil && p.config.Unasked {
		p.logSerialsError(p.serialsError(err))
		return nil
	}
	return p.serialsError(err)
}

// Table returns the table that is served. It is nil until every source has delivered and
// what they declare was accepted.
func (p *Publisher) Table() *table.Table { return p.table.Load() }

// Status returns the status of what is served. It is shared, and not to be changed.
func (p *Publisher) Status() *Status { return p.status.Load() }

// HasZone reports whether a zone is one of those that are served.
func (p *Publisher) HasZone(zone definition.Name) bool { return p.zones[zone] }

// Load serves what the sources declare now, unless one of them has not delivered yet; Follow logs that. If there are
// mistakes, it serves what was accepted of the files before, where that has none. Its error is what is wrong with what
// is declared, a line for each mistake, or that the serials could not be saved. A full disk is logged only, and so is
// any error of a file of serials that nobody has asked for.
func (p *Publisher) Load() error {
	defer p.progress.Doing("")
	began := time.Now()
	if !p.sources.Load() { // some source will deliver later
		return lint.Err(p.check(p.readAll()))
	}
	index, errs := p.read()
	p.logUnread(p.sources.Unread())
	l := &pending{began: began, index: index, findings: p.check(index, errs)}
	if rejected := lint.Err(l.findings); rejected != nil {
		defer p.restore(l, rejected)()
	}
	restored := func(s source.Source) bool { return slices.Contains(l.restored, s) }
	if err := p.judge(l.findings, slices.DeleteFunc(slices.Clone(p.sources.Sources()), restored)...); err != nil {
		return err
	}
	return p.serveLoaded(l)
}

// serveLoaded serves what was loaded and accepted.
func (p *Publisher) serveLoaded(l *pending) error {
	freeMemory(l.index.Len())
	p.keep()
	p.pending = l
	before := p.tableBefore()
	err := p.serve(l.index)
	l.changed = rollovers(l.index.Set, before, p.Table())
	l.took = time.Since(l.began).Round(time.Millisecond / 10)
	p.noteRestored(l)
	if p.config.Unasked || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		p.logSerialsError(err)
		return nil
	}
	return err
}

// SetPlugins tells the publisher which other plugins the server block has. It comes before Follow, which logs warnings
// about them. Its error is that there cannot be such a server block.
func (p *Publisher) SetPlugins(plugins lint.Plugins) error {
	p.lint.Plugins = plugins
	var zones definition.Set
	for _, s := range p.sources.Stores() {
		zones.Apexes = append(zones.Apexes, s.Apexes()...)
	}
	return lint.Err(lint.CheckPlugins(zones.Index(), p.lint))
}

// Follow logs what was loaded, and publishes all changes until Stop is called, in a goroutine of its own.
func (p *Publisher) Follow() {
	p.logLoaded()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	p.followVerdicts(ctx, &running)
	running.Go(func() {
		freeMemory(p.Status().Total)
		p.keepSerials()
		p.catchUp()
		p.sources.Run(ctx, p.publish, p.wake(), p.serveVerdicts)
		p.closeSerials()
	})
	p.stop = func() {
		cancel()
		running.Wait()
	}
}

// Stop ends following, and returns when nothing is published any more.
func (p *Publisher) Stop() { p.stop() }

// catchUp makes sure that no serial falls where CoreDNS reloads: the publisher before this
// one may have published a change after this one has loaded. Then it loads again. It
// notifies the secondaries in any case.
func (p *Publisher) catchUp() {
	if !serials.matches(p.config.View, p.serials) {
		p.serials = nil // so that the ledger decides about all of them
		if err := p.Load(); err != nil {
			p.logErrors(err)
		}
		p.logLoaded()
	}
	p.observer.Changed(slices.Sorted(maps.Keys(p.serials)))
}

// publish serves what has changed, or logs what is wrong with it.
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
	c.Forget() // or what was declared before stays in memory beside the new
	index, errs := p.read()
	defer freeMemory(max(p.Status().Total, index.Len()))
	if !p.accept(c.Source, p.check(index, errs)) {
		return
	}
	p.keep()
	before := p.Table()
	p.logSerialsError(p.serve(index))
	p.logRollovers(rollovers(index.Set, before, p.Table()))
	serials.serve(p.config.View, p.serials) // they may be the first ones
	p.observer.Info(fmt.Sprintf("%v: loaded, serving %s, in %v",
		c.Source, p.size(), time.Since(began).Round(time.Millisecond)))
}

func (p *Publisher) check(index *definition.Index, errs definition.Errors) []lint.Finding {
	p.progress.Doing("checking the definitions of " + p.config.Pos.String())
	return p.findings(index, func(judged *definition.Index) []lint.Finding { return lint.Check(judged, errs, p.lint) })
}

// findings returns what a check finds, but for what a tree declares: that is right by itself.
func (p *Publisher) findings(
	index *definition.Index, check func(*definition.Index) []lint.Finding,
) []lint.Finding {
	if p.sources.Tree() == nil {
		return check(index)
	}
	findings := check(change.Judged(index.Set).Index())
	return slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Pos.Source == change.TreeSource })
}

// accept judges a change. If there are errors it logs them, and returns false: the table
// stays. Otherwise it logs the warnings.
func (p *Publisher) accept(changed source.Source, findings []lint.Finding) bool {
	if err := p.judge(findings, changed); err != nil {
		p.logRejected(changed, err)
		p.rejected = err.Error()
		return false
	}
	p.rejected = ""
	p.logWarnings(findings)
	return true
}

// judge returns the errors among findings, and counts a load of sources.
func (p *Publisher) judge(findings []lint.Finding, loaded ...source.Source) error {
	err := lint.Err(findings)
	for _, s := range loaded {
		p.observer.Loaded(s.String(), err)
	}
	if err != nil {
		status := *p.Status()
		status.Failed = true
		p.setStatus(status)
	}
	return err
}

// serve serves everything that is declared. Its error is that the serials could
// not be saved.
func (p *Publisher) serve(index *definition.Index) error {
	return p.swap(func(opt table.Options) (*table.Table, Counts) {
		return table.Compile(index, opt), tally(index, p.zones)
	})
}

// swap compiles a table, serves it in place of the last one, and tells which zones have
// changed by that. Its error is that the serials could not be noted in their file.
func (p *Publisher) swap(compile func(table.Options) (*table.Table, Counts)) error {
	p.progress.Doing("compiling the definitions of " + p.config.Pos.String())
	now, revision := time.Now(), p.sources.Revision()
	changed := make(map[definition.Name]entry)
	t, counts := compile(table.Options{
		Zones: p.config.Zones, Fallthrough: p.config.Fallthrough, Serial: uint32(now.Unix()), Probe: p.mayProbe,
		Serials: func(zone definition.Name, content table.Digest) uint32 {
			e, ok := p.serials[zone]
			if !ok || e.content != content {
				e = serials.next(p.config.View, zone, content, revision)
				changed[zone] = e
			}
			return e.serial
		},
	})
	err := p.noteSerials(changed) // before somebody can have seen them
	p.table.Store(p.withVerdicts(t))
	p.setStatus(Status{Counts: counts, Loaded: now})
	p.observer.Changed(p.setSerials(changed))
	return err
}

// setSerials makes entries the ones that are served, and returns the zones that have another
// serial than before, sorted.
func (p *Publisher) setSerials(entries map[definition.Name]entry) (changed []definition.Name) {
	if p.serials == nil {
		p.serials = make(map[definition.Name]entry)
	}
	for zone, e := range entries {
		if p.serials[zone].serial != e.serial {
			changed = append(changed, zone)
		}
		p.serials[zone] = e
	}
	slices.Sort(changed)
	return changed
}

// setStatus completes a status with the fragments and the keys of a tree, and makes it that of the publisher.
func (p *Publisher) setStatus(s Status) {
	if f := p.sources.Fragments(); f != nil {
		s.Fragments, s.Excluded = f.Len()
	}
	if t := p.sources.Tree(); t != nil {
		keys, excluded := t.Len()
		s.Fragments, s.Excluded = s.Fragments+keys, s.Excluded+excluded
	}
	p.status.Store(&s)
}
