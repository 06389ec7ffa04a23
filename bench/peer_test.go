package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/mxsrv/mxsrv/bench/rig"
)

// TestPeers: every peer serves the declared records of its smallest workload,
// and signed ones where it can.
func TestPeers(t *testing.T) {
	if _, err := exec.LookPath("taskset"); err != nil {
		t.Skip("taskset is not installed")
	}
	for _, p := range missing() {
		if os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
			t.Fatalf("%s is not installed", p.program)
		}
		t.Logf("%s is not installed", p.program)
	}
	dir := t.TempDir()
	if err := rig.Build(dir); err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	all, err := contests("MX 2,MX 2 prometheus+errors,MX 2 log+errors,address,next,signed", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		sites, err := c.prepare(dir, port)
		if err != nil {
			t.Fatal(err)
		}
		for i, one := range c.contenders {
			t.Run(c.name+" "+one.name, func(t *testing.T) { serves(t, one, c.workload, sites[i]) })
		}
		if err := c.sameAsFixed(); err != nil {
			t.Error(err)
		}
	}
}

func serves(t *testing.T, one *contender, w *workload, s site) {
	servers, err := one.start(t.Context(), s)
	defer func() {
		for _, p := range servers {
			p.stop()
		}
	}()
	if err != nil {
		t.Fatal(err)
	}
	if err := one.checked(servers[0], w, s); err != nil {
		t.Fatal(err)
	}
	if servers[0].cpu() <= 0 || servers[0].memory("VmRSS") <= 0 {
		t.Errorf("%s of processor time and %.0f octets of memory", servers[0].cpu(), servers[0].memory("VmRSS"))
	}
}
