package mxsrv

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// secondaries take notifications, each for a second.
type secondaries struct {
	mu     sync.Mutex
	begun  []string
	active map[string]int // under way, by zone
	twice  bool           // two were under way for one zone
}

func (s *secondaries) notifier() *notifier {
	s.active = make(map[string]int)
	return &notifier{send: s.take, sending: make(map[definition.Name]bool)}
}

func (s *secondaries) take(zone string) error {
	s.count(zone, 1)
	time.Sleep(time.Second)
	s.count(zone, -1)
	return errors.New("silence") // which changes nothing but the log
}

func (s *secondaries) count(zone string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active[zone] += n; n > 0 {
		s.begun = append(s.begun, zone)
	}
	s.twice = s.twice || s.active[zone] > 1
}

// TestNotify: a zone that changes while its secondaries are told is told once more, and
// no zone waits for another.
func TestNotify(t *testing.T) {
	const a, b = definition.Name("a.example."), definition.Name("b.example.")
	for _, tc := range []struct {
		name    string
		changes []definition.Name // 400 ms one after another
		want    []string          // zones as their NOTIFY begins
	}{
		{"one change", []definition.Name{a}, []string{"a.example."}},
		{"another while it is told", []definition.Name{a, a}, []string{"a.example.", "a.example."}},
		{"two while it is told", []definition.Name{a, a, a}, []string{"a.example.", "a.example."}},
		{"and one while that is told", []definition.Name{a, a, a, a}, []string{"a.example.", "a.example.", "a.example."}},
		{"another zone", []definition.Name{a, b}, []string{"a.example.", "b.example."}},
		{"another zone between", []definition.Name{a, b, a}, []string{"a.example.", "b.example.", "a.example."}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := new(secondaries)
				n := s.notifier()
				for range 2 { // again after all is done
					s.mu.Lock()
					s.begun = nil
					s.mu.Unlock()
					for _, zone := range tc.changes {
						n.notify([]definition.Name{zone})
						time.Sleep(400 * time.Millisecond)
					}
					time.Sleep(time.Minute)
					synctest.Wait()
					s.mu.Lock()
					if !slices.Equal(s.begun, tc.want) || s.twice || len(n.sending) > 0 {
						t.Errorf("told %q, two at once %v, %d left; want %q", s.begun, s.twice, len(n.sending), tc.want)
					}
					s.mu.Unlock()
				}
			})
		})
	}
	new(observer).Changed([]definition.Name{a}) // before the plugins are known: nobody is told
}

// TestNotifyMany: of many zones some are notified at a time, and none any more after stop.
func TestNotifyMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(secondaries)
		n := s.notifier()
		var zones []definition.Name
		for i := range 100 {
			zones = append(zones, definition.Name(fmt.Sprintf("z%d.example.", i)))
		}
		n.notify(zones)
		for i, want := range []int{32, 64, 96, 100} {
			synctest.Wait()
			if s.mu.Lock(); len(s.begun) != want {
				t.Errorf("after %d s %d are begun, want %d", i, len(s.begun), want)
			}
			s.mu.Unlock()
			time.Sleep(time.Second)
		}
		synctest.Wait()
		n.notify(zones)
		synctest.Wait()
		n.stop()
		n.notify(zones)
		time.Sleep(time.Minute)
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if len(s.begun) != 132 || n.workers != 0 {
			t.Errorf("%d are begun and %d workers left, want 132 and none", len(s.begun), n.workers)
		}
	})
}
