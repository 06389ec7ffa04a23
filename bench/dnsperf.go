package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

const queryFile = "queries"

// A load is what dnsperf prints of a turn.
type load struct {
	completed, lost float64
	seconds         float64
	latency         float64            // average, in seconds
	codes           map[string]float64 // answers by rcode
	busy            float64            // the part of its core that dnsperf took
}

func (l load) rate() float64 { return l.completed / l.seconds }

// dnsperf asks as fast as the server answers, unless options say otherwise, with 100
// queries under way. Answers with another rcode than the wanted one are an error.
func dnsperf(ctx context.Context, s site, want string, span time.Duration, options ...string) (load, error) {
	args := []string{"-c", dnsperfCore, "dnsperf", "-s", "127.0.0.1", "-p", fmt.Sprint(s.port), "-d", queryFile,
		"-t", "1", "-l", fmt.Sprintf("%.2f", span.Seconds())}
	cmd := exec.CommandContext(ctx, "taskset", append(args, options...)...)
	cmd.Dir = s.dir
	began := time.Now()
	p, err := rig.Start(cmd)
	if err != nil {
		return load{}, err
	}
	<-p.Exited()
	took := time.Since(began)
	l, err := parseLoad(p.String())
	if usage, ok := p.ProcessState.SysUsage().(*syscall.Rusage); ok {
		l.busy = time.Duration(usage.Utime.Nano()+usage.Stime.Nano()).Seconds() / took.Seconds()
	}
	if err == nil {
		err = l.only(want)
	}
	return l, err
}

var (
	statistic = regexp.MustCompile(
		`(?m)^ +(Queries completed|Queries lost|Run time|Average Latency)(?: \(s\))?: +([0-9.]+)`)
	code = regexp.MustCompile(`([A-Z0-9]+) ([0-9]+) \([0-9.]+%\)`)
)

// parseLoad reads the statistics that dnsperf prints at the end.
func parseLoad(out string) (load, error) {
	figures := map[string]float64{}
	for _, found := range statistic.FindAllStringSubmatch(out, -1) {
		figures[found[1]], _ = strconv.ParseFloat(found[2], 64)
	}
	l := load{completed: figures["Queries completed"], lost: figures["Queries lost"], seconds: figures["Run time"],
		latency: figures["Average Latency"], codes: map[string]float64{}}
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

// only returns an error if there is an answer with another rcode than the wanted one.
func (l load) only(want string) error {
	for code, n := range l.codes {
		if code != want {
			return fmt.Errorf("%.0f of %.0f answers are %s", n, l.completed, code)
		}
	}
	return nil
}

const watchedRate = 2000 // queries a second

// watched is what dnsperf prints of each answer, with the time when it did.
type watched struct {
	answers []answered
	lost    int // without an answer, or with another rcode than NOERROR
	rest    []byte
	now     func() time.Time
}

type answered struct {
	at      time.Time
	latency float64 // seconds
}

// watch asks at a constant rate until ctx ends.
func watch(ctx context.Context, s site) (*watched, error) {
	// The time of an answer is that of its line, so dnsperf must not keep lines back.
	cmd := exec.Command("stdbuf", "-oL", "dnsperf", "-s", "127.0.0.1", "-p", fmt.Sprint(s.port),
		"-d", queryFile, "-Q", fmt.Sprint(watchedRate), "-l", "600", "-v")
	w := &watched{now: time.Now}
	cmd.Dir, cmd.Stdout = s.dir, w
	p, err := rig.Start(cmd)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		p.Signal(os.Interrupt) // it prints what it has
	case <-p.Exited():
	}
	if code, err := p.Wait(rig.Limit); code != 0 || err != nil {
		return nil, fmt.Errorf("dnsperf: %v, exit status %d: %s", err, code, p)
	}
	return w, nil
}

// Write takes lines like "> NOERROR example.org MX 0.000123"; in place of the rcode a
// lost query has T, and one that dnsperf waited for when it was stopped I.
func (w *watched) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.rest = rest
		switch f := strings.Fields(string(line)); {
		case len(f) < 5 || f[0] != ">" || f[1] == "I":
		case f[1] != "NOERROR":
			w.lost++
		default:
			latency, _ := strconv.ParseFloat(f[4], 64)
			w.answers = append(w.answers, answered{w.now(), latency})
		}
	}
}

// between returns the latencies of what was answered between two times.
func (w *watched) between(from, to time.Time) []float64 {
	var latencies []float64
	for _, a := range w.answers {
		if a.at.After(from) && a.at.Before(to) {
			latencies = append(latencies, a.latency)
		}
	}
	return latencies
}
