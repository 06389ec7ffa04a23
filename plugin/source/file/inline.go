package file

import (
	"context"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// An Inline is the source of definitions that never change but for the key files that they name: those of a stanza in
// the Corefile. These are followed as files of definitions are, and a change of one is a change of all.
type Inline struct {
	Name     string
	Root     string        // directory of relative paths
	Interval time.Duration // within which a change is noticed; 0 is never

	// Read returns the definitions, with the content of key files as files returns it. Each call makes a new set.
	Read func(files func(path string) (text string, err error)) (*definition.Set, definition.Errors)

	keys *Keys // of the last reading
}

// String implements source.Source.
func (i *Inline) String() string { return i.Name }

// Load implements source.Source.
func (i *Inline) Load() *change.Content {
	i.keys = NewKeys(i.Root)
	return i.read(i.keys)
}

func (i *Inline) read(keys *Keys) *change.Content {
	set, errs := i.Read(keys.Read)
	return &change.Content{Set: set, Errs: errs, Keys: keys}
}

// Run implements source.Source.
func (i *Inline) Run(ctx context.Context, deliver func(*change.Content)) {
	poll(ctx, i.Interval, i.views, func(view) {
		if keys := i.keys.renewed(); keys != i.keys {
			i.keys = keys
			deliver(i.read(keys))
		}
	})
}

func (i *Inline) views() (now, seen view) {
	now.keys, seen.keys = i.keys.views()
	return now, seen
}

// Accepted implements source.Restorer.
func (i *Inline) Accepted(c *change.Content) source.Accepted {
	return source.Accepted{Keys: c.Keys.(*Keys).accepted()}
}

// Restore implements source.Restorer: of key files that were accepted it has what they had then.
func (i *Inline) Restore(accepted []source.Accepted) *change.Content {
	return i.read(restoredKeys(i.Root, accepted))
}
