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
	Zones    definition.Zones  // of relative names in edits; nil if the source has no fragments
	Revision int64             // of the fragments; it never falls as long as their store lives

	fragments *definition.Fragments // what the edits have made, or nil
	doing     func(step string)     // of the source, or nil
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
	if c.fragments != nil {
		c.fragments.ReadAll(set)
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

// edit makes the fragments of loaded content, or goes on with those of the content
// before. It returns the names of which they declare something else then, and the
// mistakes in those that have come.
func (c *Content) edit(before *Content) (definition.Names, definition.Errors) {
	if c.Zones == nil {
		return nil, nil
	}
	if before != nil {
		c.fragments = before.fragments
	}
	if c.fragments == nil {
		c.fragments = definition.NewFragments(c.Zones)
	}
	changed, unread := c.fragments.Apply(c.Edits)
	c.Edits = nil
	return changed, unread
}

// A Change is that a source declares something else now.
type Change struct {
	Source Source
	Unread definition.Errors // mistakes in fragments that have come

	collector *Collector
	state     *state
	before    *Content
	names     definition.Names // of fragments
}

// Read reads what all sources declare together, and all the mistakes.
func (c *Change) Read() (*definition.Set, definition.Errors) {
	c.Forget()
	return c.collector.Read()
}

// Forget lets go of what was declared before: all will be read.
func (c *Change) Forget() { c.before = nil }

// Names returns the names of which something else is declared now, if that can be
// said without reading everything: see [Collector.Stores].
func (c *Change) Names() (definition.Names, bool) {
	if c.before == nil {
		return nil, false
	}
	if c.state.content.fragments != nil {
		return c.names, true
	}
	changed, ok := c.before.change(c.state.content)
	if ok {
		c.state.content = c.before
	}
	return changed, ok
}

// addStores adds what holds the declarations.
func (c *Content) addStores(stores []definition.Store) []definition.Store {
	if c.Set != nil {
		stores = append(stores, c.Set)
	}
	for _, t := range c.Texts {
		stores = append(stores, t)
	}
	if c.fragments != nil {
		stores = append(stores, c.fragments)
	}
	return stores
}
