package main

import (
	"fmt"
	"math"
	"slices"
)

// A spread is what several rounds have given.
type spread struct{ min, median, max float64 }

// spreadOf returns NaNs of no figures.
func spreadOf(figures []float64) spread {
	f := slices.Sorted(slices.Values(figures))
	n := len(f)
	if n == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return spread{f[0], (f[(n-1)/2] + f[n/2]) / 2, f[n-1]}
}

func median(figures []float64) float64 { return spreadOf(figures).median }

// text writes a median, and the range if there is one.
func (s spread) text(format string) string {
	if s.min == s.max {
		return fmt.Sprintf(format, s.median)
	}
	return fmt.Sprintf(format+" ("+format+"-"+format+")", s.median, s.min, s.max)
}

// percentile returns the figure that p of a hundred do not exceed. There must be one.
func percentile(figures []float64, p int) float64 {
	f := slices.Sorted(slices.Values(figures))
	return f[min(len(f)*p/100, len(f)-1)]
}

// A growth is how a figure grows with the number of records: a fixed part and one for
// each record, with the least squares of the relative errors, so that a thousand
// records count as much as a million.
type growth struct {
	fixed, each float64
	name        string // constant, linear, or "n^1.3"
}

// growthOf fits figures of at least two sizes, the largest last.
func growthOf(sizes, figures []float64) growth {
	var w, wx, wy, wxx, wxy float64
	for i, x := range sizes {
		y := figures[i]
		weight := 1 / (y * y)
		w, wx, wy, wxx, wxy = w+weight, wx+weight*x, wy+weight*y, wxx+weight*x*x, wxy+weight*x*y
	}
	each := (w*wxy - wx*wy) / (w*wxx - wx*wx)
	g := growth{fixed: (wy - each*wx) / w, each: each}
	g.name = g.named(sizes, figures)
	return g
}

// named returns constant if the largest size costs less than half more than the smallest,
// linear if the fit is near, and else the exponent from the smallest to the largest.
func (g growth) named(sizes, figures []float64) string {
	last := len(sizes) - 1
	if figures[last] < 1.5*figures[0] {
		return "constant"
	}
	worst := 0.0
	for i, x := range sizes {
		worst = max(worst, math.Abs(g.fixed+g.each*x-figures[i])/figures[i])
	}
	if worst < 0.35 {
		return "linear"
	}
	return fmt.Sprintf("n^%.1f", math.Log(figures[last]/figures[0])/math.Log(sizes[last]/sizes[0]))
}

// digits writes a figure with at least two of them.
func digits(f float64) string {
	switch {
	case f >= 10:
		return fmt.Sprintf("%.0f", f)
	case f >= 1:
		return fmt.Sprintf("%.1f", f)
	case f >= 0.1:
		return fmt.Sprintf("%.2f", f)
	default:
		return fmt.Sprintf("%.3f", f)
	}
}
