package main

import (
	"fmt"
	"io"
	"slices"
)

// columns are the peers that mxsrv is compared with in the first table.
var columns = []string{"fixed", "file", "cache+file", "template", "etcd"}

// least returns how many times as many answers mxsrv has to give as another peer, for the
// same processor time, or 0.
func (w *workload) least(than string) float64 {
	switch {
	case than == "fixed":
		return 0.95
	case w.next != nil || w.before == "cache":
		return 0 // not mxsrv answers
	case than == "file" && (w.denial || w.signed || w.network != "" || w.name == "address"):
		return 1.3 // most of the cost is the same for all
	case than == "file":
		return 1.45
	case w.before != "" || w.signed: // cache before dnssec spares signatures
		return 0
	default:
		return map[string]float64{"cache+file": 1, "template": 2.4, "etcd": 5}[than]
	}
}

// A verdict is how many times as many answers mxsrv gives as another peer, round by round,
// and how many it has to.
type verdict struct {
	times spread
	least float64
	fixed float64 // what the fixed-answer plugin gives
}

// verdict compares mxsrv with another peer, if both have had turns.
func (c *contest) verdict(than string) (verdict, bool) {
	own, other, fixed := c.find("mxsrv"), c.find(than), c.find("fixed")
	if own == nil || other == nil || fixed == nil {
		return verdict{}, false
	}
	return verdict{spreadOf(ratios(other, own, cpuTime)), c.least(than), median(ratios(other, fixed, cpuTime))}, true
}

func (v verdict) met() bool { return v.times.median >= v.least }

// String returns the figure, and what is wanted if that is more, with the figure of the
// fixed-answer plugin if no plugin that has CoreDNS write its messages could meet it.
func (v verdict) String() string {
	switch {
	case v.met():
		return v.times.text("%.2f")
	case v.fixed < v.least:
		return fmt.Sprintf("%s: **%.2f wanted**, fixed has %.2f", v.times.text("%.3f"), v.least, v.fixed)
	default:
		return fmt.Sprintf("%s: **%.2f wanted**", v.times.text("%.3f"), v.least)
	}
}

// A table has a row for each figure, some with a demand.
type table []tableRow

type tableRow struct {
	what, figure, demand string
	met                  bool
}

// add adds a figure of which nothing is demanded.
func (t *table) add(what, figure string, args ...any) {
	*t = append(*t, tableRow{what: what, figure: fmt.Sprintf(figure, args...), met: true})
}

// demand adds a figure with what is demanded of it.
func (t *table) demand(met bool, demand, what, figure string, args ...any) {
	*t = append(*t, tableRow{what, fmt.Sprintf(figure, args...), demand, met})
}

func (t table) write(w io.Writer) {
	fmt.Fprintln(w, "| what | figure | demand | met |\n|--|--|--|--|")
	for _, r := range t {
		met := ""
		if r.demand != "" {
			met = map[bool]string{true: "yes", false: "**no**"}[r.met]
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", r.what, r.figure, r.demand, met)
	}
	fmt.Fprintln(w)
}

// Demands of many records.
const (
	leastMany      = 600000 // records
	maxResident    = 0.65   // of that of file
	maxReloadP99   = 5e-3   // seconds
	maxReloadRatio = 0.5    // of the 99th percentile of file
	maxLine        = 0.5    // seconds of processor time for a changed line
)

// demands compares mxsrv with file, round by round.
func (sc *scale) demands() (t table) {
	for _, n := range sc.sizes {
		if n < leastMany {
			continue
		}
		of := func(measure string) (own, ratio float64) {
			a, b := sc.figures[key{"mxsrv", measure, n}], sc.figures[key{"file", measure, n}]
			ratios := make([]float64, min(len(a), len(b)))
			for i := range ratios {
				ratios[i] = a[i] / b[i]
			}
			return median(a), median(ratios)
		}
		demand := func(met bool, demand, what, figure string, args ...any) {
			t.demand(met, demand, fmt.Sprintf("%d records: %s", n, what), figure+", %.2f of *file*", args...)
		}
		start, startRatio := of("first")
		demand(startRatio <= 1, "at most that of *file*", "start to first answer", "%.2f s", start, startRatio)
		resident, residentRatio := of("resident")
		demand(residentRatio <= maxResident, fmt.Sprintf("at most %g of *file*", maxResident),
			"resident memory", "%.0f MB", resident/1e6, residentRatio)
		p99, p99Ratio := of("p99change")
		demand(p99 <= maxReloadP99 && p99Ratio <= maxReloadRatio,
			fmt.Sprintf("at most %g ms and %g of *file*", maxReloadP99*1e3, maxReloadRatio),
			"99th percentile around a reload", "%.2f ms", p99*1e3, p99Ratio)
		line, lineRatio := of("line")
		demand(line <= maxLine, fmt.Sprintf("at most %g s", maxLine), "processor time of one changed line",
			"%.3f s", line, lineRatio)
	}
	return t
}

// unmet returns how many demands are not met, of how many.
func (r *report) unmet() (unmet, all int) {
	count := func(met bool) {
		all++
		if !met {
			unmet++
		}
	}
	for _, c := range r.contests {
		for _, name := range columns {
			if v, ok := c.verdict(name); ok && v.least > 0 {
				count(v.met())
			}
		}
	}
	for _, row := range slices.DeleteFunc(r.scale.demands(), func(row tableRow) bool { return row.demand == "" }) {
		count(row.met)
	}
	return unmet, all
}
