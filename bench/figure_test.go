package main

import (
	"math"
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
	a := &contender{turns: []turn{{round: 0, qps: 10}, {round: 1, qps: 30}, {round: 2, qps: 50}}}
	b := &contender{turns: []turn{{round: 0, qps: 20}, {round: 2, qps: 10}}} // seldom
	got := ratios(a, b, qps)
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
		against              string
		least, median, fixed float64
		want                 string
	}{
		{"fixed", 0.97, 0.98, 1, "yes"},
		{"fixed", 0.97, 0.96, 1, "**no**"},
		{"file", 1.45, 1.45, 1.5, "yes"},
		{"file", 1.45, 1.40, 1.5, "**no**"},
		{"file", 1.45, 1.30, 1.32, "no; the fixed-answer plugin itself has 1.32"},
	} {
		v := verdict{demand: demand{against: tc.against, least: tc.least}, times: spread{0, tc.median, 9}, fixed: tc.fixed}
		if got := v.String(); got != tc.want {
			t.Errorf("%v: %q, want %q", tc, got, tc.want)
		}
	}
}
