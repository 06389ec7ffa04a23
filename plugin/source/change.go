package source

import (
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Change is that a source declares something else now.
type Change struct {
	Source Source
	Unread definition.Errors // mistakes in fragments that have come

	collector *Collector
	state     *state
	before    *change.Content
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
	if c.state.content.Fragments() != nil {
		return c.names, true
	}
	changed, ok := c.before.Change(c.state.content)
	if ok {
		c.state.content = c.before
	}
	return changed, ok
}
