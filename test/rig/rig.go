// Package rig starts what whole-server tests and benchmarks need: processes, etcd, and
// connections that can be cut.
//
// What takes a testing.TB cleans up after the test, and ends it if something goes
// wrong; the rest returns errors, for programs. Every wait has a deadline, and every
// child ends with the process that started it, also if that panics or is killed.
package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Limit is how long anything may take that must come. It is no measure of speed: what
// takes longer does not come at all.
const Limit = 2 * time.Minute

// Build builds the program of a package into a directory, with some flags, and returns
// its path.
func Build(dir, pkg string, flags ...string) (string, error) {
	path := filepath.Join(dir, filepath.Base(pkg))
	args := append(append([]string{"build", "-o", path}, flags...), pkg)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %v\n%s", pkg, err, out)
	}
	return path, nil
}

// Installed reports whether the machine has a program, and remembers for the line of
// Tests if it does not. Where peers are required, which
// MXSRV_REQUIRE_PEERS says, it is an error if it does not.
func Installed(program string) (bool, error) {
	_, err := exec.LookPath(program)
	if err != nil && os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
		return false, fmt.Errorf("%s is not installed", program)
	} else if err != nil {
		note(program + " is not installed")
	}
	return err == nil, nil
}

// Peer returns the path of a program that the machine may not have. Without it the test
// is skipped, or fails where peers are required.
func Peer(t testing.TB, program string) string {
	t.Helper()
	if there, err := Installed(program); err != nil {
		t.Fatal(err)
	} else if !there {
		t.Skipf("%s is not installed", program)
	}
	path, _ := exec.LookPath(program)
	return path
}

// Eventually waits until something is so that nothing tells of.
func Eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Limit); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: not so: %s", Limit, what)
		}
	}
}
