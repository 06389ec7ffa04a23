package publish

import (
	"fmt"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// maxPatched is how many names may have been patched since everything was loaded: with
// each patch their list is copied, in a millisecond then.
const maxPatched = 10000

// patch serves what has changed, or logs what is wrong with it, if that can be told from
// a part of what is declared. Otherwise it returns false.
func (p *Publisher) patch(c *source.Change) bool {
	began := time.Now()
	part, ok := p.part(c)
	if !ok {
		return false
	}
	index, opt := part.Set.Index(), p.lint
	opt.WarnAbout = part.Concerned
	check := func(judged *definition.Index) []lint.Finding { return lint.Check(judged, nil, opt) }
	if !p.accept(c.Source, p.findings(index, check)) {
		return true
	}
	if _, ok := c.Source.(source.Restorer); ok {
		p.keep()
	}
	before, counts := p.Table(), p.Status().Counts
	p.logSerialsError(p.swap(func(opt table.Options) (*table.Table, Counts) {
		t := before.Patch(index, part.Concerned, opt)
		return t, counts.patched(before, t, part.Concerned, p.zones)
	}))
	p.logRollovers(rollovers(part.Set, before, p.Table()))
	patched := plural(havingRecords(part.Concerned, before, p.Table()), "name")
	p.observer.Info(fmt.Sprintf("%v: patched %s, serving %s, in %v",
		c.Source, patched, p.size(), time.Since(began).Round(time.Millisecond/10)))
	return true
}

// part returns what a change concerns. It returns false if that is too much, or if what
// the sources declared before the change is not what is served.
func (p *Publisher) part(c *source.Change) (change.Part, bool) {
	if t := p.Table(); t == nil || p.Status().Failed || len(t.Patched()) > maxPatched {
		return change.Part{}, false
	}
	changed, ok := c.Apply()
	if !ok {
		return change.Part{}, false
	}
	return p.affected(changed)
}

// havingRecords returns how many of some names have records in one of two tables.
func havingRecords(names definition.Names, a, b *table.Table) int {
	n := 0
	for name := range names {
		if a.HasRecords(name) || b.HasRecords(name) {
			n++
		}
	}
	return n
}
