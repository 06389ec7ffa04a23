package publish

import (
	"fmt"

	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// read reads all that is declared, once it is decided which fragments are excluded.
func (p *Publisher) read() (*definition.Index, definition.Errors) {
	fragments := p.sources.Fragments()
	if fragments == nil {
		return p.readAll()
	}
	if p.admitted == nil || !p.admitted.Of(fragments) {
		p.admitted = admit.New(fragments, p.lintOptions())
	}
	index, errs := p.admitted.All(p.sources.Stores(), p.readAll)
	p.logAdmission()
	return index, errs
}

func (p *Publisher) readAll() (*definition.Index, definition.Errors) {
	set, errs := p.sources.Read()
	return set.Index(), errs
}

// affected returns what a change concerns, once it is decided about fragments: see
// [change.Affected].
func (p *Publisher) affected(changed definition.Names) (change.Part, bool) {
	if p.admitted == nil {
		return change.Affected(p.sources.Stores(), changed)
	}
	part, ok := p.admitted.Part(p.sources.Stores(), changed)
	if ok {
		p.logAdmission()
	}
	return part, ok
}

// logAdmission logs and counts which fragments are excluded now, and which are no more.
func (p *Publisher) logAdmission() {
	logged, excluded := 0, 0
	for _, d := range p.admitted.Decisions() {
		if d.Excluded {
			excluded++
		}
		switch logged++; {
		case logged > maxFindings:
		case d.Excluded:
			p.observer.Error(fmt.Sprintf("excluded: %v", d.Why))
		default:
			p.observer.Info(d.Fragment.Source() + ": not excluded any more")
		}
	}
	if logged > maxFindings {
		p.observer.Error(fmt.Sprintf("and %d fragments more like these", logged-maxFindings))
	}
	p.observer.Excluded(excluded)
}

// logUnread logs and counts fragments that have come and do not read.
func (p *Publisher) logUnread(errs definition.Errors) {
	if len(errs) == 0 {
		return
	}
	unread := make(map[string]bool)
	for _, e := range errs {
		unread[e.Source] = true
	}
	p.observer.Excluded(len(unread))
	for _, f := range lint.Check(new(definition.Set).Index(), errs, p.lintOptions()) {
		p.observer.Error(fmt.Sprintf("excluded: %v", f))
	}
}
