package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// deb writes a Debian package of the files of an archive to a folder. deb/nfpm.yaml says what else is in it. It is made
// in the folder root, which is to be empty.
func (e edition) deb(arch string, files map[string]string, root, dir string) error {
	if err := e.stage(root, files); err != nil {
		return err
	}
	version := debVersion(e.version)
	c := exec.Command("go", "tool", "nfpm", "package", "--config", "deb/nfpm.yaml", "--packager", "deb",
		"--target", filepath.Join(dir, fmt.Sprintf("mxsrv_%s_%s.deb", version, arch)))
	c.Stdout, c.Stderr = os.Stderr, os.Stderr // errors are on both
	c.Env = append(os.Environ(), "VERSION="+version, "ARCH="+arch, "ROOT="+root,
		"MAINTAINER="+maintainer, fmt.Sprint("SOURCE_DATE_EPOCH=", e.date.Unix()))
	return c.Run()
}

// stage writes the files of a package to a folder, but for those that are below deb.
func (e edition) stage(root string, files map[string]string) error {
	for name, file := range files {
		if err := copyTo(filepath.Join(root, debPath(name)), file); err != nil {
			return err
		}
	}
	if err := writeZipped(filepath.Join(root, docs, "changelog.gz"), []byte(e.debChangelog())); err != nil {
		return err
	}
	return errors.Join(
		joinTo(filepath.Join(root, "etc/coredns/Corefile"), "deb/Corefile.head", "../cmd/internal/example/Corefile"),
		joinTo(filepath.Join(root, "usr/lib/systemd/system/coredns.service"), "../docs/deploy/coredns.service"))
}

// joinTo writes a file that is others one after the other. Where these say /usr/local/bin, Debian has /usr/bin.
func joinTo(to string, from ...string) error {
	var text strings.Builder
	for _, name := range from {
		part, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text.Write(part)
	}
	return writeMode(to, strings.ReplaceAll(text.String(), "/usr/local/bin/", "/usr/bin/"), 0o644)
}

// writeMode writes a file with a mode, whatever the umask.
func writeMode(to, text string, mode os.FileMode) error {
	return errors.Join(write(to, text), os.Chmod(to, mode))
}

const docs = "usr/share/doc/mxsrv"

// debPaths are the files of an archive that have another name in Debian.
var debPaths = map[string]string{
	"coredns":                "usr/bin/coredns",
	"mxsrv":                  "usr/bin/mxsrv",
	"completions/mxsrv.bash": "usr/share/bash-completion/completions/mxsrv",
	"completions/_mxsrv":     "usr/share/zsh/vendor-completions/_mxsrv",
	"completions/mxsrv.fish": "usr/share/fish/vendor_completions.d/mxsrv.fish",
}

// debPath returns where Debian has a file of an archive.
func debPath(name string) string {
	if strings.HasPrefix(name, "man/") {
		return "usr/share/" + name + ".gz"
	}
	return cmp.Or(debPaths[name], docs+"/"+name)
}

// copyTo copies a file, and zips it if it is to be called so. Of its mode only counts whether it may be executed.
func copyTo(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if filepath.Ext(to) == ".gz" {
		return writeZipped(to, text)
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	return writeMode(to, string(text), modeOf(info))
}

func writeZipped(to string, text []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	z.Write(text) // to memory
	z.Close()
	return writeMode(to, b.String(), 0o644)
}

// afterTag is what git describe writes after a tag: the number of commits, and a hash.
var afterTag = regexp.MustCompile(`^[0-9]+-g[0-9a-f]+`)

// debVersion returns how dpkg writes a version, so that it sorts as it is meant: v0.1.0-rc1 before v0.1.0, and that
// before v0.1.0-5-g1f2dacb, which is five commits after it.
func debVersion(version string) string {
	base, rest, ok := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	if !ok {
		return base
	}
	sign := "~"
	if afterTag.MatchString(rest) {
		sign = "+"
	}
	return base + sign + strings.ReplaceAll(rest, "-", ".")
}

// debChangelog returns the changelog that Debian wants of a package.
func (e edition) debChangelog() string {
	return fmt.Sprintf(`mxsrv (%s) unstable; urgency=medium

  * See CHANGELOG.md in this folder.

 -- %s  %s
`, debVersion(e.version), maintainer, e.date.Format(time.RFC1123Z))
}

const maintainer = "mxsrv maintainers <mxsrv@users.noreply.github.com>"
