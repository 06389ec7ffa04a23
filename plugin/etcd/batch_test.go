package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// TestBatch: the first change is taken at once, and what follows after a rest, each revision apart while they are few
// and small; of many and large ones the last of each key.
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
				steps, ok := b.take(ctx)
				if !ok {
					return
				}
				line := fmt.Sprintf("%v:", time.Since(start))
				for _, s := range steps {
					line += fmt.Sprintf(" %d", s.revision)
					for _, e := range s.edits {
						line += fmt.Sprintf(" %s@%d", e.Key, e.Created)
					}
				}
				got = append(got, line)
			}
		}()
		at := func(d time.Duration, revision int64, edits ...change.Edit) {
			time.Sleep(d - time.Since(start))
			b.add(step{edits, revision})
			synctest.Wait()
		}
		younger := change.Edit{Fragment: change.Fragment{Key: "b", Created: 7}}
		gone := change.Edit{Fragment: change.Fragment{Key: "c"}, Gone: true}
		at(time.Second, 1, puts("a")...)
		at(1001*time.Millisecond, 2, puts("c", "b")...)
		at(1002*time.Millisecond, 3, younger)
		at(1003*time.Millisecond, 4, gone)
		at(1090*time.Millisecond, 5)
		for revision := range int64(fewSteps + 1) {
			at(1091*time.Millisecond, 6+revision, puts("d", "e")...)
		}
		large := change.Edit{Fragment: change.Fragment{Key: "f", Text: strings.Repeat(" ", smallSize+1)}}
		at(1200*time.Millisecond, 23, large)
		at(1201*time.Millisecond, 24, large)
		at(1202*time.Millisecond, 25, puts("g")...)
		cancel(errors.New("over"))
		<-ended
		want := []string{"1s: 1 a@0", "1.005s: 2 b@0 c@0 3 b@7 4 c@0", "1.09s: 5", "1.095s: 22 d@0 e@0",
			"1.2s: 23 f@0", "1.202s: 25 f@0 g@0"}
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
				b.add(step{puts(fmt.Sprint(n)), int64(n + 1)})
				time.Sleep(time.Second / changes)
			}
		}()
		batches, taken := 0, 0
		for revision := int64(0); revision < changes; batches++ {
			steps, _ := b.take(t.Context())
			for _, s := range steps {
				taken += len(s.edits)
				revision = s.revision
			}
		}
		if batches > 30 || taken != changes {
			t.Errorf("%d changes in %d batches, want %d in about 25", taken, batches, changes)
		}
	})
}
