package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source/file"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// readFlags say how definitions are read.
type readFlags struct {
	root  string   // directory of relative paths in a Corefile; "": that of the Corefile
	zones []string // of the relative names in definitions files
}

const defaultCorefile = "Corefile"

func (f *readFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.root, "root", "", "the `DIR` where CoreDNS is started, for relative paths in a Corefile (default that of the Corefile)")
	c.Flags().StringArrayVar(&f.zones, "zone", nil, "the `ZONE` of the relative names in a definitions file; repeat it for several")
}

// served is what one server block serves, or what some definitions files declare together.
type served struct {
	name     string // of the file
	zones    definition.Zones
	passed   definition.Zones // in which undeclared names go to the next plugin
	index    *definition.Index
	findings []lint.Finding
	excluded []lint.Finding // the errors of fragments in etcd that are not served
}

func newServed(name string, opt lint.Options, index *definition.Index, findings []lint.Finding) *served {
	return &served{name: name, zones: opt.Zones, passed: opt.Fallthrough, index: index, findings: findings}
}

func (s *served) compile() *table.Table {
	return table.Compile(s.index, table.Options{Zones: s.zones, Fallthrough: s.passed, Serial: 1})
}

// read reads Corefiles, each server block by itself, and definitions files, all together.
func (f *readFlags) read(u *ui, paths []string) ([]*served, error) {
	var all []*served
	var files []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, hint.Add(pathError(path, err), "mxsrv check PATH/TO/Corefile")
		}
		if !isCorefile(path, text) {
			files = append(files, path)
			continue
		}
		blocks, err := f.corefile(u, path, text)
		if err != nil {
			return nil, err
		}
		all = append(all, blocks...)
	}
	if len(files) > 0 {
		s, err := f.files(u, files)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// readValid is read of what must have no errors.
func (f *readFlags) readValid(u *ui, paths []string) ([]*served, error) {
	all, err := f.read(u, paths)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, s := range all {
		for _, finding := range s.findings {
			if finding.Rule.Severity == lint.Error {
				lines = append(lines, format(finding))
			}
		}
	}
	if lines != nil {
		return nil, hint.Add(errors.New(strings.Join(lines, "\n")), "mxsrv check %s", all[0].name)
	}
	return all, nil
}

// pathError returns "PATH: what is wrong".
func pathError(path string, err error) error {
	if e := new(fs.PathError); errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("%s: %v", path, err)
}

// placeholder is the zone of relative names if no zone is given.
const placeholder = "example.com."

// files reads definitions files together.
func (f *readFlags) files(u *ui, paths []string) (*served, error) {
	name := strings.Join(paths, " ")
	zones, err := f.parseZones()
	if err != nil {
		return nil, err
	}
	guessed := len(zones) == 0
	if guessed {
		u.note("%s: relative names are taken to be in %s; use --zone for another zone", name, placeholder)
		zones = definition.Zones{placeholder}
	}
	from := &file.Source{Zones: zones}
	for _, path := range paths {
		from.Patterns = append(from.Patterns, file.Pattern{Pos: definition.Pos{Source: path, Line: 1}, Path: path})
	}
	set, errs := from.Load().Read()
	opt := lint.Options{Zones: zones, Pos: from.Patterns[0].Pos}
	index := set.Index()
	findings := lint.Check(index, errs, opt)
	if guessed {
		findings = slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Rule.ID == "owner-outside-zone" })
	}
	return newServed(name, opt, index, findings), nil
}

// parseZones returns the zones of --zone.
func (f *readFlags) parseZones() (definition.Zones, error) {
	var zones definition.Zones
	for _, word := range f.zones {
		zone, err := parseZone(word)
		if err != nil {
			return nil, err
		}
		zones = append(zones, zone)
	}
	return zones, nil
}

func parseZone(word string) (definition.Name, error) {
	zone, err := definition.ParseName(word, ".")
	if err != nil {
		return "", hint.Add(fmt.Errorf("zone %v", err), "--zone example.org")
	}
	return zone, nil
}

// firstOf joins the first few of some words, and says how many more there are.
func firstOf(words []string, last string) string {
	const few = 4
	if more := len(words) - few; more > 0 {
		return fmt.Sprintf("%s%s%d more", strings.Join(words[:few], ", "), last, more)
	}
	return strings.Join(words, ", ")
}

func listZones(zones definition.Zones) string { return firstOf(texts(zones), ", and ") }
