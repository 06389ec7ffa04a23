// Package source says where definitions come from, and keeps up with their
// changes.
//
// A [Source] loads what there is and then follows it: [Static] is the block of
// the Corefile and never changes, [File] is files. A [Collector] makes one set
// of all that its sources declare, at the start by Load and then, by Run, each
// time that one of them changes.
//
// A further source is one more type with these methods. Whether a set may be
// served is not for this package to say.
package source

import (
	"context"
	"sync"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Source is a place where definitions are kept.
type Source interface {
	// Load returns what is declared there now, and the mistakes in it. The set
	// is nil if that is not known yet; it will then be delivered by Run.
	Load() (*definition.Set, definition.Errors)

	// Run delivers what Load would return whenever that has changed, until ctx
	// ends or nothing can change any more.
	Run(ctx context.Context, deliver func(*definition.Set, definition.Errors))

	// String names the source in logs and metrics.
	String() string
}

// Static returns a source that never changes.
func Static(name string, set *definition.Set, errs definition.Errors) Source {
	return static{name, set, errs}
}

type static struct {
	name string
	set  *definition.Set
	errs definition.Errors
}

func (s static) Load() (*definition.Set, definition.Errors)                    { return s.set, s.errs }
func (s static) Run(context.Context, func(*definition.Set, definition.Errors)) {}
func (s static) String() string                                                { return s.name }

// A Collector brings sources together.
type Collector struct {
	sources []Source
	states  []state // by source
}

// state is the last that is known of a source.
type state struct {
	set  *definition.Set
	errs definition.Errors

	ended bool // nothing more will come
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

// Load loads all sources. It returns what they declare together and all the
// mistakes; the set is nil if that of a source is not known yet.
func (c *Collector) Load() (*definition.Set, definition.Errors) {
	for i, s := range c.sources {
		c.states[i].set, c.states[i].errs = s.Load()
	}
	return c.merge()
}

// merge returns what all sources declare together, and forgets the sets that no
// merge will need any more.
func (c *Collector) merge() (*definition.Set, definition.Errors) {
	var sets []*definition.Set
	var errs definition.Errors
	for _, s := range c.states {
		if s.set == nil {
			return nil, nil
		}
		sets = append(sets, s.set)
		errs = append(errs, s.errs...)
	}
	c.forget()
	return definition.Merge(sets...), errs
}

// Run follows all sources until ctx ends, and publishes what they declare
// together each time that one of them has delivered. It comes after Load. What
// was published and refused stays what its source declares: it comes again with
// the next change of another source.
func (c *Collector) Run(ctx context.Context, publish func(changed Source, set *definition.Set, errs definition.Errors)) {
	deliveries := make(chan delivery)
	var running sync.WaitGroup
	defer running.Wait()
	for i, s := range c.sources {
		if !c.states[i].ended {
			running.Go(func() { follow(ctx, s, i, deliveries) })
		}
	}
	for c.running() > 0 {
		select {
		case <-ctx.Done():
			return
		case d := <-deliveries:
			if set, errs := c.take(d); set != nil {
				publish(c.sources[d.from], set, errs)
			}
		}
	}
}

// A delivery is what a source says while it runs: what it declares, or that it
// has ended.
type delivery struct {
	from  int
	set   *definition.Set
	errs  definition.Errors
	ended bool
}

// take notes a delivery, and returns what all sources declare then; the set is
// nil if there is nothing new to publish.
func (c *Collector) take(d delivery) (*definition.Set, definition.Errors) {
	s := &c.states[d.from]
	if d.ended {
		s.ended = true
		return nil, nil
	}
	s.set, s.errs = d.set, d.errs
	return c.merge()
}

// follow runs one source.
func follow(ctx context.Context, s Source, from int, deliveries chan<- delivery) {
	send := func(d delivery) {
		select {
		case deliveries <- d:
		case <-ctx.Done():
		}
	}
	s.Run(ctx, func(set *definition.Set, errs definition.Errors) {
		send(delivery{from: from, set: set, errs: errs})
	})
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

// forget drops the sets that no merge will need: if a single source may still
// deliver, its own, for it will bring a new one. Sets are larger than the table
// that is made of them.
func (c *Collector) forget() {
	if c.running() > 1 {
		return
	}
	for i := range c.states {
		if s := &c.states[i]; !s.ended {
			s.set, s.errs = nil, nil
		}
	}
}
