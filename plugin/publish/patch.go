package publish

import (
	"fmt"
	"time"

	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// maxPatched is how many names may have been patched since everything was loaded: with
// each patch their list is copied, in a millisecond then.
const maxPatched = 10000

// patch serves what has changed, or says what is wrong with it, if that can be
// told from a part of what is declared. Otherwise it returns false.
func (p *Publisher) patch(c *source.Change) bool {
	began, before := time.Now(), p.table.Load()
	if p.counts == nil || len(before.Patched()) > maxPatched {
		return false
	}
	changed, ok := c.Names()
	if !ok {
		return false
	}
	part, ok := p.affected(changed)
	if !ok {
		return false
	}
	index, opt := part.Set.Index(), p.lintOptions()
	opt.WarnAbout = part.Concerned
	findings := lint.Check(index, nil, opt)
	if !p.judge(c.Source, findings) {
		return true
	}
	p.logWarnings(findings)
	p.logSaveError(p.swap(func(opt table.Options) (*table.Table, *counts) {
		t := before.Patch(index, part.Names, opt)
		return t, p.counts.patched(before, t, part.Names, p.zones)
	}))
	patched := 0
	for name := range part.Concerned {
		if before.HasRecords(name) || p.table.Load().HasRecords(name) {
			patched++
		}
	}
	p.observer.Info(fmt.Sprintf("patched %d of %s from %v in %v",
		patched, p.size(), c.Source, time.Since(began).Round(time.Millisecond/10)))
	return true
}
