package change

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Contenders is the store of what fragments declare, whatever is excluded: what they contend for. Of a name that a
// thousand fragments contend for it has what is served, and of what is excluded the oldest few: the others stay
// excluded as long as the name belongs to an older one alone.
type Contenders struct {
	All bool // all of them are read

	fragments *Fragments
	omitted   map[definition.Name]*Fragment // the oldest of which what it declares of a name is left out
}

// few is how many excluded fragments are read for a name.
const few = 64

// Contenders returns the store of what the fragments declare.
func (f *Fragments) Contenders() *Contenders {
	return &Contenders{fragments: f, omitted: make(map[definition.Name]*Fragment)}
}

// Declaring implements [Store].
func (c *Contenders) Declaring(names definition.Names) (*definition.Set, bool) {
	for name := range names {
		c.omit(name)
	}
	f := c.fragments
	kept := func(one *Fragment, name definition.Name) bool { return !c.Omits(one, name) }
	set, ok := read(f.owners.find(names, kept), f.readWhole)
	return set.Declaring(names), ok
}

// Pointing implements [Store]. It leaves nothing out.
func (c *Contenders) Pointing(at definition.Names) (*definition.Set, bool) {
	set, ok := read(c.fragments.targets.find(at, nil), c.fragments.readWhole)
	return set.Pointing(at), ok
}

// Apexes implements [Store].
func (c *Contenders) Apexes() []definition.Apex { return nil }

// Cuts implements [Store].
func (c *Contenders) Cuts() definition.Names { return nil }

// omit finds out what to leave out of a name.
func (c *Contenders) omit(name definition.Name) {
	delete(c.omitted, name)
	if c.All || len(c.fragments.owners.at(name).more) <= few {
		return
	}
	oldest := make([]*Fragment, 0, few+2)
	for one := range c.fragments.ExcludedAt(name) {
		if len(oldest) > few && one.Compare(oldest[few]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(oldest, one, (*Fragment).Compare)
		oldest = slices.Insert(oldest, i, one)
		oldest = oldest[:min(len(oldest), few+1)]
	}
	if len(oldest) > few {
		c.omitted[name] = oldest[few]
	}
}

// Omitted returns the oldest fragment of which what it declares of a name may be left out, or nil.
func (c *Contenders) Omitted(name definition.Name) *Fragment {
	if c == nil {
		return nil
	}
	return c.omitted[name]
}

// Omits reports whether what a fragment declares of a name may be left out.
func (c *Contenders) Omits(one *Fragment, name definition.Name) bool {
	oldest := c.Omitted(name)
	return oldest != nil && c.fragments.excluded[one][name] && one.Compare(oldest) >= 0
}
