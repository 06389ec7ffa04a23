package atomicfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
)

// TestRead: what is no regular file, or too large, is refused at once.
func TestRead(t *testing.T) {
	sparse := func(size int64) func(string) error {
		return func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, size)
		}
	}
	for _, tc := range []struct {
		name string
		make func(path string) error
		want string // the content, or what the error has
	}{
		{"text", func(path string) error { return os.WriteFile(path, []byte("text"), 0o600) }, "text"},
		{"empty", sparse(0), ""},
		{"missing", func(string) error { return nil }, "open file: no such file or directory"},
		{"named pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "open file: no regular file"},
		{"device", func(path string) error { return os.Symlink("/dev/zero", path) }, "open file: no regular file"},
		{"directory", func(path string) error { return os.Mkdir(path, 0o700) }, "open file: is a directory"},
		{"an octet too large", sparse(1<<30 + 1), "open file: 1073741825 octets, of which a file may have at most 1073741824"},
		{"a sparse tebibyte", sparse(1 << 40), "open file: 1099511627776 octets, of which a file may have at most 1073741824"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := tc.make(path); err != nil {
				t.Fatal(err)
			}
			text, err := atomicfile.Read(path)
			got := string(text)
			if err != nil {
				got = err.Error()
			}
			if strings.ReplaceAll(got, path, "file") != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestReadAtMost: of a file that may have few octets none is read if it has more.
func TestReadAtMost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := atomicfile.ReadAtMost(path, 4); string(text) != "text" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	text, err := atomicfile.ReadAtMost(path, 3)
	if want := "4 octets, of which a file may have at most 3"; len(text) > 0 || fmt.Sprint(atomicfile.Cause(err)) != want {
		t.Errorf("%q, %v, want %s", text, err, want)
	}
}

// TestOtherVersion: the error says which mxsrv to start.
func TestOtherVersion(t *testing.T) {
	want := `version "3" of the format: this mxsrv reads up to 2: start the one that wrote the file, or a newer one`
	if err := atomicfile.OtherVersion("3", 2); err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := atomicfile.OtherVersion(strings.Repeat("3", 1<<20), 2); len(err.Error()) > len(want)+80 {
		t.Errorf("an error of %d octets", len(err.Error()))
	}
}

func TestCause(t *testing.T) {
	_, missing := atomicfile.Read(filepath.Join(t.TempDir(), "missing"))
	other := errors.New("other")
	for _, tc := range []struct{ err, want error }{
		{missing, syscall.ENOENT},
		{fmt.Errorf("wrapped: %w", missing), syscall.ENOENT},
		{other, other},
		{nil, nil},
	} {
		if got := atomicfile.Cause(tc.err); got != tc.want {
			t.Errorf("%v: cause %v, want %v", tc.err, got, tc.want)
		}
	}
}
