package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
)

// result is what all turns have given.
type result struct {
	version string               // of CoreDNS
	qps     map[string][]float64 // by contender: one figure for each round
	lost    float64              // queries without an answer, of all turns
}

func (res *result) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s, %d cores; one for the server, one for dnsperf; %d rounds of %d s; %.0f queries lost\n\n",
		res.version, runtime.Version(), cpu(), runtime.NumCPU(), *rounds, *seconds, res.lost)
	fmt.Fprintln(w, "| plugin | queries/s: median (min-max) | mxsrv / plugin: median (min-max) |")
	fmt.Fprintln(w, "|---|--:|--:|")
	for _, c := range contenders {
		own, times := spreadOf(res.qps[c.name]), spreadOf(ratios(res.qps["mxsrv"], res.qps[c.name]))
		fmt.Fprintf(w, "| %s | %.0f (%.0f-%.0f) | %.2f (%.2f-%.2f) |\n",
			c.name, own.median, own.min, own.max, times.median, times.min, times.max)
	}
}

// ratios divides round by round.
func ratios(a, b []float64) []float64 {
	r := make([]float64, len(a))
	for i := range a {
		r[i] = a[i] / b[i]
	}
	return r
}

type spread struct{ min, median, max float64 }

func spreadOf(figures []float64) spread {
	f := slices.Sorted(slices.Values(figures))
	n := len(f)
	return spread{f[0], (f[(n-1)/2] + f[n/2]) / 2, f[n-1]}
}

// cpu returns the model of the processor, where Linux tells it.
func cpu() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	if found := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(text); found != nil {
		return string(found[1])
	}
	return "unknown processor"
}
