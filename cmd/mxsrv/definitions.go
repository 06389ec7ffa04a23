package main

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source/file"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// readFlags say how definitions are read.
type readFlags struct {
	root  string   // directory of relative paths; "": that of the Corefile or definitions file
	zones []string // of the relative names in definitions files
	block string   // which of the server blocks for one zone, see choose; "": all

	patience time.Duration // how long etcd may take to answer, if not as long as a Corefile says
}

const defaultCorefile = "Corefile"

func (f *readFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.root, "root", "",
		"the `DIR` where CoreDNS is started, or that is its absolute root, for relative paths (default that of the Corefile or definitions file)")
	c.Flags().StringArrayVar(&f.zones, "zone", nil, "the `ZONE` of the relative names in a definitions file, or a network for PTR records; repeat it for several")
}

// served is what one server block serves, or what some definitions files declare together.
type served struct {
	name     string // of the file
	block    block  // if it is of a Corefile
	chosen   bool   // by --block
	dir      string // where relative paths of files were looked for, as no root says where; "" if there are none
	zones    definition.Zones
	passed   definition.Zones // in which undeclared names go to the next plugin
	index    *definition.Index
	findings []lint.Finding
	excluded []lint.Finding // the errors of fragments and keys in etcd that are not served
	tree     *store.Tree    // that was read, or nil

	checks    corefile.Checks
	fragments map[string]bool // the sources of declarations that are fragments

	table *table.Table // nil before compile
}

// serve returns what is served of declarations and fragments.
func serve(name string, sim *store.Simulator, entries []store.Entry) *served {
	out := sim.Simulate(store.Fragments(entries))
	s := &served{name: name, zones: sim.Options.Zones, passed: sim.Options.Fallthrough, index: out.Index, findings: out.Findings}
	if s.fragments, s.tree = make(map[string]bool), sim.Tree; s.tree != nil {
		s.excluded = slices.Clone(s.tree.Excluded)
	}
	for _, e := range entries {
		s.excluded = append(s.excluded, out.Excluded[e.Key]...)
		s.fragments[e.Source()] = true
	}
	return s
}

func (s *served) compile() *table.Table {
	if s.table == nil {
		s.table = table.Compile(s.index, table.Options{Zones: s.zones, Fallthrough: s.passed, Serial: 1, Probe: s.mayProbe})
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
func (f *readFlags) read(u *ui, paths []string) (all []*served, err error) {
	u.reading(paths, func() { all, err = f.readAll(u, paths) })
	return all, err
}

// reading calls do, which reads files. Nothing is shown meanwhile if one of them may be what somebody types.
func (u *ui) reading(paths []string, do func()) {
	if slices.ContainsFunc(paths, isStream) {
		do()
		return
	}
	u.during(doing("reading %s", firstOf(paths, " and ")), do)
}

func (f *readFlags) readAll(u *ui, paths []string) ([]*served, error) {
	var all []*served
	var files []document
	for _, path := range paths {
		text, err := readText(path)
		if err != nil {
			return nil, hint.Add(err, "mxsrv check PATH/TO/Corefile")
		}
		if !isCorefile(path, text) {
			files = append(files, document{path, text})
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

// readValid is read of what must have no errors but those that the caller mends, which may be nil for none.
func (f *readFlags) readValid(u *ui, paths []string, mends func(lint.Finding) bool) ([]*served, error) {
	all, err := f.read(u, paths)
	if err != nil {
		return nil, err
	}
	var findings []lint.Finding
	for _, s := range all {
		findings = append(findings, s.findings...)
	}
	if mends != nil {
		findings = slices.DeleteFunc(findings, mends)
	}
	if err := lint.Err(findings); err != nil {
		return nil, hint.Add(err, "mxsrv check %s", all[0].name)
	}
	return all, nil
}

// A document is a file that was read.
type document struct{ path, text string }

// standardInput is the path that stands for standard input.
const standardInput = "-"

// readText reads a file, or to its end what is none: standard input, a pipe. It reads no more than a file may have.
func readText(path string) (string, error) {
	if !isStream(path) {
		text, err := atomicfile.Read(path)
		return string(text), pathError(path, err)
	}
	in := os.Stdin
	if path != standardInput {
		var err error
		if in, err = os.Open(path); err != nil {
			return "", pathError(path, err)
		}
		defer in.Close()
	}
	text, err := io.ReadAll(io.LimitReader(in, atomicfile.MaxSize+1))
	if err == nil && len(text) > atomicfile.MaxSize {
		err = fmt.Errorf("more than the %d octets that a file may have", atomicfile.MaxSize)
	}
	return string(text), pathError(path, err)
}

// isStream reports whether a path has no name and no directory of its own: standard input, <(...) of a shell, a pipe.
func isStream(path string) bool {
	if path == standardInput || strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/") {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && !info.Mode().IsRegular()
}

// dirOf returns the directory of the relative paths in a file: where it is, or else the working directory.
func dirOf(path string) string {
	if isStream(path) {
		return "."
	}
	return filepath.Dir(path)
}

// pathError returns "PATH: what is wrong", or nil for nil.
func pathError(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %v", path, atomicfile.Cause(err))
}

// placeholder is the zone of relative names if no zone is given.
const placeholder = "example.com."

// files reads definitions files, all together.
func (f *readFlags) files(u *ui, files []document) (*served, error) {
	name := strings.Join(convert(files, func(d document) string { return d.path }), " ")
	zones, err := f.parseZones()
	if err != nil {
		return nil, err
	}
	guessed := len(zones) == 0
	if guessed {
		u.note("%s: relative names are taken to be in %s; use --zone for another zone", name, placeholder)
		zones = definition.Zones{placeholder}
	}
	set, errs := new(definition.Set), definition.Errors(nil)
	for _, d := range files {
		if d.text == "" {
			errs.Add(definition.Pos{Source: d.path, Line: 1}, definition.FileUnreadable,
				"%s is empty: write # into it if it declares nothing", d.path)
		}
		reader := definition.NewReader(zones)
		reader.SetFiles(file.NewKeys(cmp.Or(f.root, dirOf(d.path))).Read)
		errs = append(errs, change.NewDocument(d.path, d.text, reader).Read(set)...)
	}
	opt := lint.Options{Zones: zones, Pos: definition.Pos{Source: files[0].path, Line: 1}}
	s := serve(name, &store.Simulator{Declared: set, Errs: errs, Options: opt}, nil)
	if guessed {
		s.findings = slices.DeleteFunc(s.findings, func(f lint.Finding) bool { return f.Rule.ID == "owner-outside-zone" })
	}
	return s, nil
}

func (f *readFlags) parseZones() (definition.Zones, error) {
	var zones definition.Zones
	for _, word := range f.zones {
		some, err := zonesOf(word)
		if err != nil {
			return nil, err
		}
		zones = append(zones, some...)
	}
	return zones, nil
}

// zonesOf returns the reverse zones of a network, or the zone with a name.
func zonesOf(word string) (definition.Zones, error) {
	network, err := netip.ParsePrefix(word)
	switch {
	case err == nil && network != network.Masked():
		return nil, fmt.Errorf("zone %s has bits of a host: write %v", word, network.Masked())
	case err == nil:
		origins := plugin.OriginsFromArgsOrServerBlock([]string{word}, nil)
		return convert(origins, func(origin string) definition.Name { return definition.Name(origin) }), nil
	}
	zone, err := parseZone(word)
	return definition.Zones{zone}, err
}

func parseZone(word string) (definition.Name, error) {
	zone, err := definition.ParseName(word, ".")
	_, notAddress := netip.ParseAddr(word)
	switch {
	case notAddress == nil || strings.Contains(word, "/") && !zone.IsReverse():
		return "", fmt.Errorf("zone %q is no network: write one like 192.0.2.0/24", word)
	case err != nil:
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
