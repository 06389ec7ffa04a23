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
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source/file"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// readFlags say how definitions are read.
type readFlags struct {
	root  string   // directory of relative paths in a Corefile; "": that of the Corefile
	zones []string // of the relative names in definitions files
	block string   // which of the server blocks for one zone, see choose; "": all
}

const defaultCorefile = "Corefile"

func (f *readFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.root, "root", "", "the `DIR` where CoreDNS is started, for relative paths in a Corefile (default that of the Corefile)")
	c.Flags().StringArrayVar(&f.zones, "zone", nil, "the `ZONE` of the relative names in a definitions file; repeat it for several")
}

// served is what one server block serves, or what some definitions files declare together.
type served struct {
	name     string // of the file
	block    block  // if it is of a Corefile
	chosen   bool   // by --block
	zones    definition.Zones
	passed   definition.Zones // in which undeclared names go to the next plugin
	index    *definition.Index
	findings []lint.Finding
	excluded []lint.Finding // the errors of fragments in etcd that are not served

	table *table.Table // nil before compile
}

// serve returns what is served of declarations and fragments.
func serve(name string, sim *store.Simulator, entries []store.Entry) *served {
	out := sim.Simulate(store.Fragments(entries))
	s := &served{name: name, zones: sim.Options.Zones, passed: sim.Options.Fallthrough, index: out.Index, findings: out.Findings}
	for _, e := range entries {
		s.excluded = append(s.excluded, out.Excluded[e.Key]...)
	}
	return s
}

func (s *served) compile() *table.Table {
	if s.table == nil {
		s.table = table.Compile(s.index, table.Options{Zones: s.zones, Fallthrough: s.passed, Serial: 1})
	}
	return s.table
}

// allZones returns the zones of server blocks, sorted, each once.
func allZones(blocks []*served) definition.Zones {
	zones := slices.Concat(convert(blocks, func(s *served) definition.Zones { return s.zones })...)
	slices.SortFunc(zones, definition.Name.Compare)
	return slices.Compact(zones)
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
	if files != nil {
		s, err := f.files(u, files)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, f.choose(all)
}

// readValid is read of what must have no errors.
func (f *readFlags) readValid(u *ui, paths []string) ([]*served, error) {
	all, err := f.read(u, paths)
	if err != nil {
		return nil, err
	}
	var findings []lint.Finding
	for _, s := range all {
		findings = append(findings, s.findings...)
	}
	if err := lint.Err(findings); err != nil {
		return nil, hint.Add(err, "mxsrv check %s", all[0].name)
	}
	return all, nil
}

// pathError returns "PATH: what is wrong", or nil for nil.
func pathError(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %v", path, err)
}

// placeholder is the zone of relative names if no zone is given.
const placeholder = "example.com."

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
	s := serve(name, &store.Simulator{Declared: set, Errs: errs, Options: opt}, nil)
	if guessed {
		s.findings = slices.DeleteFunc(s.findings, func(f lint.Finding) bool { return f.Rule.ID == "owner-outside-zone" })
	}
	return s, nil
}

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

func listZones(zones definition.Zones) string {
	return firstOf(convert(zones, func(z definition.Name) string { return string(z) }), ", and ")
}
