package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licensesFile has the licenses of all that is in the binaries, which are to be passed on with these.
const licensesFile = "THIRD-PARTY-LICENSES"

var isLicense = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|copyright|notice|patents)([.-].*)?$`)

// writeLicenses writes the licenses of what the binaries for a platform are built from.
func (p platform) writeLicenses() error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	texts, err := licensesIn(filepath.Join(strings.TrimSpace(string(root)), "LICENSE"), "Go")
	for _, from := range []struct{ dir, pkg string }{{top, "./cmd/mxsrv"}, {coredns, "."}} {
		packages, listErr := p.packages(from.dir, from.pkg)
		err = errors.Join(err, listErr, texts.collect(packages))
	}
	if err != nil {
		return err
	}
	return write(filepath.Join(p.folder(), licensesFile), texts.String())
}

// A dependency is a package of a module of others.
type dependency struct{ module, root, dir string }

// packages returns what a package is built from, but for the standard library and mxsrv.
func (p platform) packages(dir, pkg string) (all []dependency, err error) {
	const format = `{{with .Module}}{{.Path}} {{.Version}}{{"\t"}}{{.Dir}}{{"\t"}}{{$.Dir}}{{end}}`
	c := exec.Command("go", "list", "-deps", "-f", format, pkg)
	c.Dir, c.Stderr, c.Env = dir, os.Stderr, p.env()
	out, err := c.Output()
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 && !strings.HasPrefix(f[0], "github.com/mxsrv/mxsrv ") {
			all = append(all, dependency{f[0], f[1], f[2]})
		}
	}
	return all, err
}

// licenses are those who have a text as theirs, by that text.
type licenses map[string]map[string]bool

func licensesIn(file, owner string) (licenses, error) {
	text, err := os.ReadFile(file)
	return licenses{strings.TrimSpace(string(text)): {owner: true}}, err
}

// collect adds the licenses in the folders of packages and above them in their modules. A module without one is an error.
func (l licenses) collect(packages []dependency) error {
	found := map[string]int{}
	seen := map[string]bool{}
	for _, d := range packages {
		for dir := d.dir; len(dir) >= len(d.root) && !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			n, err := l.addFrom(dir, d)
			if err != nil {
				return err
			}
			found[d.module] += n
		}
	}
	for module, n := range found {
		if n == 0 {
			return fmt.Errorf("%s has no license", module)
		}
	}
	return nil
}

// addFrom adds the licenses in a folder, and returns how many there are.
func (l licenses) addFrom(dir string, d dependency) (n int, err error) {
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if f.IsDir() || !isLicense.MatchString(f.Name()) || strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return n, err
		}
		text := strings.TrimSpace(string(content))
		if l[text] == nil {
			l[text] = map[string]bool{}
		}
		l[text][d.module+strings.TrimPrefix(dir, d.root)] = true
		n++
	}
	return n, err
}

// String returns each text after the names of those whose it is.
func (l licenses) String() string {
	var parts []string
	for text, owners := range l {
		head := strings.Join(slices.Sorted(maps.Keys(owners)), "\n")
		parts = append(parts, head+"\n\n"+text+"\n\n"+strings.Repeat("=", 80)+"\n\n")
	}
	slices.Sort(parts)
	return strings.Join(parts, "")
}
