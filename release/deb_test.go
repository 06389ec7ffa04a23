package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var long = flag.Bool("long", false, "install what \"make release\" has made in a Debian: as before a release")

// TestDebVersion: dpkg sorts versions as they follow each other.
func TestDebVersion(t *testing.T) {
	versions := []string{
		"v0.0.0-20261126073450-a5fa7788a409", "v0.0.0-20261127073450-15fa7788a409", "v0.1.0-rc1",
		"v0.1.0-rc1-2-g15fa778", "v0.1.0-rc2", "v0.1.0", "v0.1.0-9-g15fa778", "v0.1.0-10-g05fa778",
		"v0.1.0-10-g05fa778-dirty", "v0.1.1", "v0.10.0", "v1.0.0",
	}
	for i, v := range versions[1:] {
		before, after := debVersion(versions[i]), debVersion(v)
		run(t, ".", "dpkg", "--validate-version", after)
		run(t, ".", "dpkg", "--compare-versions", before, "lt", after)
	}
}

// TestDeb: a package has the files of an archive where Debian has them, and the same octets whenever it is made.
func TestDeb(t *testing.T) {
	first, second := fakePackage(t, 0o700, 0o077), fakePackage(t, 0o775, 0o002)
	if run(t, ".", "cmp", first, second); filepath.Base(first) != "mxsrv_0.1.0_arm64.deb" {
		t.Errorf("it is called %s", filepath.Base(first))
	}
	list := string(run(t, ".", "env", "TZ=UTC", "dpkg-deb", "--contents", first))
	for _, want := range []string{
		"drwxr-xr-x root/root 2026-03-04 05:06 ./usr/share/man/man1/",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./etc/coredns/Corefile",
		"-rwxr-xr-x root/root 2026-03-04 05:06 ./usr/bin/coredns",
		"-rwxr-xr-x root/root 2026-03-04 05:06 ./usr/bin/mxsrv",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/lib/systemd/system/coredns.service",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/lib/sysusers.d/coredns.conf",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/share/bash-completion/completions/mxsrv",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/share/doc/mxsrv/README.md",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/share/doc/mxsrv/changelog.gz",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/share/doc/mxsrv/copyright",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/share/doc/mxsrv/docs/mail.md",
		"-rw-r--r-- root/root 2026-03-04 05:06 ./usr/share/man/man1/mxsrv.1.gz",
	} {
		if !slices.Contains(packaged(list), want) {
			t.Errorf("it lacks %s:\n%s", want, list)
		}
	}
	if got := string(run(t, ".", "dpkg-deb", "--info", first, "conffiles")); got != "/etc/coredns/Corefile\n" {
		t.Errorf("conffiles %q", got)
	}
}

// fakePackage makes a package of files that say their names, of which the binaries have a mode.
func fakePackage(t *testing.T, mode os.FileMode, umask int) string {
	t.Helper()
	defer syscall.Umask(syscall.Umask(umask))
	dir, files := t.TempDir(), map[string]string{}
	for name, mode := range map[string]os.FileMode{
		"coredns": mode, "mxsrv": mode, "man/man1/mxsrv.1": mode & 0o664, "completions/mxsrv.bash": mode & 0o664,
		"README.md": mode & 0o664, "docs/mail.md": mode & 0o664,
	} {
		files[name] = filepath.Join(dir, "built", name)
		if err := errors.Join(write(files[name], name), os.Chmod(files[name], mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := test.deb("arm64", files, filepath.Join(dir, "root"), dir); err != nil {
		t.Fatal(err)
	}
	return one(t, filepath.Join(dir, "*.deb"))
}

// packaged returns the mode, owner, date and path of each file of a package.
func packaged(contents string) (files []string) {
	for line := range strings.Lines(contents) {
		f := strings.Fields(line)
		files = append(files, strings.Join([]string{f[0], f[1], f[3], f[4], f[5]}, " "))
	}
	return files
}

func one(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v, want one (%v)", pattern, files, err)
	}
	return files[0]
}

// TestDebInstalled: a release is installed in a Debian that systemd boots, is asked, is broken, is upgraded and goes. It
// needs debootstrap, systemd-container and lintian.
func TestDebInstalled(t *testing.T) {
	if !*long {
		t.Skip("takes minutes, and what \"make release\" has made: run with -long")
	}
	p, dir := platform{"linux", runtime.GOARCH}, t.TempDir()
	files, err := contents(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v0.1.0", "v0.2.0"} {
		e := edition{version, test.date}
		if err := e.deb(p.arch, files, filepath.Join(dir, version), dir); err != nil {
			t.Fatal(err)
		}
	}
	old, newer := one(t, filepath.Join(dir, "mxsrv_0.1.0_*")), one(t, filepath.Join(dir, "mxsrv_0.2.0_*"))
	run(t, ".", "lintian", "--fail-on", "error,warning", old)
	run(t, ".", "deb/installed.sh", old, newer)
}
