// Package source brings the sources of definitions together and follows their changes.
//
// A [Source] loads what is declared somewhere and then follows it: [Static] is the block
// of the Corefile and never changes, package file reads files, and key files that the block
// names, package etcd the keys of etcd. A [Collector] makes one set of all that its sources declare, at the start by
// Load and then, by Run, each time that one of them changes. Of a [Change] only what was
// removed and added is read, if that is enough: see package change.
//
// A further source is one more type with these methods. Whether a set may be served is
// decided elsewhere.
package source

import (
	"context"
	"slices"
	"sync"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Source is a place where definitions are.
type Source interface {
	// Load returns what is there now. It returns nil if that is not known yet; then
	// Run will deliver it.
	Load() *change.Content

	// Run delivers what Load would return whenever that has changed, until ctx
	// ends or nothing can change any more.
	Run(ctx context.Context, deliver func(*change.Content))

	// String names the source in logs and metrics.
	String() string
}

// Static returns a source that never changes.
func Static(name string, set *definition.Set, errs definition.Errors) Source {
	if set == nil {
		return static{name, nil}
	}
	return static{name, &change.Content{Set: set, Errs: errs}}
}

type static struct {
	name    string
	content *change.Content
}

func (s static) Load() *change.Content                      { return s.content }
func (s static) Run(context.Context, func(*change.Content)) {}
func (s static) String() string                             { return s.name }

// A Collector brings sources together.
type Collector struct {
	sources []Source
	states  []state // by source
	unread  definition.Errors
}

// state is the last that a source has delivered.
type state struct {
	content *change.Content
	ended   bool // nothing more will come
}

// Collect returns the collector of some sources.
func Collect(sources ...Source) *Collector {
	c := &Collector{sources: sources, states: make([]state, len(sources))}
	for i, s := range sources {
		_, c.states[i].ended = s.(static)
	}
	return c
}

// Sources returns the sources.
func (c *Collector) Sources() []Source { return c.sources }

// Content returns what a source has delivered last, by its place among the sources, or nil.
func (c *Collector) Content(source int) *change.Content { return c.states[source].content }

// Load loads all sources. It returns false if what one of them declares is not known
// yet.
func (c *Collector) Load() bool {
	c.unread = nil
	for i, s := range c.sources {
		c.states[i].content = nil // two of a large source would be too much memory
		if c.states[i].content = s.Load(); c.states[i].content != nil {
			_, unread := c.states[i].content.Apply(nil)
			c.unread = append(c.unread, unread...)
		}
	}
	return c.complete()
}

// Unread returns the mistakes in fragments that Load has found.
func (c *Collector) Unread() definition.Errors { return c.unread }

// Fragments returns those that a source has, or nil.
func (c *Collector) Fragments() *change.Fragments {
	for _, s := range c.states {
		if s.content != nil && s.content.Fragments() != nil {
			return s.content.Fragments()
		}
	}
	return nil
}

// Tree returns the one that a source has, or nil.
func (c *Collector) Tree() change.Tree {
	for _, s := range c.states {
		if s.content != nil && s.content.Tree() != nil {
			return s.content.Tree()
		}
	}
	return nil
}

// Revision returns that of the fragments and of a tree, or 0.
func (c *Collector) Revision() int64 {
	var last int64
	for _, s := range c.states {
		if s.content != nil {
			last = max(last, s.content.Revision)
		}
	}
	return last
}

// Stores returns the stores of all sources, in their order.
func (c *Collector) Stores() []change.Store {
	var stores []change.Store
	for _, s := range c.states {
		if s.content != nil {
			stores = append(stores, s.content.Stores()...)
		}
	}
	return stores
}

// complete reports whether all sources have delivered.
func (c *Collector) complete() bool {
	return !slices.ContainsFunc(c.states, func(s state) bool { return s.content == nil })
}

// Read reads what all sources declare together, as far as it is known, and all the
// mistakes. Of fragments it reads those that are not excluded, and nothing of a tree.
func (c *Collector) Read() (*definition.Set, definition.Errors) {
	set, errs := new(definition.Set), definition.Errors(nil)
	for _, s := range c.states {
		if s.content != nil {
			errs = append(errs, s.content.ReadInto(set)...)
		}
	}
	return set, errs
}

// Run follows all sources until ctx ends, and publishes what has changed each time
// that one of them has delivered. It comes after Load. What was published and
// rejected stays what its source declares: it is part of the next change of another
// source, if everything is read for that.
//
// Between that it calls wake for all that events has, if it is not nil.
func (c *Collector) Run(ctx context.Context, publish func(*Change), events <-chan struct{}, wake func()) {
	deliveries := make(chan delivery)
	var running sync.WaitGroup
	defer running.Wait()
	for i, s := range c.sources {
		if !c.states[i].ended {
			running.Go(func() { follow(ctx, s, i, deliveries) })
		}
	}
	for c.running() > 0 || events != nil {
		select {
		case <-ctx.Done():
			return
		case <-events:
			wake()
		case d := <-deliveries:
			if changed := c.take(d); c.complete() && changed != nil {
				publish(changed)
			}
		}
	}
}

// A delivery is what a source says while it runs: what is there, or that it has
// ended.
type delivery struct {
	from    int
	content *change.Content
	ended   bool
}

// take notes a delivery. It returns nil if nothing has changed by it.
func (c *Collector) take(d delivery) *Change {
	s := &c.states[d.from]
	if d.ended {
		s.ended = true
		return nil
	}
	before := s.content
	s.content = d.content
	names, unread := s.content.Apply(before)
	return &Change{Source: c.sources[d.from], Unread: unread, state: s, before: before, names: names}
}

// follow runs one source.
func follow(ctx context.Context, s Source, from int, deliveries chan<- delivery) {
	send := func(d delivery) {
		select {
		case deliveries <- d:
		case <-ctx.Done():
		}
	}
	s.Run(ctx, func(content *change.Content) { send(delivery{from: from, content: content}) })
	send(delivery{from: from, ended: true})
}

// running counts the sources that may deliver.
func (c *Collector) running() int {
	n := 0
	for _, s := range c.states {
		if !s.ended {
			n++
		}
	}
	return n
}
