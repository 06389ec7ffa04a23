package etcd

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// A batch gathers edits until they are taken, of each key the last. The first
// after a quiet time may be taken at once, what follows after a rest that is the
// longer the more was taken: ten thousand changes in a second are then a few loads.
type batch struct {
	last time.Time     // when something was taken
	rest time.Duration // after that

	mu       sync.Mutex
	edits    map[string]change.Edit
	revision int64
	some     chan struct{} // holds something while there is something to take
}

const (
	shortestRest = 5 * time.Millisecond
	longestRest  = 40 * time.Millisecond // a change is to be in an answer within 50 ms
	restPerEdit  = time.Millisecond / 2
)

func newBatch() *batch {
	return &batch{edits: make(map[string]change.Edit), some: make(chan struct{}, 1)}
}

// add adds the edits of whole revisions, of which this is the last.
func (b *batch) add(edits []change.Edit, revision int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range edits {
		b.edits[e.Key] = e
	}
	b.revision = revision
	select {
	case b.some <- struct{}{}:
	default:
	}
}

// take waits until there is something and returns it. When ctx has ended it
// returns what there is without a wait, and then false.
func (b *batch) take(ctx context.Context) ([]change.Edit, int64, bool) {
	select {
	case <-b.some:
		sleep(ctx, b.rest-time.Since(b.last))
	case <-ctx.Done():
		select {
		case <-b.some:
		default:
			return nil, 0, false
		}
	}
	edits, revision := b.empty()
	b.last, b.rest = time.Now(), min(max(shortestRest, time.Duration(len(edits))*restPerEdit), longestRest)
	return edits, revision, true
}

// empty returns what was gathered, sorted.
func (b *batch) empty() ([]change.Edit, int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.some: // came while it rested, and is taken along
	default:
	}
	edits := slices.Collect(maps.Values(b.edits))
	b.edits = make(map[string]change.Edit) // to clear a large one takes as long each time
	sortEdits(edits)
	return edits, b.revision
}
