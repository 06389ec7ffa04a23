package main

import (
	"errors"
	"fmt"
	"github.com/mxsrv/mxsrv/plugin/source/file"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// reading says how definitions are read.
type reading struct {
	root  string   // directory of relative paths in a Corefile; empty: its own
	zones []string // of the relative names in definitions files
}

const defaultCorefile = "Corefile"

func (r *reading) flags(c *cobra.Command) {
	c.Flags().StringVar(&r.root, "root", "", "the `DIR` where CoreDNS is started, from which relative paths in a Corefile go; that of the Corefile if left out")
	c.Flags().StringArrayVar(&r.zones, "zone", nil, "the `ZONE` of the relative names in a definitions file; several with several --zone")
}

// served is what one server block, or some definitions files, serve together.
type served struct {
	name     string // file name
	pos      definition.Pos
	zones    definition.Zones
	passed   definition.Zones // below which a plugin behind may hold more
	index    *definition.Index
	findings []lint.Finding
	leftOut  []lint.Finding // of fragments in etcd: why they are not served
}

// read reads Corefiles, each of which has its server blocks, and definitions
// files, which are served together.
func (r *reading) read(u *ui, paths []string) ([]*served, error) {
	var all []*served
	var files []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, unreadable(path, err)
		}
		if !isCorefile(path, text) {
			files = append(files, path)
			continue
		}
		blocks, err := r.corefile(u, path, text)
		if err != nil {
			return nil, err
		}
		all = append(all, blocks...)
	}
	if len(files) > 0 {
		s, err := r.files(u, files)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func unreadable(path string, err error) error {
	return withHint(fmt.Errorf("%s: %v", path, pathCause(err)), "mxsrv check PATH/TO/Corefile")
}

// pathCause returns an error without the path, which the message has.
func pathCause(err error) error {
	if e := new(fs.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// serve loads definitions and judges them.
func serve(u *ui, name string, sources []source.Source, opt lint.Options) *served {
	var sets []*definition.Set
	var errs definition.Errors
	for _, from := range sources {
		set, mistakes := from.Load().Read()
		if set == nil { // only who follows the source gets to know it
			u.note("%s: the definitions of %v are not read", name, from)
			continue
		}
		sets, errs = append(sets, set), append(errs, mistakes...)
	}
	s := &served{name: name, pos: opt.Pos, zones: opt.Zones, passed: opt.Fallthrough, index: definition.Merge(sets...).Index()}
	s.findings = lint.Check(s.index, errs, opt)
	return s
}

// placeholder is the zone of relative names if nothing says which.
const placeholder = "example.com."

// files reads definitions files, which are served together.
func (r *reading) files(u *ui, paths []string) (*served, error) {
	name := strings.Join(paths, " ")
	zones, err := r.origins()
	if err != nil {
		return nil, err
	}
	guessed := len(zones) == 0
	if guessed {
		u.note("%s: relative names are taken to be in %s; --zone says otherwise", name, placeholder)
		zones = definition.Zones{placeholder}
	}
	f := &file.Source{Zones: zones}
	for _, path := range paths {
		f.Patterns = append(f.Patterns, file.Pattern{Pos: definition.Pos{Source: path, Line: 1}, Path: path})
	}
	s := serve(u, name, []source.Source{f}, lint.Options{Zones: zones, Pos: definition.Pos{Source: paths[0], Line: 1}})
	if guessed {
		s.findings = slices.DeleteFunc(s.findings, func(f lint.Finding) bool { return f.Rule.ID == "owner-outside-zone" })
	}
	return s, nil
}

func (r *reading) origins() (definition.Zones, error) {
	var zones definition.Zones
	for _, word := range r.zones {
		zone, err := definition.ParseName(word, ".")
		if err != nil {
			return nil, withHint(fmt.Errorf("zone %v", err), "--zone example.org")
		}
		zones = append(zones, zone)
	}
	return zones, nil
}

// listZones writes zones, the first few of many.
func listZones(zones definition.Zones) string {
	const few = 4
	var words []string
	for _, zone := range zones[:min(few, len(zones))] {
		words = append(words, string(zone))
	}
	if more := len(zones) - few; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}

// faultless returns an error if any of what is served has one.
func faultless(all []*served) error {
	var lines []string
	for _, s := range all {
		for _, f := range s.findings {
			if f.Rule.Severity == lint.Error {
				lines = append(lines, format(f))
			}
		}
	}
	if lines == nil {
		return nil
	}
	return withHint(fmt.Errorf("%s", strings.Join(lines, "\n")), "mxsrv check %s", all[0].name)
}

func (s *served) compile() *table.Table {
	return table.Compile(s.index, table.Options{Zones: s.zones, Fallthrough: s.passed, Serial: 1})
}
