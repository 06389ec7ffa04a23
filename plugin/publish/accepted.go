package publish

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// Accepted is the content of files that a publisher has accepted last, which does not change, and the publisher's table.
type Accepted struct {
	view  string
	zones definition.ZoneSet
	files []source.Accepted
	table func() *table.Table // that the publisher serves
}

// Accepted returns the content of files that was accepted last, or nil. Any goroutine may call it at any time.
func (p *Publisher) Accepted() *Accepted { return p.accepted.Load() }

// keep keeps what sources of files have now, as accepted.
func (p *Publisher) keep() {
	p.accepted.Store(&Accepted{p.config.View, p.zones, p.sources.Accepted(), p.Table})
}

// restore makes a load that is rejected one of what was accepted of files before, by this publisher or by those of the
// instance that is to be replaced, if that may be served: so a Corefile can be changed while a file has a mistake. It
// returns how sources declare again what their files have now, which is part of the next change.
func (p *Publisher) restore(l *pending, rejected error) (undo func()) {
	before := p.acceptedBefore()
	if len(before) == 0 { // or all files are read again for nothing
		return func() {}
	}
	restored, undo := p.sources.Restore(before)
	if len(restored) > 0 {
		index, errs := p.read()
		if findings := p.check(index, errs); lint.Err(findings) == nil {
			l.index, l.findings, l.restored, l.rejected = index, findings, restored, rejected
		}
	}
	return undo
}

// noteRestored notes what is not served of a load.
func (p *Publisher) noteRestored(l *pending) {
	if l.rejected == nil {
		return
	}
	p.rejected = l.rejected.Error()
	status := *p.Status()
	status.Failed = true
	p.setStatus(status)
	for _, s := range l.restored {
		p.observer.Loaded(s.String(), l.rejected)
	}
}

// acceptedBefore returns what was accepted of files: if not by this publisher, then by others, first those of the same
// view and a common zone.
func (p *Publisher) acceptedBefore() (all []source.Accepted) {
	if a := p.Accepted(); a != nil {
		return a.files
	}
	for _, a := range p.others() {
		all = append(all, a.files...)
	}
	return all
}

// others returns what the publishers of the instance that is to be replaced have accepted, first those of the same view
// and a common zone.
func (p *Publisher) others() []*Accepted {
	if p.config.Accepted == nil {
		return nil
	}
	before := p.config.Accepted()
	slices.SortStableFunc(before, func(a, b *Accepted) int { return p.relation(b) - p.relation(a) })
	return before
}

// tableBefore returns the table that the next one replaces: before the first of this publisher, that of another one of
// the same view with a common zone. It is nil if there is none.
func (p *Publisher) tableBefore() *table.Table {
	if t := p.Table(); t != nil {
		return t
	}
	if before := p.others(); len(before) > 0 && p.relation(before[0]) == sameZone {
		return before[0].table()
	}
	return nil
}

// sameZone is the relation of publishers of one view with a common zone.
const sameZone = 2

// Relation returns how much a publisher has in common with one of the instance that is to be replaced: most with the
// one that it takes the place of.
func (p *Publisher) Relation(before *Publisher) int {
	return p.relation(&Accepted{view: before.config.View, zones: before.zones})
}

// relation returns how much a publisher has in common with another one: sameZone, 1 its view, or 0.
func (p *Publisher) relation(a *Accepted) int {
	switch {
	case a.view != p.config.View:
		return 0
	case slices.ContainsFunc(p.config.Zones, func(z definition.Name) bool { return a.zones[z] }):
		return sameZone
	}
	return 1
}
