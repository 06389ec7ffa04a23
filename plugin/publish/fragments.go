package publish

import (
	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// read returns all that is declared and all mistakes in it, once it is decided which
// fragments are excluded.
func (p *Publisher) read() (*definition.Index, definition.Errors) {
	index, errs := p.readOthers()
	tree := p.sources.Tree()
	if tree == nil {
		return index, errs
	}
	set := new(definition.Set)
	tree.DeclareAll(set)
	return change.WithTree(index.Set, set).Index(), errs
}

// readOthers is read without what a tree declares, of which nothing is decided.
func (p *Publisher) readOthers() (*definition.Index, definition.Errors) {
	fragments := p.sources.Fragments()
	if fragments == nil {
		return p.readAll()
	}
	if p.admitted == nil || !p.admitted.Of(fragments) {
		p.admitted = admit.New(fragments, p.config.Allow, p.lint)
	}
	index, errs := p.admitted.All(p.readAll)
	p.logAdmission()
	return index, errs
}

// readAll is read with the fragments that are not excluded now.
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
