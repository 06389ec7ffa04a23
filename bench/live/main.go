// Command live measures what it costs that definitions are in etcd: how long a
// change takes to be in answers, what changes take from queries, what mxsrv has over
// the plugin etcd of CoreDNS, and what a hundred thousand fragments need. It prints a
// table in Markdown, and says of each demand whether it is met.
//
//	go run -C bench ./live                  everything, in less than four minutes
//	go run -C bench ./live -only latency    some parts, with commas between
//
// mxsrv, etcd and dnsperf are processes of their own. etcd shares the core of
// dnsperf; mxsrv may have both, but for the comparison with the plugin etcd, where
// servers have one core for themselves.
//
//	latency.go   changes one after another
//	queries.go   queries with and without changes, in turns
//	stock.go     mxsrv and the plugin etcd, in turns
//	large.go     many fragments: start, memory, changes, registrations, snapshot
//	instance.go  what is declared; fragments.go puts it into etcd
//	server.go    the servers; process.go, journal.go, ask.go, dnsperf.go
//	report.go    the table
//
// # Limitations
//
// All is on one machine: a network adds its own time to a change. etcd does not wait
// for its disk, so that no disk is measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/bench/rig"
)

var only = flag.String("only", "", "`parts` to run, with commas between: latency, queries, stock, large; all if left out")

var parts = map[string]func(*run) error{
	"latency": latency,
	"queries": queries,
	"stock":   stock,
	"large":   large,
}

// order is that of the table.
var order = []string{"latency", "queries", "stock", "large"}

// timeLimit is more than everything takes.
const timeLimit = 4 * time.Minute

// A run is what all parts need.
type run struct {
	context.Context
	dir   string // of everything that is written
	table table
}

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context) error {
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if err := required(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mxsrv-live-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := rig.Build(dir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	r := &run{Context: ctx, dir: dir}
	defer func() { r.table.write(os.Stdout) }() // what there is, if a part fails
	for _, part := range chosen {
		say("%s", part)
		if err := parts[part](r); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}

// choose returns the parts that some words name, in the order of the table.
func choose(words string) ([]string, error) {
	if words == "" {
		return order, nil
	}
	chosen := strings.Split(words, ",")
	for _, part := range chosen {
		if parts[part] == nil {
			return nil, fmt.Errorf("part %q: write some of %s", part, strings.Join(slices.Sorted(maps.Keys(parts)), ","))
		}
	}
	return slices.DeleteFunc(slices.Clone(order), func(part string) bool { return !slices.Contains(chosen, part) }), nil
}

// required reports what the machine lacks.
func required() error {
	return rig.Need(rig.Etcd, rig.Dnsperf, rig.Taskset)
}

var began = time.Now()

// say tells how far it is, with the time since the start.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
}
