package etcd

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// A batch gathers edits until they are taken, of each key the last. The first after a quiet time may be taken at once,
// what follows after a rest that is the longer the more was taken: ten thousand changes in a second are then a few
// loads. One goroutine adds and one takes.
type batch struct {
	last     time.Time     // when something was taken
	rest     time.Duration // after that
	gathered chan gathered // holds what there is to take
}

type gathered struct {
	edits    map[string]change.Edit
	revision int64
}

const (
	shortestRest = 5 * time.Millisecond
	longestRest  = 40 * time.Millisecond // a change is to be in an answer within 50 ms
	restPerEdit  = time.Millisecond / 2
)

func newBatch() *batch { return &batch{gathered: make(chan gathered, 1)} }

// add adds the edits of whole revisions, of which this is the last.
func (b *batch) add(edits []change.Edit, revision int64) {
	g := gathered{edits: make(map[string]change.Edit)}
	select {
	case g = <-b.gathered:
	default:
	}
	for _, e := range edits {
		g.edits[e.Key] = e
	}
	g.revision = revision
	b.gathered <- g
}

// take waits until there is something and returns it, sorted. When ctx has ended it returns what there is without a
// wait, and then false.
func (b *batch) take(ctx context.Context) ([]change.Edit, int64, bool) {
	sleep(ctx, b.rest-time.Since(b.last))
	var g gathered
	select {
	case g = <-b.gathered:
	case <-ctx.Done():
		select {
		case g = <-b.gathered:
		default:
			return nil, 0, false
		}
	}
	edits := slices.Collect(maps.Values(g.edits))
	sortEdits(edits)
	b.last, b.rest = time.Now(), min(max(shortestRest, time.Duration(len(edits))*restPerEdit), longestRest)
	return edits, g.revision, true
}
