package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// A retry is the pauses between tries, each up to twice as long as the one before.
// The zero value starts with the shortest.
type retry struct{ pause time.Duration }

const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 5 * time.Second
)

// next returns a pause of half its length at least: the rest is left to chance,
// lest all that etcd has lost come back at once.
func (r *retry) next() time.Duration {
	r.pause = min(max(2*r.pause, shortestPause), longestPause)
	return r.pause/2 + rand.N(r.pause/2)
}

// wait pauses, or until ctx ends.
func (r *retry) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(r.next()):
	}
}

// reset makes the next pause the shortest again.
func (r *retry) reset() { r.pause = 0 }
