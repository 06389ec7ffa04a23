package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples runs every example and the embedded one, and asks what their
// answers.txt holds.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../examples/*/Corefile")
	if err != nil || len(dirs) < 10 {
		t.Fatalf("%d examples found, want at least 10 (%v)", len(dirs), err)
	}
	for _, corefile := range dirs {
		dir := filepath.Dir(corefile)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			s := start(t, dir, read(t, corefile))
			if log := s.log.String(); strings.Contains(log, "[WARNING] plugin/mxsrv") {
				t.Errorf("an example with warnings:\n%s", log)
			}
			check(t, s, read(t, filepath.Join(dir, "answers.txt")))
		})
	}
}

func TestEmbeddedExample(t *testing.T) {
	s := start(t, t.TempDir(), read(t, "../cmd/coredns/example.corefile"))
	check(t, s, read(t, "testdata/embedded.txt"))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
