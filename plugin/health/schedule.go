package health

import (
	"container/heap"
	"time"
)

// A target is what is known of a probe.
type target struct {
	probe   Probe
	verdict Verdict
	phase   time.Duration // in each interval
	next    time.Time     // when it is probed next
	index   int           // in the schedule; -1: it is not there, for it waits
	running int           // probes
	row     int           // results in a row that are against the verdict
	noRoute int           // probes in a row without a way from here
	begun   time.Time     // when the last probe began
	counted time.Time     // when the last probe that counted began
	took    time.Duration // its last success
	age     int           // intervals since a probe counted
	gone    bool          // it is not probed any more
}

// A schedule is a heap of targets by next.
type schedule []*target

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].next.Before(s[j].next) }
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

func (s *schedule) Push(x any) {
	t := x.(*target)
	t.index = len(*s)
	*s = append(*s, t)
}

func (s *schedule) Pop() any {
	last := len(*s) - 1
	t := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	t.index = -1
	return t
}

// put schedules a target, for the first time or anew.
func (s *schedule) put(t *target, next time.Time) {
	t.next = next
	if t.index < 0 {
		heap.Push(s, t)
	} else {
		heap.Fix(s, t.index)
	}
}

// first returns when a target is due first, or a time if there is none.
func (s schedule) first(otherwise time.Time) time.Time {
	if len(s) == 0 {
		return otherwise
	}
	return s[0].next
}

// due takes the targets out whose time has come, in order.
func (s *schedule) due(now time.Time) (due []*target) {
	for len(*s) > 0 && !(*s)[0].next.After(now) {
		due = append(due, heap.Pop(s).(*target))
	}
	return due
}

// nextPhase returns when the phase of the target comes after now.
func (t *target) nextPhase(now time.Time, every time.Duration) time.Time {
	since := (time.Duration(now.UnixNano()) - t.phase) % every // may be below 0, for times before 1970
	return now.Add(every - since)
}
