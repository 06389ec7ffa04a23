package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const queryFile = "queries"

// load is what dnsperf says of a turn.
type load struct {
	completed, lost float64
	seconds         float64
	codes           map[string]float64 // answers by response code
	busy            float64            // the part of its core that dnsperf took
}

// dnsperf asks as fast as the server answers, with its default of 100 queries
// under way at a time.
func dnsperf(ctx context.Context, s site, options string, span time.Duration) (load, error) {
	args := []string{"-c", dnsperfCore, "dnsperf", "-s", "127.0.0.1", "-p", fmt.Sprint(s.port),
		"-d", queryFile, "-t", "1", "-l", fmt.Sprintf("%.2f", span.Seconds())}
	cmd := exec.CommandContext(ctx, "taskset", append(args, strings.Fields(options)...)...)
	cmd.Dir = s.dir
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		return load{}, fmt.Errorf("dnsperf: %v\n%s", err, out)
	}
	l, err := parseLoad(string(out))
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		l.busy = time.Duration(usage.Utime.Nano()+usage.Stime.Nano()).Seconds() / took.Seconds()
	}
	return l, err
}

var (
	statistic = regexp.MustCompile(`(?m)^ +(Queries completed|Queries lost|Run time \(s\)): +([0-9.]+)`)
	code      = regexp.MustCompile(`([A-Z0-9]+) ([0-9]+) \([0-9.]+%\)`)
)

// parseLoad reads the statistics that dnsperf prints at the end.
func parseLoad(out string) (load, error) {
	figures := map[string]float64{}
	for _, found := range statistic.FindAllStringSubmatch(out, -1) {
		figures[found[1]], _ = strconv.ParseFloat(found[2], 64)
	}
	l := load{figures["Queries completed"], figures["Queries lost"], figures["Run time (s)"], map[string]float64{}, 0}
	if l.completed == 0 || l.seconds == 0 {
		return l, fmt.Errorf("dnsperf has no answers:\n%s", out)
	}
	_, codes, _ := strings.Cut(out, "Response codes:")
	codes, _, _ = strings.Cut(codes, "\n")
	for _, found := range code.FindAllStringSubmatch(codes, -1) {
		l.codes[found[1]], _ = strconv.ParseFloat(found[2], 64)
	}
	return l, nil
}

// only reports an answer with another code than the expected one.
func (l load) only(want string) error {
	for code, n := range l.codes {
		if code != want {
			return fmt.Errorf("%.0f of %.0f answers are %s", n, l.completed, code)
		}
	}
	return nil
}
