package publish

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk: where the serials cannot be saved because the disk is full, all is served, and
// that is logged once, over reloads too, until they can be saved.
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
	full := 0
	reload := func(definitions string) {
		t.Helper()
		p, log := newPublisher(t, configOf(block+dir+"/serials\n"+definitions+"}", "the server"))
		if err := p.Load(); err != nil {
			t.Errorf("%v, want none", err)
		}
		p.keepSerials()
		p.closeSerials()
		if p.Table() == nil {
			t.Error("nothing is served")
		}
		full += strings.Count(strings.Join(log.errors, "\n"), "no space left on device")
	}
	logged := func(want int) {
		t.Helper()
		if full != want {
			t.Errorf("logged %d times that the disk is full, want %d", full, want)
		}
	}
	reload("")
	logged(1)
	reload("host a 192.0.2.1\n")
	logged(1)
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	reload("") // there is room for one file, not for the next draft of it
	logged(1)
	reload("host a 192.0.2.1\n")
	logged(2)
}
