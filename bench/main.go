// Command bench compares mxsrv with plugins of CoreDNS, and prints tables in
// Markdown. It knows two benchmarks:
//
//	bench         how many answers a second
//	bench scale   time and memory with many records; see scale.go
//
// The first one compares servers that answer the same MX question with the same
// records: mxsrv, two plugins of CoreDNS that can do the same, and one that does
// nothing but write the answer.
//
// Every server is a process of its own on one core, with dnsperf on another.
// They take turns, round after round, so that what else happens on the machine
// hits all of them; ratios are taken within a round, for the same reason.
//
// # Limitations
//
// Questions come over loopback and are all the same: the figures say what an
// answer costs, not what a network card or a large zone does.
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
)

var (
	rounds  = flag.Int("rounds", 5, "how often each server has its turn")
	seconds = flag.Int("seconds", 5, "how long a turn is")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	benchmark := run
	switch flag.Arg(0) {
	case "":
	case "scale":
		benchmark = runScale
	default:
		fmt.Fprintf(os.Stderr, "bench: no benchmark %q: write scale, or nothing\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := benchmark(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	return prepared(ctx, func(dir string, port int) error {
		if err := write(dir, port); err != nil {
			return err
		}
		res, err := measure(ctx, dir, port)
		if err != nil {
			return err
		}
		res.print(os.Stdout)
		return nil
	})
}

// prepared runs a benchmark in a directory with the server, for a free port.
func prepared(ctx context.Context, benchmark func(dir string, port int) error) error {
	if err := required(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mxsrv-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, dir); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	return benchmark(dir, port)
}

// required reports what the machine lacks.
func required() error {
	if *rounds < 1 || *seconds < 1 {
		return fmt.Errorf("%d rounds of %d s: write at least 1 for both", *rounds, *seconds)
	}
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("one core: two are needed, for the server and for dnsperf")
	}
	for program, pkg := range map[string]string{"dnsperf": "dnsperf", "taskset": "util-linux", "stdbuf": "coreutils"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing: apt-get install %s", program, pkg)
		}
	}
	return nil
}

func build(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "server"), "github.com/mxsrv/mxsrv/bench/server")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, out)
	}
	return nil
}

// measure gives every contender its turn in each round. Each round starts with
// another one: nobody is always first after a pause.
func measure(ctx context.Context, dir string, port int) (*result, error) {
	res := &result{qps: make(map[string][]float64)}
	for round := range *rounds {
		for i := range contenders {
			c := contenders[(round+i)%len(contenders)]
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, *rounds, c.name)
			if err := res.turn(ctx, dir, port, c.name); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return res, nil
}

// turn measures one server, newly started: where its memory happens to lie is
// then part of the spread, and not of the result.
func (res *result) turn(ctx context.Context, dir string, port int, name string) error {
	s, err := start(pinned(ctx, dir, name))
	if err != nil {
		return err
	}
	defer s.stop()
	res.version = s.version
	if err := check(port); err != nil {
		return err
	}
	load, err := dnsperf(ctx, dir, port)
	if err != nil {
		return err
	}
	res.qps[name] = append(res.qps[name], load.qps)
	res.lost += load.lost
	return nil
}
