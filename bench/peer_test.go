package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/mxsrv/mxsrv/test/rig"
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
	if _, err := rig.Build(dir, serverPackage); err != nil {
		t.Fatal(err)
	}
	port, err := rig.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"MX 2", "SRV 2", "MX 2 prometheus+errors", "MX 2 log+errors", "address", "next", "signed"}
	for _, w := range workloads {
		if !slices.Contains(names, w.name) {
			continue
		}
		c := newContest(&w, quickPlan)
		if err := c.prepare(dir, port); err != nil {
			t.Fatal(err)
		}
		for _, one := range c.contenders {
			t.Run(c.name+" "+one.name, func(t *testing.T) { serves(t, one, c.workload) })
		}
		if err := c.sameAnswers(); err != nil {
			t.Error(err)
		}
	}
}

func serves(t *testing.T, one *contender, w *workload) {
	r, err := one.start(t.Context(), one.site, w)
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	if err := one.check(r.server, w); err != nil {
		t.Fatal(err)
	}
	if spent, resident := cpu(r.processes()...), memory(r.server, "VmRSS"); spent <= 0 || resident < 1e6 {
		t.Errorf("%s of processor time and %.0f bytes of memory", spent, resident)
	}
}
