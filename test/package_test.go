package test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageCorefile: what the Debian package serves as installed has no mistake, and is for this machine alone.
func TestPackageCorefile(t *testing.T) {
	corefile := read(t, "../release/deb/Corefile.head") + read(t, "../cmd/internal/example/Corefile")
	checkStrict(t, corefile)
	if !strings.Contains(corefile, "\nexample.com:1053 {\n    bind 127.0.0.1\n") || strings.Count(corefile, "\n}\n") != 1 {
		t.Error("it is served to others")
	}
	check(t, start(t, t.TempDir(), corefile), read(t, "testdata/embedded.txt"))
}

// checkStrict checks a Corefile, warnings and layout too.
func checkStrict(t *testing.T, corefile string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Corefile")
	write(t, file, corefile)
	for _, args := range [][]string{{"check", "--strict", file}, {"fmt", "-d", file}} {
		if out, err := exec.Command(buildTool(t), args...).CombinedOutput(); err != nil || args[0] == "fmt" && len(out) > 0 {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
}
