package publish

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk: where the serials cannot be saved because the disk is full, all is served, and
// that is logged.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4k"); err != nil {
		t.Skip("there can be no small file system: ", err)
	}
	defer syscall.Unmount(dir, 0)
	if err := os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	const block = "mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n serials "
	p, log := newPublisher(t, configOf(block+dir+"/serials\n}", "the server"))
	if err := p.Load(); err != nil {
		t.Errorf("%v, want none", err)
	}
	if p.Table() == nil {
		t.Error("nothing is served")
	}
	if got := strings.Join(log.errors, "\n"); !strings.Contains(got, "no space left on device") {
		t.Errorf("logged %q", got)
	}
}
