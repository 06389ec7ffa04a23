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
	k := keeper{Source: e}
	for {
		select {
		case <-changed:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			k.last()
			return
		}
		began := time.Now()
		k.write()
		sleep(ctx, max(keepEvery, keepShare*time.Since(began)))
	}
}

// A keeper writes the snapshot of a source.
type keeper struct {
	*Source
	failed bool // so it was logged
}

// write writes what is known, if that is not what is in the file.
func (k *keeper) write() {
	known, changes := k.cache.copy()
	if changes == k.saved {
		return
	}
	err := writeSnapshot(k.Snapshot, snapshot{known, k.Config.Prefix, time.Now()})
	if err == nil {
		k.saved, k.failed = changes, false
		return
	}
	if !k.failed {
		k.failed = true
		k.warn("snapshot: %v: it stays as it is: write the path of a file in a directory that CoreDNS may write to", err)
	}
}

// last writes what is known at the end, if another source of this process has not written what is newer.
func (k *keeper) last() {
	if s, err := readSnapshot(k.Snapshot, k.Config.Prefix); err == nil && s.revision > k.cache.revision() {
		return
	}
	k.write()
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
