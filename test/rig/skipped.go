package rig

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// left is what the tests of this process leave out: it is for the process, as is the
// line that Tests prints.
var left struct {
	sync.Mutex
	skipped map[string]int // tests, by reason
	short   []string       // "TestX (how it is run in full)"
}

// Skip skips a test for a reason, and remembers that for the line of Tests.
func Skip(t testing.TB, reason string) {
	t.Helper()
	note(reason)
	t.Skip(reason)
}

func note(reason string) {
	left.Lock()
	defer left.Unlock()
	if left.skipped == nil {
		left.skipped = map[string]int{}
	}
	left.skipped[reason]++
}

// Short remembers for the line of Tests that a test is shorter than it can be, and how it
// is run in full.
func Short(t testing.TB, full string) {
	left.Lock()
	defer left.Unlock()
	left.short = append(left.short, fmt.Sprintf("%s (%s)", t.Name(), full))
}

// Tests are those of a package.
type Tests struct{ *testing.M }

// Run runs the tests, says in one line what they left out and why, and returns the exit
// code.
func (t Tests) Run() int {
	code := t.M.Run()
	if line := summary(left.skipped, left.short); line != "" {
		line = strings.TrimSuffix(filepath.Base(os.Args[0]), ".test") + ": " + line + "\n"
		if !tellGoTest(line) {
			fmt.Print(line)
		}
	}
	return code
}

// summary returns what is left out, or "".
func summary(skipped map[string]int, short []string) string {
	var parts, reasons []string
	n := 0
	for _, reason := range slices.Sorted(maps.Keys(skipped)) {
		n += skipped[reason]
		reasons = append(reasons, fmt.Sprintf("%s (%d)", reason, skipped[reason]))
	}
	if n > 0 {
		parts = append(parts, fmt.Sprintf("skipped %d tests: %s", n, strings.Join(reasons, ", ")))
	}
	if len(short) > 0 {
		parts = append(parts, "in short form: "+strings.Join(short, ", "))
	}
	return strings.Join(parts, "; ")
}

// tellGoTest writes to the standard error of the "go test" that runs this, and reports
// whether it could. What the tests of a package print, "go test ./..." does not show if
// they pass. Files are left alone: they are written by offset.
func tellGoTest(line string) bool {
	parent := fmt.Sprint("/proc/", os.Getppid())
	if name, _ := os.ReadFile(parent + "/comm"); strings.TrimSpace(string(name)) != "go" {
		return false
	}
	f, err := os.OpenFile(parent+"/fd/2", os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode()&(os.ModeCharDevice|os.ModeNamedPipe) == 0 {
		return false
	}
	_, err = f.WriteString(line)
	return err == nil
}
