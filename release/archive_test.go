package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPack: an archive has the same octets whatever the files are like apart from their content, and whoever packs them.
func TestPack(t *testing.T) {
	var archives [2][]byte
	for i, mode := range []os.FileMode{0o700, 0o755} {
		dir := t.TempDir()
		files := map[string]string{"b/run": filepath.Join(dir, "run"), "a.md": filepath.Join(dir, "text")}
		for _, file := range files {
			if err := write(file, filepath.Base(file)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, time.Time{}, time.Unix(int64(i), 0)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(files["b/run"], mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(files["a.md"], mode&0o644); err != nil {
			t.Fatal(err)
		}
		archive := filepath.Join(dir, "dist", "x.tar.gz")
		if err := pack(archive, "mxsrv-0.1.0", files, test.date); err != nil {
			t.Fatal(err)
		}
		var err error
		if archives[i], err = os.ReadFile(archive); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of the same content differ")
	}
	const want = "mxsrv-0.1.0/a.md 0644 0 root 2026-03-04 05:06:07: text\nmxsrv-0.1.0/b/run 0755 0 root 2026-03-04 05:06:07: run\n"
	if got := unpack(t, archives[0]); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func unpack(t *testing.T, archive []byte) (list string) {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if !zipped.ModTime.IsZero() || zipped.Name != "" {
		t.Errorf("gzip says %v, %q", zipped.ModTime, zipped.Name)
	}
	for r := tar.NewReader(zipped); ; {
		h, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list += fmt.Sprintf("%s %#o %d %s %s: %s\n", h.Name, h.Mode, h.Uid, h.Uname, h.ModTime.UTC().Format(time.DateTime), text)
	}
}

// TestSums: sha256sum reads them, and there is one for each file.
func TestSums(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b", "a"} {
		if err := write(filepath.Join(dir, name), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeSums(dir); err != nil {
		t.Fatal(err)
	}
	if out := run(t, dir, "sha256sum", "--check", "--strict", "SHA256SUMS"); string(out) != "a: OK\nb: OK\n" {
		t.Errorf("%s", out)
	}
}

func TestPlatform(t *testing.T) {
	if p, err := parsePlatform("linux/arm64"); err != nil || p.String() != "linux-arm64" {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := parsePlatform("linux"); fmt.Sprint(err) != `"linux" is no platform: write one like linux/amd64` {
		t.Error(err)
	}
}
