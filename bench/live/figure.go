package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// quantile returns the figure that a part of all does not exceed, 1 being the most.
func quantile[T cmp.Ordered](figures []T, part float64) T {
	var none T
	if len(figures) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

func median[T cmp.Ordered](figures []T) T { return quantile(figures, 0.5) }

// times prints what changes took.
func times(all []time.Duration) string {
	return fmt.Sprintf("median %s, 99 %% within %s, at most %s",
		milliseconds(median(all)), milliseconds(quantile(all, 0.99)), milliseconds(quantile(all, 1)))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func megabytes(octets float64) string { return fmt.Sprintf("%.0f MB", octets/1e6) }
