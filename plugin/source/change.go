package source

import (
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Change is one of what a source declares.
type Change struct {
	Source Source
	Unread definition.Errors // mistakes in new fragments

	state  *state
	before *change.Content
	names  definition.Names // of fragments
}

// Forget frees what was declared before: everything will be read.
func (c *Change) Forget() { c.before = nil }

// Apply makes the change in the stores, see [Collector.Stores], and returns the names whose
// declarations have changed, or false if everything must be read to know.
func (c *Change) Apply() (definition.Names, bool) {
	if c.before == nil {
		return nil, false
	}
	if c.state.content.Fragments() != nil || c.state.content.Tree() != nil {
		return c.names, true
	}
	changed, ok := c.before.Change(c.state.content)
	if ok {
		c.state.content = c.before
	}
	return changed, ok
}
