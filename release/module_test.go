package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// TestModule: what "go install" gets of the commit is a module without those below it, with all that both commands need.
func TestModule(t *testing.T) {
	m := module.Version{Path: "github.com/mxsrv/mxsrv", Version: test.version}
	tree, dir := t.TempDir(), filepath.Join(t.TempDir(), "module")
	run(t, top, "sh", "-c", `git archive HEAD | tar -x -C "$0"`, tree)
	var zipped bytes.Buffer
	if err := zip.CreateFromDir(&zipped, m, tree); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(tree, "module.zip")
	if err := write(archive, zipped.String()); err != nil {
		t.Fatal(err)
	}
	if err := zip.Unzip(dir, m, archive); err != nil {
		t.Fatal(err)
	}
	others := strings.Fields(string(run(t, top, "git", "ls-files", "*/go.mod")))
	if len(others) < 4 {
		t.Errorf("there are the modules %v below it, want at least four", others)
	}
	for _, other := range others {
		if folder := filepath.Dir(other); fileExists(filepath.Join(dir, folder)) {
			t.Errorf("it has %s", folder)
		}
	}
	run(t, dir, "go", "list", "-deps", "-mod=readonly", "./cmd/mxsrv", "./cmd/coredns")
	if edit := run(t, dir, "go", "mod", "edit", "-print"); bytes.Contains(edit, []byte("\nreplace ")) {
		t.Errorf("\"go install\" refuses a go.mod with replace\n%s", edit)
	}
}

func fileExists(file string) bool {
	_, err := os.Stat(file)
	return !os.IsNotExist(err)
}

// run returns what a command says.
func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, out)
	}
	return out
}
