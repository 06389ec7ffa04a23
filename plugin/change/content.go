package change

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Content is what a source declares at one time: a set that never changes, documents,
// or fragments. These are given as edits of those of the content before, or of none.
type Content struct {
	Set       *definition.Set
	Documents []*Document
	Errs      definition.Errors // beyond those in the documents
	Edits     []Edit            // of fragments, each key once
	Zones     definition.Zones  // of relative names in edits; nil if the source has no fragments
	Revision  int64             // of the fragments; it never falls as long as their store lives
	Keys      Keys              // the files that the texts name, or nil
	NewTree   func() Tree       // if it is not nil, the edits are of a tree, and this makes an empty one

	Doing func(step string) // if it is not nil: is called with each step of a reading, and "" at its end

	fragments *Fragments // what the edits have made, or nil
	tree      Tree       // likewise
}

// Keys are the files that texts name, as they are when the texts are read.
type Keys interface {
	// Equal reports whether other keys have the same content, as far as both are known.
	Equal(other Keys) bool
}

// Fragments returns those that the edits have made, or nil.
func (c *Content) Fragments() *Fragments { return c.fragments }

// Tree returns the one that the edits have made, or nil.
func (c *Content) Tree() Tree { return c.tree }

// Read returns what is declared, and all mistakes. Of no content the set is nil.
func (c *Content) Read() (*definition.Set, definition.Errors) {
	if c == nil {
		return nil, nil
	}
	set := new(definition.Set)
	return set, c.ReadInto(set)
}

// ReadInto adds what is declared to a set, but for that of a tree, and returns all mistakes.
func (c *Content) ReadInto(set *definition.Set) definition.Errors {
	errs := slices.Clone(c.Errs)
	if c.Set != nil {
		*set = *definition.Merge(set, c.Set)
	}
	for _, d := range c.Documents {
		c.doing("parsing " + d.Source())
		errs = append(errs, d.Read(set)...)
	}
	if c.fragments != nil {
		c.fragments.ReadAll(set)
	}
	c.doing("")
	return errs
}

// Equal reports whether other content has the same documents and key files, and the same mistakes beyond those in them.
func (c *Content) Equal(other *Content) bool {
	return c.sameKeys(other) && slices.Equal(c.Errs, other.Errs) && slices.EqualFunc(c.Documents, other.Documents,
		func(a, b *Document) bool { return a.source == b.source && a.text == b.text })
}

func (c *Content) sameKeys(other *Content) bool {
	if c.Keys == nil || other.Keys == nil {
		return c.Keys == other.Keys
	}
	return c.Keys.Equal(other.Keys)
}

func (c *Content) doing(step string) {
	if c.Doing != nil {
		c.Doing(step)
	}
}

// Change turns c into other content. It returns the names whose declarations change with
// that, or false if all must be read to know; then c must not be used any more.
func (c *Content) Change(to *Content) (definition.Names, bool) {
	sameFiles := slices.EqualFunc(c.Documents, to.Documents, func(a, b *Document) bool { return a.source == b.source })
	if c.Set != nil || to.Set != nil || !c.sameKeys(to) || len(c.Errs)+len(to.Errs) > 0 || !sameFiles {
		return nil, false
	}
	names := definition.Names{}
	for i, d := range c.Documents {
		if d.Text() == to.Documents[i].Text() {
			continue
		}
		changed, ok := d.Change(to.Documents[i].Text())
		if !ok {
			return nil, false
		}
		names.Add(changed)
	}
	return names, true
}

// Apply applies the edits to the fragments of the content before, or to none. It returns
// the names whose declarations change with that, and the mistakes in new fragments.
func (c *Content) Apply(before *Content) (definition.Names, definition.Errors) {
	if c.NewTree != nil {
		return c.applyToTree(before)
	}
	if c.Zones == nil {
		return nil, nil
	}
	if before != nil {
		c.fragments = before.fragments
	}
	if c.fragments == nil {
		c.fragments = NewFragments(c.Zones)
	}
	changed, unread := c.fragments.Apply(c.Edits)
	c.Edits = nil
	return changed, unread
}

func (c *Content) applyToTree(before *Content) (definition.Names, definition.Errors) {
	if before != nil {
		c.tree = before.tree
	}
	if c.tree == nil {
		c.tree = c.NewTree()
	}
	changed, unread := c.tree.Apply(c.Edits)
	c.Edits = nil
	return changed, unread
}

// Stores returns the stores of all its declarations.
func (c *Content) Stores() []Store {
	var stores []Store
	if c.Set != nil {
		stores = append(stores, Static(c.Set))
	}
	for _, d := range c.Documents {
		stores = append(stores, d)
	}
	if c.fragments != nil {
		stores = append(stores, c.fragments)
	}
	if c.tree != nil {
		stores = append(stores, c.tree)
	}
	return stores
}
