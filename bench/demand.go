package main

import (
	"fmt"
	"strings"
)

// A demand is what mxsrv has to be in comparison: at least so many times as many
// answers for the same processor time.
type demand struct {
	against string
	least   float64
	holds   func(*workload) bool // where it is asked for
}

var demands = []demand{
	{"fixed", 0.95, func(*workload) bool { return true }},
	{"file", 1.45, func(w *workload) bool { return comparable(w) && !dear(w) }},
	{"file", 1.3, func(w *workload) bool { return comparable(w) && dear(w) }},
	{"template", 2.4, comparable},
	{"cache+file", 1, comparable},
}

// comparable reports that mxsrv itself answers, and nothing keeps its answers.
func comparable(w *workload) bool { return w.next == nil && w.shape.before != "cache" }

// dear reports that most of an answer's cost is the same for all plugins.
func dear(w *workload) bool {
	return w.shape.denial || w.shape.do || w.network != "" || strings.HasSuffix(w.questions()[0].kind, "A")
}

// A verdict is a demand in one workload.
type verdict struct {
	*workload
	demand
	times spread  // of answers for the same processor time, round by round
	rate  float64 // of answers a second, the median
	fixed float64 // the same as times of the fixed-answer plugin
}

func verdicts(all []*contest) []verdict {
	var judged []verdict
	for _, d := range demands {
		for _, c := range all {
			own, other, fixed := c.find("mxsrv"), c.find(d.against), c.find("fixed")
			if own == nil || other == nil || fixed == nil || !d.holds(c.workload) {
				continue
			}
			judged = append(judged, verdict{c.workload, d, spreadOf(ratios(other, own, cpu)),
				spreadOf(ratios(own, other, qps)).median, spreadOf(ratios(other, fixed, cpu)).median})
		}
	}
	return judged
}

// String says whether a demand is met, and if not whether the fixed-answer plugin would meet it:
// no plugin can that has this server write its messages.
func (v verdict) String() string {
	switch {
	case v.times.median >= v.least:
		return "yes"
	case v.against != "fixed" && v.fixed < v.least:
		return fmt.Sprintf("no; the fixed-answer plugin itself has %.2f", v.fixed)
	default:
		return "**no**"
	}
}
