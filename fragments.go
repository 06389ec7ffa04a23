package mxsrv

import (
	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// read reads all that is declared, once it is decided which fragments are left out.
func (p *publisher) read() (*definition.Index, definition.Errors) {
	fragments := p.sources.Fragments()
	if fragments == nil {
		return p.everything()
	}
	if p.admitted == nil || !p.admitted.Of(fragments) {
		p.admitted = admit.New(fragments, p.lintOptions())
	}
	index, errs := p.admitted.All(p.sources.Stores(), p.everything)
	p.sayDecided()
	return index, errs
}

func (p *publisher) everything() (*definition.Index, definition.Errors) {
	set, errs := p.sources.Read()
	return set.Index(), errs
}

// part returns what a change concerns, once it is decided about fragments: see
// [definition.PartOf].
func (p *publisher) part(changed definition.Names) (definition.Part, bool) {
	if p.admitted == nil {
		return definition.PartOf(p.sources.Stores(), changed)
	}
	part, ok := p.admitted.Part(p.sources.Stores(), changed)
	if ok {
		p.sayDecided()
	}
	return part, ok
}

// sayDecided logs and counts which fragments are left out now, and which are no more.
func (p *publisher) sayDecided() {
	said := 0
	for _, d := range p.admitted.Decisions() {
		if d.Out {
			leftOut.WithLabelValues(p.server).Inc()
		}
		if said++; said > findingLimit {
			continue
		}
		if d.Out {
			log.Errorf("left out: %v", d.Why)
		} else {
			log.Infof("%s: not left out any more", d.Fragment.Source())
		}
	}
	if said > findingLimit {
		log.Errorf("and %d fragments more like these", said-findingLimit)
	}
}

// sayUnread logs and counts fragments that have come and do not read.
func (p *publisher) sayUnread(errs definition.Errors) {
	if len(errs) == 0 {
		return
	}
	spoilt := make(map[string]bool)
	for _, e := range errs {
		spoilt[e.Source] = true
	}
	leftOut.WithLabelValues(p.server).Add(float64(len(spoilt)))
	index := new(definition.Set).Index()
	for _, f := range lint.Check(index, errs, p.lintOptions()) {
		log.Errorf("left out: %v", f)
	}
}
