package source

import (
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Content is what a source declares at one time: a set that never changes, texts,
// or fragments, by what is done to those that were there before: to none in what
// is loaded.
type Content struct {
	Set      *definition.Set
	Texts    []*definition.Text
	Errs     definition.Errors // beyond those of the texts
	Edits    []definition.Edit // of fragments, each key once
	Revision int64             // of the fragments; 0 if the source has none

	doing func(step string) // of the source, or nil
}

// Read returns what is declared, and all mistakes. Of no content the set is nil.
func (c *Content) Read() (*definition.Set, definition.Errors) {
	if c == nil {
		return nil, nil
	}
	set := new(definition.Set)
	return set, c.read(set)
}

// read adds what is declared to a set.
func (c *Content) read(set *definition.Set) definition.Errors {
	errs := slices.Clone(c.Errs)
	if c.Set != nil {
		*set = *definition.Merge(set, c.Set)
	}
	for _, t := range c.Texts {
		c.say("parsing " + t.Source())
		errs = append(errs, t.Read(set)...)
	}
	c.say("")
	return errs
}

func (c *Content) say(step string) {
	if c.doing != nil {
		c.doing(step)
	}
}

var seed = maphash.MakeSeed()

// sum tells contents apart.
func (c *Content) sum() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, t := range c.Texts {
		fmt.Fprintf(&h, "%q %d ", t.Source(), len(t.Text()))
		h.WriteString(t.Text())
	}
	h.WriteString(c.Errs.Error())
	return h.Sum64()
}

// change turns c into other content. It returns the names of which that declares
// something else, or false if all must be read to know; then c is of no use any
// more.
func (c *Content) change(to *Content) (definition.Names, bool) {
	sameSource := func(a, b *definition.Text) bool { return a.Source() == b.Source() }
	if c.Set != nil || to.Set != nil || len(c.Errs)+len(to.Errs) > 0 || !slices.EqualFunc(c.Texts, to.Texts, sameSource) {
		return nil, false
	}
	names := definition.Names{}
	for i, t := range c.Texts {
		if t.Text() == to.Texts[i].Text() {
			continue
		}
		changed, ok := t.Change(to.Texts[i].Text())
		if !ok {
			return nil, false
		}
		names.Add(changed)
	}
	return names, true
}

// A Change is that a source declares something else now. It is read in one of two
// ways: [Change.Part] reads what the change concerns, and [Change.Read] all that all
// sources declare.
type Change struct {
	Source Source

	collector *Collector
	state     *state
	before    *Content
}

// Read reads what all sources declare together, and all the mistakes.
func (c *Change) Read() (*definition.Set, definition.Errors) {
	c.before = nil
	return c.collector.read()
}

// Part reads what the change concerns, and what earlier ones did, if what all
// sources declared was read without a mistake since, and if there is not too much
// that has changed.
func (c *Change) Part(earlier definition.Names) (definition.Part, bool) {
	if c.before == nil {
		return definition.Part{}, false
	}
	changed, ok := c.before.change(c.state.content)
	if !ok {
		return definition.Part{}, false
	}
	c.state.content = c.before
	var stores []definition.Store
	for _, s := range c.collector.states {
		stores = s.content.addStores(stores)
	}
	return definition.PartOf(stores, changed, earlier)
}

// addStores adds what holds the declarations.
func (c *Content) addStores(stores []definition.Store) []definition.Store {
	if c.Set != nil {
		stores = append(stores, c.Set)
	}
	for _, t := range c.Texts {
		stores = append(stores, t)
	}
	return stores
}
