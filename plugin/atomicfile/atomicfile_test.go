package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"one", "another"} {
		if err := atomicfile.Write(path, 0o640, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v, want %q", got, err, text)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	only(t, dir, "file")
}

// TestWriteFails: what was there stays, and nothing is left beside it.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "directory")
	if err := os.MkdirAll(filepath.Join(path, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, 0o600, nil); err == nil {
		t.Error("a directory is replaced")
	}
	only(t, dir, "directory")
	if err := atomicfile.Write(filepath.Join(dir, "none", "file"), 0o600, nil); err == nil {
		t.Error("there is a file in a directory that does not exist")
	}
}

func only(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("%v, %v, want only %s", entries, err, name)
	}
}

// TestRealPath: one file has one path, whether it is there or not.
func TestRealPath(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for link, to := range map[string]string{"here": ".", "to-file": "file"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"file": dir + "/file", "here/./file": dir + "/file", "to-file": dir + "/file", dir + "/here/to-file": dir + "/file",
		"here/none": dir + "/none", "none/file": dir + "/none/file",
	} {
		if got := atomicfile.RealPath(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
