package publish

import (
	"fmt"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// A pending load is one that is not logged yet: of an instance that CoreDNS drops nothing is, and some warnings depend
// on the other plugins, which are known later.
type pending struct {
	began    time.Time
	took     time.Duration
	index    *definition.Index
	findings []lint.Finding
	changed  []rollover

	restored []source.Source // that have something else now, which was rejected: see restore
	rejected error
}

// logLoaded logs what the last Load has served, and from what, if that is not logged yet.
func (p *Publisher) logLoaded() {
	l := p.pending
	if l == nil {
		p.logMissing()
		return
	}
	p.pending = nil
	var from []string
	for i, s := range p.sources.Sources() {
		from = append(from, s.String())
		p.logSource(s, p.sources.Content(i))
	}
	p.observer.Info(fmt.Sprintf("%v: loaded %s from %s in %v", p.config.Pos, p.size(), strings.Join(from, ", "), l.took))
	p.logWarnings(l.findings)
	p.logWarnings(p.findings(l.index, func(judged *definition.Index) []lint.Finding {
		return lint.CheckPlugins(judged, p.lint)
	}))
	p.logRollovers(l.changed)
	if l.rejected != nil {
		p.logErrors(l.rejected)
	}
	for _, s := range l.restored {
		p.observer.Error(fmt.Sprintf("%v: rejected: what was loaded before is still served", s))
	}
}

// logSource logs what a source has read.
func (p *Publisher) logSource(s source.Source, c *change.Content) {
	switch {
	case len(c.Documents) > 0:
		p.observer.Info(fmt.Sprintf("%v: read %s", s, plural(len(c.Documents), "file")))
	case c.Fragments() != nil:
		all, excluded := c.Fragments().Len()
		p.logRead(s, plural(all, "fragment"), c.Revision, excluded)
	case c.Tree() != nil:
		all, excluded := c.Tree().Len()
		p.logRead(s, plural(all, "key"), c.Revision, excluded)
	}
}

func (p *Publisher) logRead(s source.Source, all string, revision int64, excluded int) {
	p.observer.Info(fmt.Sprintf("%v: read %s at revision %d, of which %d excluded", s, all, revision, excluded))
}

// logMissing logs which sources have not delivered.
func (p *Publisher) logMissing() {
	for i, s := range p.sources.Sources() {
		if p.sources.Content(i) == nil {
			p.observer.Info(fmt.Sprintf("%v: nothing is served yet: %v has not delivered", p.config.Pos, s))
		}
	}
}
