package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// A benchmark is what a Go benchmark of the handler alone has given.
type benchmark struct {
	name                   string
	ns, bytes, allocations []float64 // one for each run
}

func (p plan) benchCommand() []string {
	const command = "go test -run ^$ -bench . -benchmem -benchtime %s -count %d . ./plugin/answer"
	return strings.Fields(fmt.Sprintf(command, p.benchTime, p.benchCount))
}

// benchHandler runs the Go benchmarks of mxsrv. A run is not lost if they fail.
func (r *report) benchHandler(ctx context.Context) error {
	command := r.benchCommand()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		logf("%v: %v\n%s", cmd, err, out)
	}
	r.handler = parseBenchmarks(string(out))
	return nil
}

var benchmarkLine = regexp.MustCompile(
	`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op.*?\s([0-9]+) B/op\s+([0-9]+) allocs/op`)

// parseBenchmarks reads what go test prints.
func parseBenchmarks(out string) []*benchmark {
	var all []*benchmark
	byName := map[string]*benchmark{}
	for _, f := range benchmarkLine.FindAllStringSubmatch(out, -1) {
		b := byName[f[1]]
		if b == nil {
			b = &benchmark{name: f[1]}
			byName[b.name], all = b, append(all, b)
		}
		for i, to := range []*[]float64{&b.ns, &b.bytes, &b.allocations} {
			figure, _ := strconv.ParseFloat(f[2+i], 64)
			*to = append(*to, figure)
		}
	}
	return all
}
