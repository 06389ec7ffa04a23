// Package corefile reads what the mxsrv stanzas of a server block of a Corefile
// say, all together: the zones, the definitions and where more of them are, and
// how the zones are served. It needs no server, so that tools can read too.
//
// [Read] has no side effects, and does not stop at the first mistake: mistakes
// are collected in the [Block].
package corefile

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/source/file"
)

// A Block is what the mxsrv stanzas of a server block say.
type Block struct {
	Pos         definition.Pos // of the first stanza
	Zones       definition.Zones
	ZonePos     map[definition.Name]definition.Pos // of the first stanza with a zone
	Keys        definition.Zones                   // of the server block, which gets the queries below these
	Ignore      map[string]definition.Pos          // rules whose warnings are accepted, and where it says so
	Inline      *definition.Set                    // what the stanzas themselves declare
	Errs        definition.Errors
	Files       []*file.Source   // by stanza
	Etcds       []*etcd.Source   // likewise
	Fallthrough definition.Zones // what is passed on below zones that are served whole
	Serials     string           // path of the file that keeps serials, or ""
	SerialsPos  definition.Pos   // where it is named

	env Env
}

// Env is what a block depends on around it.
type Env struct {
	Root string   // directory of relative paths
	Keys []string // of the server block: the zones of a stanza that names none

	// Origins returns the zones that the words of a stanza stand for, or else the
	// keys: plugin.OriginsFromArgsOrServerBlock of CoreDNS.
	Origins func(args, keys []string) []string
}

// Read reads the stanzas that d has left. There may be none: then Pos.Line is 0.
func Read(d *caddyfile.Dispenser, env Env) *Block {
	b := &Block{Inline: new(definition.Set), env: env,
		ZonePos: make(map[definition.Name]definition.Pos), Ignore: make(map[string]definition.Pos)}
	for _, key := range env.Origins(nil, env.Keys) {
		if zone, err := definition.ParseName(key, "."); err == nil {
			b.Keys = append(b.Keys, zone)
		}
	}
	lines, errs := definition.Lines(d)
	b.Errs = errs
	for i, l := range lines {
		if i == 0 {
			b.Pos = l.Pos
		}
		b.stanza(l)
	}
	return b
}

// Sources returns all sources of definitions.
func (b *Block) Sources() []source.Source {
	sources := []source.Source{source.Static(b.Pos.Source, b.Inline, b.Errs)}
	for _, f := range b.Files {
		sources = append(sources, f)
	}
	for _, e := range b.Etcds {
		sources = append(sources, e)
	}
	return sources
}

func (b *Block) errorf(pos definition.Pos, id, format string, args ...any) {
	b.Errs = append(b.Errs, definition.Error{Pos: pos, ID: id, Text: fmt.Sprintf(format, args...)})
}

// A stanza is one that is being read.
type stanza struct {
	*Block
	zones     definition.Zones
	reader    *definition.Reader
	files     *file.Source
	fragments *etcd.Source // nil if there is none
}

// options are the words of a stanza that are not of the definition language.
var options = map[string]func(*stanza, definition.Line){
	"authoritative": (*stanza).authoritative,
	"etcd":          (*stanza).etcd,
	"fallthrough":   (*stanza).fallthroughs,
	"file":          (*stanza).file,
	"ignore":        (*stanza).ignore,
	"reload":        (*stanza).reload,
	"serials":       (*stanza).serials,
}

// Options returns the words of a stanza that are not of the definition language,
// sorted.
func Options() []string { return slices.Sorted(maps.Keys(options)) }

// stanza reads: mxsrv [ZONES...] { ... }
func (b *Block) stanza(l definition.Line) {
	zones, ok := b.origins(l, "zone", l.Words[1:], b.env.Keys)
	if !ok {
		return
	}
	b.Zones = withNew(b.Zones, zones)
	for _, zone := range zones {
		if _, ok := b.ZonePos[zone]; !ok {
			b.ZonePos[zone] = l.Pos
		}
	}
	s := &stanza{Block: b, zones: zones, reader: definition.NewReader(zones), files: &file.Source{Zones: zones, Interval: DefaultReload}}
	for _, line := range l.Block {
		option := options[line.Words[0]]
		switch {
		case option != nil:
			option(s, line)
		case !s.reader.Line(line):
			b.errorf(line.Pos, definition.Syntax, "%s", definition.Unknown(line, Options()...))
		}
	}
	set, errs := s.reader.Set()
	b.Inline = definition.Merge(b.Inline, set)
	b.Errs = append(b.Errs, errs...)
	if len(s.files.Patterns) > 0 {
		b.Files = append(b.Files, s.files)
	}
}

// origins reads zones, or takes those of the server block.
func (b *Block) origins(l definition.Line, what string, args, keys []string) (definition.Zones, bool) {
	before := len(b.Errs)
	for _, arg := range args {
		if len(b.env.Origins([]string{arg}, nil)) == 0 {
			b.errorf(l.Pos, definition.Syntax, "%s %s: write a domain name like example.org, or a network like 192.0.2.0/24", what, strings.TrimSpace(arg))
		}
	}
	var zones definition.Zones
	for _, origin := range b.env.Origins(args, keys) {
		zone, err := definition.ParseName(origin, ".")
		if err != nil {
			b.errorf(l.Pos, definition.NameInvalid, "%s %v", what, err)
			continue
		}
		zones = append(zones, zone)
	}
	return withNew(nil, zones), len(b.Errs) == before
}

// withNew appends the zones that are not there yet: a server block may serve one
// zone under several addresses, and stanzas may share it.
func withNew(zones, more definition.Zones) definition.Zones {
	known := zones.Set()
	for _, zone := range more {
		if !known[zone] {
			known[zone] = true
			zones = append(zones, zone)
		}
	}
	return zones
}

// authoritative reads: authoritative { ... }
func (s *stanza) authoritative(l definition.Line) { s.reader.Authoritative(l) }

// fallthroughs reads: fallthrough [ZONES...]. What is not declared is passed on
// anyway where zones are not served whole.
func (s *stanza) fallthroughs(l definition.Line) {
	if l.Block != nil {
		s.errorf(l.Pos, definition.Syntax, "usage: fallthrough [ZONES...]")
		return
	}
	if len(l.Words) == 1 {
		s.Fallthrough = append(s.Fallthrough, s.zones...)
		return
	}
	zones, _ := s.origins(l, "fallthrough", l.Words[1:], nil)
	for _, zone := range zones {
		related := func(z definition.Name) bool { return zone.Below(z) || z.Below(zone) }
		if !slices.ContainsFunc(s.zones, related) {
			s.errorf(l.Pos, definition.Syntax, "fallthrough %s: it is not below %s: write a name that is, absolute", zone, s.zones[0])
		}
	}
	s.Fallthrough = append(s.Fallthrough, zones...)
}

// ignore reads: ignore RULE... Package lint knows the rules.
func (s *stanza) ignore(l definition.Line) {
	if len(l.Words) == 1 || l.Block != nil {
		s.errorf(l.Pos, definition.Syntax, "usage: ignore RULE...")
	}
	for _, rule := range l.Words[1:] {
		if _, ok := s.Ignore[rule]; !ok {
			s.Ignore[rule] = l.Pos
		}
	}
}

// file reads: file PATH...
func (s *stanza) file(l definition.Line) {
	if len(l.Words) == 1 || l.Block != nil {
		s.errorf(l.Pos, definition.Syntax, "usage: file PATH...")
	}
	for _, path := range l.Words[1:] {
		s.files.Patterns = append(s.files.Patterns, file.Pattern{Pos: l.Pos, Path: s.path(path)})
	}
}

func (b *Block) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(b.env.Root, path)
}

const (
	// DefaultReload is within which a change of a file is noticed.
	DefaultReload = 2 * time.Second

	// A file that is written takes milliseconds; the interval is to be longer.
	shortestReload = 100 * time.Millisecond
)

// reload reads: reload DURATION
func (s *stanza) reload(l definition.Line) {
	if len(l.Words) != 2 || l.Block != nil {
		s.errorf(l.Pos, definition.Syntax, "usage: reload DURATION")
		return
	}
	d, err := time.ParseDuration(l.Words[1])
	if err != nil || d != 0 && d < shortestReload {
		s.errorf(l.Pos, definition.Syntax,
			"duration %q: write one of at least %v, like 2s or 1m30s, or 0 for never", l.Words[1], shortestReload)
		return
	}
	s.files.Interval = d
}

// serials reads: serials PATH
func (s *stanza) serials(l definition.Line) {
	switch {
	case len(l.Words) != 2 || l.Block != nil:
		s.errorf(l.Pos, definition.Syntax, "usage: serials PATH")
	case s.Serials != "" && s.Serials != s.path(l.Words[1]):
		s.errorf(l.Pos, definition.Syntax, "a second file for serials: write one for the server block")
	default:
		s.Serials, s.SerialsPos = s.path(l.Words[1]), l.Pos
	}
}
