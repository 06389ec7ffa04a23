// Package rig has what the benchmarks do before they begin.
package rig

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// A Program is one that a benchmark runs, and the package of Debian that has it.
type Program struct{ Name, Package string }

// What some benchmark runs.
var (
	Dnsperf = Program{"dnsperf", "dnsperf"}
	Etcd    = Program{"etcd", "etcd-server"}
	Stdbuf  = Program{"stdbuf", "coreutils"}
	Taskset = Program{"taskset", "util-linux"}
)

// Need reports the first program that the machine lacks.
func Need(programs ...Program) error {
	for _, p := range programs {
		if _, err := exec.LookPath(p.Name); err != nil {
			return fmt.Errorf("%s is missing: apt-get install %s", p.Name, p.Package)
		}
	}
	return nil
}

// Build builds the CoreDNS of the benchmarks, as "server" in a directory.
func Build(dir string) error {
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "server"), "github.com/mxsrv/mxsrv/bench/server")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, out)
	}
	return nil
}
