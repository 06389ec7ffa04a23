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
			s := start(t, dir, withEtcd(t, dir, read(t, corefile)))
			if log := s.String(); strings.Contains(log, "[WARNING] plugin/mxsrv") {
				t.Errorf("an example with warnings:\n%s", log)
			}
			check(t, s, read(t, filepath.Join(dir, "answers.txt")))
		})
	}
}

// withEtcd returns a Corefile that asks a cluster which has the definitions beside it,
// if it asks any.
func withEtcd(t *testing.T, dir, corefile string) string {
	t.Helper()
	const usual = "etcd 127.0.0.1:2379"
	if !strings.Contains(corefile, usual) {
		return corefile
	}
	c := startCluster(t)
	paths, err := filepath.Glob(filepath.Join(dir, "definitions/*.conf"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no definitions", err)
	}
	for _, path := range paths {
		c.do(put(strings.TrimSuffix(filepath.Base(path), ".conf"), read(t, path)))
	}
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	return strings.NewReplacer(usual, "etcd "+c.endpoints(), "example.com.snapshot", snapshot).Replace(corefile)
}

func TestEmbeddedExample(t *testing.T) {
	s := start(t, t.TempDir(), read(t, "../cmd/internal/example/Corefile"))
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
