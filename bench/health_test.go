package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

// TestBeside: all checkers are up, see what fails, and the table has a figure for each.
func TestBeside(t *testing.T) {
	dir := healthServer(t, "gdnsd", "pdns_server")
	c := newComparison(quickHealth, checkers())
	c.limit = time.Minute
	c.checkers = append(c.checkers[:1], c.checkers[2:]...) // without the one that needs ten failures
	if err := c.run(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	c.write(&b)
	t.Log("\n" + b.String())
	for _, s := range c.checkers {
		for _, p := range c.pools {
			if answers := s.answers(p); len(answers) == 0 || len(answers[0].addrs) == 0 {
				t.Errorf("%s: %s: %v", s.name, p.name, answers)
			}
		}
		if n := len(s.hidden(c, refusing)) + len(s.hidden(c, silent)); n != 2 || s.last(c.pool(none)) != "all" {
			t.Errorf("%s: %d of 2 failures are seen; the last answer with all that is up: %s", s.name, n, s.last(c.pool(none)))
		}
		if median(s.probes) <= 0 {
			t.Errorf("%s: %.0f probes a minute", s.name, median(s.probes))
		}
	}
	if own := c.checkers[0]; own.first(c.pool(dead)) != "all" || own.last(c.pool(dead)) != withoutFirst ||
		own.last(c.pool(allDead)) != "all" {
		t.Errorf("mxsrv:\n%s", b.String())
	}
}

// healthServer returns a directory with the server. The test is skipped if there is none of some programs.
func healthServer(t *testing.T, programs ...string) string {
	t.Helper()
	for _, p := range append(programs, "taskset") {
		rig.Peer(t, p)
	}
	dir := t.TempDir()
	if _, err := rig.Build(dir, serverPackage); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCheckCost: each kind of check works, and has figures.
func TestCheckCost(t *testing.T) {
	dir := healthServer(t, "dnsperf", "stdbuf")
	p := quickHealth
	p.targets, p.every = 200, time.Second
	c, err := newCheckCost(p, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	var demands table
	err = errors.Join(demands.cost(t.Context(), c), demands.load(t.Context(), c))
	if err != nil || len(demands) != 3 {
		t.Fatal(err, demands)
	}
	for _, k := range c.kinds {
		if probed := k.median("probes") > 0; probed != (k.check != "") || k.median("descriptors") > maxDescriptors {
			t.Errorf("%s: %v", k.name, k.figures)
		}
		state, _ := os.ReadFile(k.path("verdicts"))
		if up := strings.Contains(string(state), "\nup\t"); up == (k.check == "" || k.name == silentChecks) {
			t.Errorf("%s: targets are up: %t", k.name, up)
		}
	}
}

// TestVerdicts: what takes a target down is in the answers of all names.
func TestVerdicts(t *testing.T) {
	dir := healthServer(t)
	p := quickHealth
	p.names = []int{50}
	var figures table
	if err := figures.verdicts(t.Context(), dir, p); err != nil || len(figures) != 2 {
		t.Fatal(err, figures)
	}
}

// TestBackend: backends count connections by port, and refuse or ignore others when they are told to.
func TestBackend(t *testing.T) {
	var ports []int
	for range 2 {
		port, err := rig.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	b := &backend{addr: "127.0.63.1"}
	b.setPorts(ports)
	defer b.close()
	dial := func() error {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("%s:%d", b.addr, ports[1]), 500*time.Millisecond)
		if err == nil {
			conn.Close()
		}
		return err
	}
	for _, step := range []struct {
		about string
		do    func() error
		want  string
	}{
		{"listens", b.listen, "<nil>"},
		{"silent", b.silence, "i/o timeout"},
		{"closed", func() error { b.close(); return nil }, "refused"},
		{"listens again", b.listen, "<nil>"},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(dial()); !strings.Contains(got, step.want) {
			t.Errorf("%s: %s, want %s", step.about, got, step.want)
		}
	}
	rig.Eventually(t, "two connections to the second port", func() bool { return b.probes[1].Load() == 2 && b.probes[0].Load() == 0 })
}
