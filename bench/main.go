// Command bench compares mxsrv with everything that serves the same records: with
// plugins of CoreDNS, with a fixed-answer plugin, which writes the same message to every
// query, and with NSD, Knot, BIND and dnsmasq. It writes a report in Markdown, with plots.
//
//	go run .            everything, in 25 minutes; the report is report.md here
//	go run . -quick     the same with few and short turns, in three minutes
//	go run . -only 'MX 2 errors,MX 6 prometheus+errors' -rounds 13
//	go run . live       what it costs that definitions are in etcd, in four minutes
//	go run . domains    all that hangs on a hundred thousand mail domains, in ten minutes
//	go run . health     checks of targets, beside gdnsd and PowerDNS, in eight minutes
//
// Every server is a process of its own on one core, with dnsperf on another. They take
// turns, round after round, so that what else happens on the machine hits all of them;
// ratios are taken within a round, for the same reason.
//
//	workload.go   what is asked; records.go, what is declared, in the language of each peer
//	peer.go       who answers; corefile.go, daemon.go and sign.go, their files
//	contest.go    turns of all peers; ask.go, dnsperf.go, process.go
//	demand.go     what has to come out
//	scale.go      start, memory, latency and changes with up to a million records
//	handler.go    the Go benchmarks of the handler alone
//	report.go     the report; plot.go, its plots
//	live.go       mxsrv with etcd
//	domains.go    policies, keys and client discovery of many mail domains
//	health.go     what checks of targets cost; beside.go, others that check them; targets.go
//	server        the CoreDNS with all that is compared
//
// # Limitations
//
// Queries come over loopback: the figures say what an answer costs, not what a network
// card does. A server and the kernel's part of its work share one core.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

var (
	quick  = flag.Bool("quick", false, "few and short turns; the report goes to a new directory")
	only   = flag.String("only", "", "`parts`, with commas between: workloads, scale, handler; of live some, many; of domains one zone, 1000 zones; of health beside, cost, load, verdicts")
	rounds = flag.Int("rounds", 0, "`number` of rounds; by default 13, 3 of scale, and 1 with -quick")
	output = flag.String("o", "", "`directory` of the report; by default this one")
)

// A plan says how much is measured.
type plan struct {
	span        time.Duration // of a turn
	rounds      int
	every       int // one of so many rounds has peers that no demand of many rounds is about
	scaleRounds int
	sizes       []int
	benchTime   time.Duration
	benchCount  int
}

var (
	fullPlan = plan{span: 500 * time.Millisecond, rounds: 13, every: 6, scaleRounds: 3,
		sizes: []int{1000, 10000, 100000, 600000, 1000000}, benchTime: 200 * time.Millisecond, benchCount: 5}
	quickPlan = plan{span: 300 * time.Millisecond, rounds: 1, every: 1, scaleRounds: 1,
		sizes: []int{1000, 10000}, benchTime: 20 * time.Millisecond, benchCount: 1}
)

func main() {
	measure, args := compare, os.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "live":
			measure, args = live, args[1:]
		case "domains":
			measure, args = domains, args[1:]
		case "health":
			measure, args = health, args[1:]
		}
	}
	flag.CommandLine.Parse(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := prepared(ctx, measure); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// prepared measures in a directory that has the server and is removed at the end.
func prepared(ctx context.Context, measure func(ctx context.Context, dir string) error) error {
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("one core: two are needed, for the server and for dnsperf")
	}
	if err := need("dnsperf", "stdbuf", "taskset"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mxsrv-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, err := rig.Build(dir, serverPackage); err != nil {
		return err
	}
	return measure(ctx, dir)
}

const serverPackage = "github.com/mxsrv/mxsrv/bench/server"

// compare measures mxsrv and its peers, and writes the report.
func compare(ctx context.Context, dir string) error {
	rep := &report{plan: fullPlan, began: began}
	if *quick {
		rep.plan = quickPlan
	}
	if *rounds > 0 {
		rep.rounds, rep.scaleRounds = *rounds, *rounds
	}
	port, err := rig.FreePort()
	if err != nil {
		return err
	}
	steps, err := rep.steps(dir, port, *only)
	if err != nil {
		return err
	}
	target, err := directory()
	if err != nil {
		return err
	}
	if err := follow(ctx, steps); err != nil {
		return err
	}
	rep.versions, rep.took = versions(filepath.Join(dir, "server"), peers), time.Since(began)
	if err := rep.write(target); err != nil {
		return err
	}
	logf("the report is %s", filepath.Join(target, "report.md"))
	return rep.printDemands(os.Stdout)
}

// directory returns where the report goes: one of few turns is not put in the place of a
// full one unless -o says so.
func directory() (string, error) {
	switch {
	case *output != "":
		return *output, os.MkdirAll(*output, 0o755)
	case *quick || *only != "" || *rounds > 0:
		return os.MkdirTemp("", "mxsrv-bench-report-")
	default:
		return ".", nil
	}
}

// steps returns all that is to be measured, or some parts of it.
func (r *report) steps(dir string, port int, only string) ([]step, error) {
	names := []string{"scale", "handler"}
	for _, w := range workloads {
		names = append(names, w.name)
	}
	chosen, err := choose(only, names)
	if err != nil {
		return nil, err
	}
	var steps []step
	for i := range workloads {
		if w := &workloads[i]; slices.Contains(chosen, w.name) {
			c := newContest(w, r.plan)
			r.contests, steps = append(r.contests, c), append(steps, c.steps(r.plan, dir, port)...)
		}
	}
	if slices.Contains(chosen, "scale") {
		r.scale.sizes = r.sizes
		steps = append(steps, r.scale.steps(r.scaleRounds, dir, port)...)
	}
	if slices.Contains(chosen, "handler") {
		steps = append(steps, step{"handler", 60 * r.benchTime.Seconds() * float64(r.benchCount), r.benchHandler})
	}
	return steps, nil
}

// choose returns the names that are in a list with commas between, or all if it is empty.
func choose(list string, names []string) ([]string, error) {
	if list == "" {
		return names, nil
	}
	var chosen []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("no part %q: write some of %s", name, strings.Join(names, ", "))
		}
		chosen = append(chosen, name)
	}
	return chosen, nil
}

// A step is a part of a run.
type step struct {
	name    string
	seconds float64 // that it is expected to take
	do      func(context.Context) error
}

// follow takes steps, and tells how far it is.
func follow(ctx context.Context, steps []step) error {
	started, left, done := time.Now(), 0.0, 0.0
	for _, s := range steps {
		left += s.seconds
	}
	for _, s := range steps {
		pace := 1.0
		if done > 30 {
			pace = time.Since(started).Seconds() / done
		}
		logf("%s (about %.0f min left)", s.name, left*pace/60)
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		left, done = left-s.seconds, done+s.seconds
	}
	return nil
}

var began = time.Now()

// logf prints how it goes, with the time since the start.
func logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
}

// need returns an error that names the first program that is not installed.
func need(programs ...string) error {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return err
		}
	}
	return nil
}
