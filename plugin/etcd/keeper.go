package etcd

import (
	"context"
	"time"
)

const (
	// keepEvery is how often the snapshot is written at most.
	keepEvery = time.Second

	// keepShare bounds what a large snapshot takes that changes all the time: it is
	// written in a twentieth of the time.
	keepShare = 20
)

// keep writes the snapshot when something has changed, until ctx ends, and then once more.
func (e *Source) keep(ctx context.Context, changed <-chan struct{}) {
	if e.Snapshot == "" {
		return
	}
	for {
		select {
		case <-changed:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			e.saveLast()
			return
		}
		began := time.Now()
		e.save()
		sleep(ctx, max(keepEvery, keepShare*time.Since(began)))
	}
}

// save writes what is known, if that is not what is in the file.
func (e *Source) save() {
	known, changes := e.cache.copy()
	if changes == e.saved {
		return
	}
	err := writeSnapshot(e.Snapshot, snapshot{known, e.Config.Prefix, time.Now()})
	if err == nil {
		e.saved, e.unsaved = changes, false
		return
	}
	if !e.unsaved {
		e.unsaved = true
		e.warn("snapshot: %v: it stays as it is: write the path of a file in a directory that CoreDNS may write to", err)
	}
}

// saveLast writes what is known at the end, if another source of this process has not written what is newer.
func (e *Source) saveLast() {
	if s, err := readSnapshot(e.Snapshot, e.Config.Prefix); err == nil && s.revision > e.cache.revision() {
		return
	}
	e.save()
}

// readSnapshot reads the snapshot. A file that is of no use is said to be so.
func (e *Source) readSnapshot() snapshot {
	if e.Snapshot == "" {
		return snapshot{}
	}
	s, err := readSnapshot(e.Snapshot, e.Config.Prefix)
	if err != nil {
		e.warn("snapshot %s: %v: it is not used", e.Snapshot, err)
	}
	return s
}
