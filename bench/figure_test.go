package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, tc := range []struct {
		name    string
		figures []float64
		want    spread
	}{
		{"one", []float64{3}, spread{3, 3, 3}},
		{"odd, in no order", []float64{9, 1, 5}, spread{1, 5, 9}},
		{"even", []float64{4, 1, 2, 8}, spread{1, 3, 8}},
	} {
		if got := spreadOf(tc.figures); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if got := spreadOf(nil); !math.IsNaN(got.median) {
		t.Errorf("of nothing: %v, want no number", got)
	}
}

func TestGrowth(t *testing.T) {
	sizes := []float64{1e3, 1e4, 1e5, 1e6}
	for _, tc := range []struct {
		name    string
		figures []float64
		want    string
		fixed   float64
		each    float64
	}{
		{"the same at all sizes", []float64{5, 5, 5, 5}, "constant", 5, 0},
		{"noise", []float64{5, 4, 6, 5.5}, "constant", 0, 0},
		{"falling", []float64{5, 4, 2, 1}, "constant", 0, 0},
		{"in proportion", []float64{1, 10, 100, 1000}, "linear", 0, 1e-3},
		{"in proportion, and something fixed", []float64{11, 20, 110, 1010}, "linear", 10, 1e-3},
		{"in proportion, with noise", []float64{12, 19, 100, 1100}, "linear", 0, 0},
		{"the square", []float64{1e-6, 1e-4, 1e-2, 1}, "n^2.0", 0, 0},
		{"the root", []float64{1, 3.16, 10, 31.6}, "n^0.5", 0, 0},
	} {
		got := growthOf(sizes, tc.figures)
		if got.name != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got.name, tc.want)
		}
		if tc.each != 0 && (math.Abs(got.each/tc.each-1) > 1e-6 || math.Abs(got.fixed-tc.fixed) > 1e-6) {
			t.Errorf("%s: %g + %g n, want %g + %g n", tc.name, got.fixed, got.each, tc.fixed, tc.each)
		}
	}
}

func TestRatios(t *testing.T) {
	a := &contender{turns: []turn{{round: 0, rate: 10}, {round: 1, rate: 30}, {round: 2, rate: 50}}}
	b := &contender{turns: []turn{{round: 0, rate: 20}, {round: 2, rate: 10}}} // seldom
	got := ratios(a, b, rate)
	if len(got) != 2 || got[0] != 0.5 || got[1] != 5 {
		t.Errorf("%v, want those of rounds 0 and 2, [0.5 5]", got)
	}
}

func TestPercentile(t *testing.T) {
	figures := make([]float64, 200)
	for i := range figures {
		figures[len(figures)-1-i] = float64(i)
	}
	for p, want := range map[int]float64{50: 100, 99: 198, 100: 199} {
		if got := percentile(figures, p); got != want {
			t.Errorf("%d: %v, want %v", p, got, want)
		}
	}
}

// TestLimit: a figure is marked when the server was not what could do no more.
func TestLimit(t *testing.T) {
	for _, tc := range []struct {
		busy, loadBusy float64
		want           string
	}{{0.99, 0.6, ""}, {0.99, 0.99, ""}, {0.8, 0.99, " †"}, {0.6, 0.5, " ‡"}} {
		one := &contender{turns: []turn{{busy: tc.busy, loadBusy: tc.loadBusy}}}
		if got := one.limit(); got != tc.want {
			t.Errorf("server %v, dnsperf %v: %q, want %q", tc.busy, tc.loadBusy, got, tc.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, tc := range []struct {
		least, median, fixed float64
		want                 string
	}{
		{0.95, 0.96, 1, "0.96 (0.50-9.00)"},
		{0.95, 0.9499, 1, "0.950 (0.500-9.000): **0.95 wanted**"},
		{0, 0.4, 1, "0.40 (0.50-9.00)"},
		{1.45, 1.40, 1.5, "1.400 (0.500-9.000): **1.45 wanted**"},
		{1.45, 1.30, 1.32, "1.300 (0.500-9.000): **1.45 wanted**, fixed has 1.32"},
	} {
		if got := (verdict{spread{0.5, tc.median, 9}, tc.least, tc.fixed}).String(); got != tc.want {
			t.Errorf("%v: %q, want %q", tc, got, tc.want)
		}
	}
}

// TestLeast: what is demanded in some workloads.
func TestLeast(t *testing.T) {
	for name, want := range map[string][]float64{ // of columns
		"MX 2 errors": {0.95, 1.45, 0, 0, 0}, "SRV 40 prometheus+errors": {0.95, 1.45, 0, 0, 0},
		"MX 6 log+errors": {0.95, 1.45, 0, 0, 0}, "MX 2": {0.95, 1.45, 1, 2.4, 5}, "million": {0.95, 1.45, 1, 2.4, 5},
		"address": {0.95, 1.3, 1, 2.4, 5}, "NXDOMAIN": {0.95, 1.3, 1, 2.4, 5}, "TCP": {0.95, 1.3, 1, 2.4, 5},
		"signed": {0.95, 1.3, 0, 0, 0}, "next": {0.95, 0, 0, 0, 0}, "cache": {0.95, 0, 0, 0, 0},
	} {
		w := workloads[slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })]
		for i, than := range columns {
			if got := w.least(than); got != want[i] {
				t.Errorf("%s: %v times %s, want %v", name, got, than, want[i])
			}
		}
	}
}

func TestTable(t *testing.T) {
	var rows table
	rows.add("start", "%.2f s", 1.5)
	rows.demand(true, "at least 5 times", "rate", "%d times", 6)
	rows.demand(false, "none", "lost", "%d", 1)
	var out strings.Builder
	rows.write(&out)
	const want = `| what | figure | demand | met |
|--|--|--|--|
| start | 1.50 s |  |  |
| rate | 6 times | at least 5 times | yes |
| lost | 1 | none | **no** |

`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

// TestScaleDemands: mxsrv is compared with file of the same round.
func TestScaleDemands(t *testing.T) {
	sc := scale{sizes: []int{1000, 1000000}, figures: map[key][]float64{}}
	for measure, figures := range map[string][2][]float64{ // of mxsrv and file, in three rounds
		"first": {{2, 9, 9}, {4, 10, 10}}, "resident": {{66, 66, 66}, {100, 100, 100}},
		"p99change": {{0.004, 0.004, 0.004}, {0.007, 0.009, 0.007}}, "line": {{0.5, 0.6, 0.4}, {1, 1, 1}},
	} {
		sc.figures[key{"mxsrv", measure, 1000000}], sc.figures[key{"file", measure, 1000000}] = figures[0], figures[1]
	}
	var met []bool
	for _, row := range sc.demands() {
		met = append(met, row.met)
	}
	if want := []bool{true, false, false, true}; !slices.Equal(met, want) {
		t.Errorf("met: %v, want %v: start, memory, latency, processor time", met, want)
	}
}

// TestCompare: the ratio is that of the turns of one round, and a lost query is one too
// many.
func TestCompare(t *testing.T) {
	turn := func(answers, lost float64) load { return load{completed: answers, seconds: 1, lost: lost} }
	quiet := []load{turn(50000, 0), turn(40000, 0), turn(50000, 0)}
	for _, tc := range []struct {
		busy []load
		met  bool
	}{
		{[]load{turn(50000, 0), turn(40000, 0), turn(10000, 0)}, true},
		{[]load{turn(49000, 0), turn(39000, 0), turn(49000, 0)}, false},
		{[]load{turn(50000, 0), turn(40000, 1), turn(50000, 0)}, false},
	} {
		var rows table
		rows.compare(quiet, tc.busy, 100)
		if got := rows[len(rows)-1]; got.met != tc.met {
			t.Errorf("%v: met %t, want %t", tc.busy, got.met, tc.met)
		}
	}
}
