package main

import "fmt"

// A demand is what mxsrv has to be in comparison: at least so many times as many
// answers for the same processor time.
type demand struct {
	against string
	least   float64
	holds   func(*workload) bool // where it is asked for
}

var demands = []demand{
	{"floor", 0.97, func(*workload) bool { return true }},
	{"file", 1.45, comparable},
	{"template", 2.4, comparable},
	{"cache+file", 1, comparable},
}

// comparable reports that mxsrv itself answers, and nothing keeps its answers.
func comparable(w *workload) bool { return w.behind == nil && !w.shape.cache }

// A verdict is a demand in one workload.
type verdict struct {
	*workload
	demand
	times spread  // of answers for the same processor time, round by round
	rate  float64 // of answers a second, the median
	floor float64 // the same as times of the floor
}

func verdicts(all []*contest) []verdict {
	var judged []verdict
	for _, d := range demands {
		for _, c := range all {
			own, other, floor := c.find("mxsrv"), c.find(d.against), c.find("floor")
			if own == nil || other == nil || floor == nil || !d.holds(c.workload) {
				continue
			}
			judged = append(judged, verdict{c.workload, d, spreadOf(ratios(other, own, cpu)),
				spreadOf(ratios(own, other, qps)).median, spreadOf(ratios(other, floor, cpu)).median})
		}
	}
	return judged
}

// String says whether a demand is met, and if not whether the floor would meet it:
// no plugin can that has this server write its messages.
func (v verdict) String() string {
	switch {
	case v.times.median >= v.least:
		return "yes"
	case v.against != "floor" && v.floor < v.least:
		return fmt.Sprintf("no; the floor itself has %.2f", v.floor)
	default:
		return "**no**"
	}
}
