// Command bench compares mxsrv with everything that serves the same records: with
// plugins of CoreDNS, with a plugin that writes one fixed message, and with
// NSD, Knot, BIND and dnsmasq. It writes a report in Markdown, with plots.
//
//	go run .            everything, in half an hour; the report is report.md here
//	go run . -quick     the same with few and short turns, in three minutes
//	go run . -only 'MX 2 errors,MX 6 prometheus+errors' -rounds 13
//
// Every server is a process of its own on one core, with dnsperf on another.
// They take turns, round after round, so that what else happens on the machine
// hits all of them; ratios are taken within a round, for the same reason.
//
//	workload.go   the table of workloads: what is asked
//	peer.go       the table of peers: who answers
//	records.go    what is declared, and written for each peer in its own way
//	rounds.go     turns of all peers; turn.go, dnsperf.go, process.go, check.go
//	demand.go     what has to come out
//	scale.go      start, memory, latency and changes with up to a million records
//	handler.go    the Go benchmarks of the handler alone
//	report.go     the report; plot.go, its plots
//	server        the CoreDNS with all that is compared
//	rig           what this and the benchmark in live do before they begin
//
// # Limitations
//
// Questions come over loopback: the figures say what an answer costs, not what a
// network card does. A server and the kernel's part of its work share one core.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/mxsrv/mxsrv/bench/rig"
)

var (
	quick = flag.Bool("quick", false, "few and short turns; the report goes to a new directory")
	only  = flag.String("only", "", "`workloads` to run, with commas between, such as 'MX 2 errors,SRV 40', and nothing else; all if left out")
	turns = flag.Int("rounds", 0, "`number` of rounds of each workload; 13 if left out, 1 with -quick")
	into  = flag.String("o", "", "`directory` of the report; this one if left out")
)

// whole takes 25 minutes on two cores, brief less than three.
var (
	whole = plan{span: 600 * time.Millisecond, rounds: 13, every: 4, heavy: 5, scaleRounds: 3, sizes: []int{1000, 10000, 100000, 1000000},
		benchtime: "0.3s", handlerRounds: 6}
	brief = plan{span: 300 * time.Millisecond, rounds: 1, every: 1, heavy: 1, scaleRounds: 1, sizes: []int{1000, 10000},
		benchtime: "50ms", handlerRounds: 1}
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if err := required(); err != nil {
		return err
	}
	target, err := directory()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mxsrv-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	rep, err := measured(ctx, dir)
	if err != nil {
		return err
	}
	if err := rep.write(target); err != nil {
		return err
	}
	say("the report is %s\n", filepath.Join(target, "report.md"))
	rep.demands(os.Stdout)
	return nil
}

// directory is where the report goes. One of few turns is never put in the place
// of a whole one unasked.
func directory() (string, error) {
	switch {
	case *into != "":
		return *into, os.MkdirAll(*into, 0o755)
	case *quick || *only != "" || *turns > 0:
		return os.MkdirTemp("", "mxsrv-bench-report-")
	default:
		return ".", nil
	}
}

// measured runs all there is.
func measured(ctx context.Context, dir string) (*report, error) {
	rep := &report{plan: whole, began: began}
	if *quick {
		rep.plan = brief
	}
	if *turns > 0 {
		rep.plan.rounds, rep.plan.heavy = *turns, *turns
	}
	all, err := contests(*only, *quick)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := rig.Build(dir); err != nil {
		return nil, err
	}
	for _, c := range all {
		if err := c.run(ctx, rep.plan, dir, port); err != nil {
			return nil, err
		}
	}
	rep.contests = all
	if *only == "" {
		rep.scale = newScale(rep.plan.sizes)
		if err := rep.scale.run(ctx, rep.plan.scaleRounds, dir, port); err != nil {
			return nil, err
		}
		say("handler")
		if rep.handler, err = benchHandler(ctx, rep.plan, dir); err != nil {
			return nil, err
		}
	}
	rep.versions = versions(filepath.Join(dir, "server"))
	rep.took = time.Since(rep.began)
	return rep, nil
}

var began = time.Now()

// say tells how far it is, with the time since the start.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
}
