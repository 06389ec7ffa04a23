package store

import (
	"context"
	"maps"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// An Event is that a fragment was put or deleted.
type Event struct {
	Entry         // as it is now; of one that was deleted as it was before
	At      int64 // the revision of the event
	Deleted bool
}

// A Watcher gets the changes of fragments; see [Store.Watch].
type Watcher struct {
	Started func(revision int64) // watching starts, or goes on after a failure
	Failed  func(error)          // it has failed, and is tried again
	Changed func(Event)
}

// Watch watches all fragments until ctx ends. If the connection fails it is made again, and what has changed meanwhile
// is reported then: the last change of each fragment. An error is returned if not even the first connection succeeds.
func (s *Store) Watch(ctx context.Context, w Watcher) error {
	f := &follower{Watcher: w, Store: s}
	failed := func(err error) {
		f.failed = true
		w.Failed(err)
	}
	err := s.repeat(ctx, func(ready func()) error { return f.session(ctx, ready) }, func(error) bool { return f.entries == nil }, failed)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

type follower struct {
	Watcher
	*Store
	entries map[string]Entry // by key; nil before the first list
	failed  bool
}

// session reports what has changed since the last session and then, until the connection fails, what changes.
func (f *follower) session(ctx context.Context, ready func()) error {
	if err := f.dial(); err != nil {
		return err
	}
	defer f.Close()
	entries, revision, err := f.list(ctx)
	if err != nil {
		return err
	}
	f.compare(entries, revision)
	return f.Config.Watch(ctx, f.client, etcd.Watch{From: revision + 1, Started: ready, Changed: func(events []*mvccpb.Event) {
		for _, e := range events {
			f.event(e)
		}
	}})
}

// compare reports the differences of a list from what was known.
func (f *follower) compare(entries []Entry, revision int64) {
	before := f.entries
	f.entries = map[string]Entry{}
	for _, e := range entries {
		f.entries[e.Key] = e
		if before != nil && before[e.Key].Revision != e.Revision {
			f.Changed(Event{Entry: e, At: e.Revision})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if _, ok := f.entries[key]; !ok {
			f.Changed(Event{before[key], revision, true})
		}
	}
	if before == nil || f.failed {
		f.Started(revision)
	}
	f.failed = false
}

func (f *follower) event(e *mvccpb.Event) {
	entry := entryOf(e.Kv)
	if e.Type == mvccpb.DELETE {
		f.Changed(Event{f.entries[entry.Key], entry.Revision, true})
		delete(f.entries, entry.Key)
		return
	}
	f.entries[entry.Key] = entry
	f.Changed(Event{Entry: entry, At: entry.Revision})
}
