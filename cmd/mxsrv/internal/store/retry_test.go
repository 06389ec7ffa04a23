package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// TestRepeat: pauses grow up to a limit, only the first failure of an outage is reported, and a session that was well
// starts both anew.
func TestRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{Config: etcd.New("127.0.0.1:1")}
		ctx, cancel := context.WithCancel(t.Context())
		var pauses []time.Duration
		var reported []string
		last, n := time.Now(), 0
		session := func(ready func()) error {
			pauses, last = append(pauses, time.Since(last)), time.Now()
			switch n++; n {
			case 10:
				ready()
			case 12:
				cancel()
			}
			return errors.New("lost")
		}
		failed := func(err error) { reported = append(reported, err.Error()) }
		err := s.repeat(ctx, session, func(error) bool { return false }, failed)
		if err == nil || n != 12 || !slices.Equal(reported, []string{"etcd 127.0.0.1:1: lost", "etcd 127.0.0.1:1: lost"}) {
			t.Errorf("error %v after %d sessions, reported %q", err, n, reported)
		}
		for i, most := range []time.Duration{0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 100, 200} {
			if most *= time.Millisecond; pauses[i] < most/2 || pauses[i] > most {
				t.Errorf("pause %d is %v, want %v to %v", i, pauses[i], most/2, most)
			}
		}
	})
}

// TestRepeatEnds: a final error ends it, and so does ctx in a pause.
func TestRepeatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{Config: etcd.New("127.0.0.1:1")}
		sessions := 0
		session := func(func()) error { sessions++; return errors.New("lost") }
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		reported := 0
		err := s.repeat(ctx, session, func(error) bool { return false }, func(error) { reported++ })
		if err == nil || sessions != 1 || reported != 1 {
			t.Errorf("error %v after %d sessions, %d reported", err, sessions, reported)
		}
		err = s.repeat(t.Context(), session, func(error) bool { return true }, func(error) { reported++ })
		if err == nil || sessions != 2 || reported != 1 {
			t.Errorf("error %v after %d sessions, %d reported", err, sessions, reported)
		}
	})
}

// TestUntilLeader: a request is made again while etcd has no leader, and as long as ctx lasts.
func TestUntilLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		err := untilLeader(t.Context(), func() error {
			if requests++; requests < 4 {
				return rpctypes.ErrNoLeader
			}
			return rpctypes.ErrPermissionDenied
		})
		if !errors.Is(err, rpctypes.ErrPermissionDenied) || requests != 4 {
			t.Errorf("%v after %d requests", err, requests)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := untilLeader(ctx, func() error { return rpctypes.ErrNoLeader }); !errors.Is(err, rpctypes.ErrNoLeader) {
			t.Errorf("%v at the end", err)
		}
	})
}
