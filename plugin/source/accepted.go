package source

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// Accepted is the content of files that was accepted.
type Accepted struct {
	Patterns []string // of paths, all of whose files are there
	Files    []File
	Keys     []File // that the files name, or the block of the Corefile
}

// A File is the content of a file.
type File struct{ Path, Text string }

// A Restorer is a source of files.
type Restorer interface {
	Source

	// Accepted returns content of the source as it is kept. It shares the texts.
	Accepted(*change.Content) Accepted

	// Restore returns what Load would, but where something was accepted of its files that in place of what they
	// have now.
	Restore([]Accepted) *change.Content
}

// Accepted returns what the sources of files have delivered last, for when it was accepted.
func (c *Collector) Accepted() []Accepted {
	var all []Accepted
	for i, s := range c.sources {
		if r, ok := s.(Restorer); ok && c.states[i].content != nil {
			all = append(all, r.Accepted(c.states[i].content))
		}
	}
	return all
}

// Restore has the sources of files declare what was accepted of them. It returns those that have something else now,
// and how to have them declare that again.
func (c *Collector) Restore(accepted []Accepted) (restored []Source, undo func()) {
	before := slices.Clone(c.states)
	for i, s := range c.sources {
		r, ok := s.(Restorer)
		if !ok {
			continue
		}
		if old := r.Restore(accepted); !old.Equal(c.states[i].content) {
			restored, c.states[i].content = append(restored, s), old
		}
	}
	return restored, func() { copy(c.states, before) }
}
