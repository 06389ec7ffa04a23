package etcd

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// A step is the edits of a revision, or of several: then of each key the last, and the last of the revisions.
type step struct {
	edits    []change.Edit
	revision int64
}

// A batch gathers steps until they are taken. The first after a quiet time may be taken at once, what follows after a
// rest that is the longer the more was taken. A few steps stay apart, so that each zone gets the serial of the last
// revision that has changed it, on all servers. Many are one: ten thousand changes in a second are then a few loads.
// One goroutine adds and one takes.
type batch struct {
	last     time.Time     // when something was taken
	rest     time.Duration // after that
	gathered chan gathered // holds what there is to take
}

type gathered struct {
	few   []step
	many  map[string]change.Edit // of all steps by key, in place of few
	size  int                    // octets of the texts in them
	edits int
	last  int64 // revision
}

const (
	shortestRest = 5 * time.Millisecond
	longestRest  = 40 * time.Millisecond // a change is to be in an answer within 50 ms
	restPerEdit  = time.Millisecond / 2

	// fewSteps, which small have at most that size together, take as long as the longest rest, more or less.
	fewSteps  = 16
	smallSize = 64 << 10
)

func newBatch() *batch { return &batch{gathered: make(chan gathered, 1)} }

// add adds whole revisions.
func (b *batch) add(steps ...step) {
	if len(steps) == 0 {
		return
	}
	var g gathered
	select {
	case g = <-b.gathered:
	default:
	}
	for _, s := range steps {
		g.add(s)
	}
	b.gathered <- g
}

func (g *gathered) add(s step) {
	for _, e := range s.edits {
		g.size += len(e.Text)
	}
	g.edits, g.last = g.edits+len(s.edits), s.revision
	if g.many != nil {
		addEdits(g.many, s)
		return
	}
	if g.few = append(g.few, s); len(g.few) > fewSteps || g.size > smallSize && len(g.few) > 1 {
		g.many = make(map[string]change.Edit)
		addEdits(g.many, g.few...)
	}
}

// steps returns the steps, the edits of each sorted.
func (g *gathered) steps() []step {
	steps := g.few
	if g.many != nil {
		steps = []step{{slices.Collect(maps.Values(g.many)), g.last}}
	}
	for _, s := range steps {
		sortEdits(s.edits)
	}
	return steps
}

// merged returns steps as one, or none if there are none.
func merged(steps []step) []step {
	if len(steps) < 2 {
		return steps
	}
	edits := make(map[string]change.Edit)
	addEdits(edits, steps...)
	g := gathered{many: edits, last: steps[len(steps)-1].revision}
	return g.steps()
}

// addEdits adds the edits of steps to those by key.
func addEdits(to map[string]change.Edit, steps ...step) {
	for _, s := range steps {
		for _, e := range s.edits {
			to[e.Key] = e
		}
	}
}

// take waits until there is something and returns it, the edits of each step sorted. When ctx has ended it returns what
// there is without a wait, and then false.
func (b *batch) take(ctx context.Context) ([]step, bool) {
	sleep(ctx, b.rest-time.Since(b.last))
	var g gathered
	select {
	case g = <-b.gathered:
	case <-ctx.Done():
		select {
		case g = <-b.gathered:
		default:
			return nil, false
		}
	}
	b.last, b.rest = time.Now(), min(max(shortestRest, time.Duration(g.edits)*restPerEdit), longestRest)
	return g.steps(), true
}
