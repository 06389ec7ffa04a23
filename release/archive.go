package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// platform writes the archive of what is built for a platform and, for Linux, the Debian package to dist.
func (e edition) platform(p platform) error {
	files, err := contents(p)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("mxsrv-%s-%s", strings.TrimPrefix(e.version, "v"), p)
	if err := pack(filepath.Join(dist, name+".tar.gz"), name, files, e.date); err != nil || p.os != "linux" {
		return err
	}
	return e.deb(p.arch, files, p.folder()+".deb", dist)
}

// contents returns the files of an archive, by their paths in it: what is built, what the manual refers to.
func contents(p platform) (map[string]string, error) {
	files := map[string]string{}
	for _, dir := range []string{p.folder(), share} {
		err := filepath.WalkDir(dir, func(path string, f os.DirEntry, err error) error {
			if err == nil && !f.IsDir() {
				name, _ := filepath.Rel(dir, path) // path begins with dir
				files[name] = path
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if err := addPages(files); err != nil {
		return nil, err
	}
	list := exec.Command("git", "ls-files", "README.md", "LICENSE", "CHANGELOG.md", "docs", "examples", "contrib")
	list.Dir, list.Stderr = top, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	for _, name := range strings.Fields(string(out)) {
		files[name] = filepath.Join(top, name)
	}
	return files, nil
}

// addPages adds the man pages of CoreDNS and its plugins.
func addPages(files map[string]string) error {
	pages, err := filepath.Glob(coredns + "/man/*.[1-9]")
	for _, page := range pages {
		files["man/man"+filepath.Ext(page)[1:]+"/"+filepath.Base(page)] = page
	}
	return err
}

// pack writes an archive of files below a folder. It has the same octets for the same files, by the same Go.
func pack(archive, folder string, files map[string]string, date time.Time) (err error) {
	if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
		return err
	}
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(out)
	w := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		err = errors.Join(err, add(w, folder+"/"+filepath.ToSlash(name), files[name], date))
	}
	return errors.Join(err, w.Close(), zipped.Close(), out.Close())
}

// add writes a file to an archive: it is root's, and may be executed or not. Nothing else of the file's state counts.
func add(w *tar.Writer, name, file string, date time.Time) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, Size: info.Size(), Mode: int64(modeOf(info)), ModTime: date, Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

// modeOf returns the mode of a file in a release: all may read it, and may execute it if its owner may here.
func modeOf(info os.FileInfo) os.FileMode {
	if info.Mode()&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

// writeSums writes SHA256SUMS of the files in a folder, as "sha256sum --check" reads it.
func writeSums(dir string) error {
	files, err := os.ReadDir(dir) // sorted
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, f := range files {
		sum := sha256.New()
		in, err := os.Open(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		_, err = io.Copy(sum, in)
		if err = errors.Join(err, in.Close()); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum.Sum(nil), f.Name())
	}
	return write(filepath.Join(dir, "SHA256SUMS"), sums.String())
}
