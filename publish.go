package mxsrv

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/block"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A publisher brings what the sources of a block declare into service. It
// judges and compiles a set aside, then swaps the table. A set that may not be
// served changes nothing.
type publisher struct {
	table atomic.Pointer[table.Table] // nil until every source has delivered

	block    *block.Block
	zoneSet  definition.ZoneSet
	sources  *source.Collector
	ledger   *ledger
	admitted *admit.Admission // of the fragments that sources have, or nil
	server   string           // label of metrics

	plugins     []string  // the others of the block; known before the first publish
	secondaries *notifier // likewise
	unsaid      *unsaid

	// Of what is in service.
	counts   *counts // nil if what the sources declare now is not what is in service
	names    int
	refused  string                     // the errors of the last load, if it was refused
	serials  map[definition.Name]uint32 // of the zones that are served whole
	progress progress
	status   atomic.Pointer[status]

	stop func() // ends following
}

// unsaid is what there is to warn of in what was loaded. It waits until the
// other plugins are known, of which some warnings speak.
type unsaid struct {
	index    *definition.Index
	findings []lint.Finding
}

// findingLimit is how many findings of a rule are logged: nobody reads more,
// and a mistake in a large file can have a million.
const findingLimit = 20

func (p *publisher) configure(b *block.Block, server string) (err error) {
	p.block, p.zoneSet, p.server = b, b.Zones.Set(), server
	p.sources = source.Collect(b.Sources()...)
	p.show(new(status))
	if len(b.Etcds) > 0 {
		leftOut.WithLabelValues(server) // to be seen from the start
	}
	if p.ledger, err = ledgerOf(b.Serials, server); err != nil {
		return unkept(b, err)
	}
	return nil
}

func (p *publisher) check(index *definition.Index, errs definition.Errors) []lint.Finding {
	p.progress.doing("checking the definitions of " + p.block.Pos.String())
	return lint.Check(index, errs, p.lintOptions())
}

func (p *publisher) lintOptions() lint.Options {
	opt := lint.Options{
		Zones: p.block.Zones, Fallthrough: p.block.Fallthrough, Plugins: p.plugins, Pos: p.block.Pos, Limit: findingLimit,
	}
	if p.admitted != nil || len(p.block.Etcds) > 0 {
		opt.RequireTargets = func(string) bool { return false } // what must not be served for that is left out already
	}
	return opt
}

// load serves what the sources declare now. Its error is what is wrong with it, or with
// what is known of it.
func (p *publisher) load() error {
	defer p.progress.doing("")
	p.counts = nil
	if !p.sources.Load() { // some source will deliver later
		return lint.Err(p.check(p.everything()))
	}
	index, errs := p.read()
	p.sayUnread(p.sources.Unread())
	findings := p.check(index, errs)
	err := lint.Err(findings)
	for _, s := range p.sources.Sources() {
		count(s, err)
	}
	if err != nil {
		return err
	}
	clearAway(index.Len())
	if err := p.serve(index); err != nil {
		return err
	}
	p.unsaid = &unsaid{index, findings}
	return nil
}

// warn logs what load has found.
func (p *publisher) warn() {
	if p.unsaid == nil {
		return
	}
	warnings(p.unsaid.findings)
	warnings(lint.CheckPlugins(p.unsaid.index, p.lintOptions()))
	p.unsaid = nil
}

// follow publishes all changes until stop is called, which returns when nothing
// is published any more.
func (p *publisher) follow() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		source.GiveWay()
		clearAway(p.names)
		p.catchUp()
		p.sources.Run(ctx, p.publish)
	})
	p.stop = func() {
		cancel()
		running.Wait()
	}
}

// catchUp loads anew what the instance before has published since this one has
// loaded it, lest a serial falls, and tells the secondaries that we serve.
func (p *publisher) catchUp() {
	if !p.ledger.is(p.serials) {
		if err := p.load(); err != nil {
			log.Error(err) // it is refused again when it is noticed as a change
		}
		p.warn()
	}
	p.secondaries.notify(slices.Collect(maps.Keys(p.serials))...)
}

// publish serves what has changed, or says what is wrong with it.
func (p *publisher) publish(c *source.Change) {
	defer p.progress.doing("")
	p.sayUnread(c.Unread)
	if !p.patch(c) {
		p.replace(c)
	}
}

// replace reads, judges and serves everything anew.
func (p *publisher) replace(c *source.Change) {
	p.counts = nil // not to be kept beside the new one
	c.Forget()
	index, errs := p.read()
	defer spareQueries(p.names)()
	defer clearAway(max(p.names, index.Len()))
	if findings := p.check(index, errs); p.judge(c.Source, findings) {
		warnings(findings)
		logUnkept(p.serve(index))
		log.Infof("%v: %d names are in service", c.Source, p.names)
	}
}

// judge counts a load, and refuses it if there are errors.
func (p *publisher) judge(changed source.Source, findings []lint.Finding) bool {
	err := lint.Err(findings)
	count(changed, err)
	if err != nil {
		p.refuse(changed, findings)
		return false
	}
	p.refused = ""
	return true
}

// logUnkept logs why serials could not be kept, if so.
func logUnkept(err error) {
	if err != nil {
		log.Errorf("%v: serials may fall at the next start", err)
	}
}

// serve serves everything that is declared. Its error is that the serials could
// not be kept in their file.
func (p *publisher) serve(index *definition.Index) error {
	return p.swap(func(opt table.Options) (*table.Table, *counts) {
		return table.Compile(index, opt), &counts{tally(index, p.zoneSet), index.Len()}
	})
}

// swap swaps the table for another one, and tells the secondaries of zones that have
// changed.
func (p *publisher) swap(compile func(table.Options) (*table.Table, *counts)) error {
	p.progress.doing("compiling the definitions of " + p.block.Pos.String())
	now := time.Now()
	serials, changed := make(map[definition.Name]uint32), []definition.Name(nil)
	t, c := compile(table.Options{
		Zones: p.block.Zones, Fallthrough: p.block.Fallthrough, Serial: uint32(now.Unix()),
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
		err = unkept(p.block, err)
	}
	p.table.Store(t)
	p.show(&status{held: c.held, loaded: now})
	p.counts, p.names, p.serials = c, c.names, serials
	p.secondaries.notify(changed...)
	return err
}

// refuse leaves the table that is served. After it only a look at everything tells
// what is other than there.
func (p *publisher) refuse(changed source.Source, findings []lint.Finding) {
	p.counts = nil
	err := lint.Err(findings).Error()
	if p.admitted == nil || err != p.refused { // not again with each change in etcd
		for line := range strings.Lines(err) {
			log.Error(strings.TrimSpace(line))
		}
	}
	p.refused = err
	if last := p.status.Load(); !last.loaded.IsZero() {
		log.Errorf("%v: refused, what was loaded at %s stays in service", changed, last.loaded.Format(time.DateTime))
		p.show(&status{held: last.held, loaded: last.loaded, failed: true})
	} else {
		log.Errorf("%v: refused, nothing is in service yet", changed)
		p.show(&status{failed: true})
	}
}

// show makes a status that of the publisher.
func (p *publisher) show(s *status) {
	if f := p.sources.Fragments(); f != nil {
		s.fragments, s.out = f.Len()
	}
	s.watches = p.block.Etcds
	p.status.Store(s)
}

func warnings(findings []lint.Finding) {
	for _, f := range findings {
		if f.Rule.Severity == lint.Warning {
			log.Warning(f)
		}
	}
}
