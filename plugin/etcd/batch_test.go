package etcd

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// puts returns edits that put fragments.
func puts(keys ...string) (edits []change.Edit) {
	for _, key := range keys {
		edits = append(edits, change.Edit{Fragment: change.Fragment{Key: key}})
	}
	return edits
}

// TestBatch: the first change is taken at once, what follows after a rest, and the last
// of each key.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := newBatch()
		ctx, cancel := context.WithCancelCause(t.Context())
		var got []string
		ended := make(chan bool)
		go func() {
			defer close(ended)
			for {
				edits, revision, ok := b.take(ctx)
				if !ok {
					return
				}
				line := fmt.Sprintf("%v: %d", time.Since(start), revision)
				for _, e := range edits {
					line += fmt.Sprintf(" %s@%d", e.Key, e.Created)
				}
				got = append(got, line)
			}
		}()
		at := func(d time.Duration, revision int64, edits ...change.Edit) {
			time.Sleep(d - time.Since(start))
			b.add(edits, revision)
			synctest.Wait()
		}
		younger := change.Edit{Fragment: change.Fragment{Key: "b", Created: 7}}
		gone := change.Edit{Fragment: change.Fragment{Key: "c"}, Gone: true}
		at(time.Second, 1, puts("a")...)
		at(1001*time.Millisecond, 2, puts("c", "b")...)
		at(1002*time.Millisecond, 3, younger)
		at(1003*time.Millisecond, 4, gone)
		at(1090*time.Millisecond, 5)
		at(1091*time.Millisecond, 6, puts("d")...)
		cancel(errors.New("over"))
		<-ended
		want := []string{"1s: 1 a@0", "1.005s: 4 c@0 b@7", "1.09s: 5", "1.091s: 6 d@0"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("taken %q\nwant %q", got, want)
		}
	})
}

// TestBatchBurst: ten thousand changes in a second.
func TestBatchBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBatch()
		const changes = 10000
		go func() {
			for n := range changes {
				b.add(puts(fmt.Sprint(n)), int64(n+1))
				time.Sleep(time.Second / changes)
			}
		}()
		batches, taken := 0, 0
		for revision := int64(0); revision < changes; batches++ {
			var edits []change.Edit
			edits, revision, _ = b.take(t.Context())
			taken += len(edits)
		}
		if batches > 30 || taken != changes {
			t.Errorf("%d changes in %d batches, want %d in about 25", taken, batches, changes)
		}
	})
}
