package store

import (
	"context"
	"math/rand/v2"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// A backoff is the pause before the next try, up to twice as long each time. The zero value starts with the shortest.
type backoff struct{ pause time.Duration }

const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 5 * time.Second
)

// next returns the next pause, of which half is random: when etcd comes back, its clients must not all come at once.
func (b *backoff) next() time.Duration {
	b.pause = min(max(2*b.pause, shortestPause), longestPause)
	return b.pause/2 + rand.N(b.pause/2)
}

// wait pauses, but not longer than ctx lasts.
func (b *backoff) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(b.next()):
	}
}

// untilLeader makes a request that changes nothing. It repeats it while the members of etcd have no leader, which is
// for seconds.
func untilLeader(ctx context.Context, request func() error) error {
	for b := (backoff{}); ; b.wait(ctx) {
		err := request()
		if ctx.Err() != nil || !isAny(err, rpctypes.ErrLeaderChanged, rpctypes.ErrNoLeader, rpctypes.ErrTimeoutDueToLeaderFail) {
			return err
		}
	}
}

// repeat runs sessions one after the other, with growing pauses between, until ctx ends or an error is final. It
// returns the error of the last session. A session calls ready when all is well, which makes the next pause the
// shortest. The first error after that goes to failed.
func (s *Store) repeat(ctx context.Context, session func(ready func()) error, final func(error) bool, failed func(error)) error {
	var b backoff
	reported := false
	for {
		err := session(func() { b, reported = backoff{}, false })
		if ctx.Err() != nil || final(err) {
			return s.failure(err)
		}
		if !reported {
			failed(s.failure(err))
			reported = true
		}
		if b.wait(ctx); ctx.Err() != nil {
			return s.failure(err)
		}
	}
}
