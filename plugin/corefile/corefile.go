// Package corefile reads the mxsrv stanzas of a server block of a Corefile into one [Block]: the zones, the
// definitions, the sources of further ones, and the options. It needs no server, so that the tool reads by it too.
//
// [Read] has no side effects, and does not stop at the first mistake: the Block has all.
package corefile

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/source/file"
)

// A Block has what the mxsrv stanzas of a server block declare, all together.
type Block struct {
	Pos         definition.Pos // of the first stanza
	Zones       definition.Zones
	ZonePos     map[definition.Name]definition.Pos // of the first stanza with a zone
	Keys        definition.Zones                   // of the server block, which gets the queries below these
	Ignore      map[string]definition.Pos          // rules whose warnings are accepted, and where it says so
	Inline      *definition.Set                    // what the stanzas themselves declare
	Errs        definition.Errors
	Files       []*file.Source    // one for each stanza that names files
	Relative    bool              // a path of definitions files, or of a key file that the stanzas themselves name, is relative
	Etcds       []*etcd.Source    // at most one of fragments, then one of a tree, of one cluster
	Allow       change.Allowances // of fragments in etcd
	Fallthrough definition.Zones  // undeclared names in these are for the next plugins, in authoritative zones too
	Serials     string            // path of the file that keeps serials, or ""
	SerialsPos  definition.Pos    // where it is named
	Checks      Checks            // how targets are probed

	env    Env
	static source.Source  // of the stanzas that name no key files, with the mistakes in options
	inline []*file.Inline // one for each stanza that names key files

	hasChecks bool // how targets are probed is said
}

// Env is what the meaning of a block depends on.
type Env struct {
	Root string   // directory of relative paths
	Keys []string // of the server block: the zones of a stanza that names none

	// Origins returns the zones that the words of a stanza stand for, or else the
	// keys: plugin.OriginsFromArgsOrServerBlock of CoreDNS.
	Origins func(args, keys []string) []string
}

// Read reads the stanzas that d has left. There may be none: then Pos.Line is 0.
func Read(d *caddyfile.Dispenser, env Env) *Block {
	b := &Block{Inline: new(definition.Set), Checks: usual, env: env,
		ZonePos: make(map[definition.Name]definition.Pos), Ignore: make(map[string]definition.Pos)}
	for _, key := range env.Origins(nil, env.Keys) {
		if zone, err := definition.ParseName(key, "."); err == nil {
			b.Keys = append(b.Keys, zone)
		}
	}
	lines, errs := definition.Statements(d)
	b.Errs = errs
	zones := make([]definition.Zones, len(lines))
	for i, l := range lines {
		if i == 0 {
			b.Pos = l.Pos
		}
		zones[i] = b.zones(l)
	}
	var naming []declared // key files
	for i, l := range lines {
		if len(zones[i]) > 0 {
			naming = append(naming, b.stanza(l, zones[i])...)
		}
	}
	b.static = source.Static(b.Pos.Source, b.Inline, b.Errs)
	for _, d := range naming {
		b.Inline, b.Errs = definition.Merge(b.Inline, d.set), slices.Concat(b.Errs, d.errs)
	}
	return b
}

// declared is what a stanza declares.
type declared struct {
	set  *definition.Set
	errs definition.Errors
}

// Sources returns all sources of definitions, those of the block itself first.
func (b *Block) Sources() []source.Source {
	sources := []source.Source{b.static}
	for _, i := range b.inline {
		sources = append(sources, i)
	}
	for _, f := range b.Files {
		sources = append(sources, f)
	}
	for _, e := range b.Etcds {
		sources = append(sources, e)
	}
	return sources
}

// Fragments returns the source of the fragments in etcd, or nil.
func (b *Block) Fragments() *etcd.Source {
	if i := slices.IndexFunc(b.Etcds, func(e *etcd.Source) bool { return e.Tree == nil }); i >= 0 {
		return b.Etcds[i]
	}
	return nil
}

// SerialsFile returns the path of the file that keeps the serials of authoritative zones, and where it is named.
// Without the word serials it is beside the snapshot. The path is "" if there is neither.
func (b *Block) SerialsFile() (path string, pos definition.Pos) {
	if b.Serials != "" || len(b.Inline.Apexes) == 0 {
		return b.Serials, b.SerialsPos
	}
	for _, e := range b.Etcds {
		if e.Snapshot != "" {
			return e.Snapshot + ".serials", e.Pos
		}
	}
	return "", b.SerialsPos
}

func (b *Block) errorf(pos definition.Pos, format string, args ...any) {
	b.Errs.Add(pos, definition.Syntax, format, args...)
}

// A stanza is one that is being read.
type stanza struct {
	*Block
	words     []string // after mxsrv: what the zones are written as
	zones     definition.Zones
	reader    *definition.Reader // of options and defaults, in these and in the reverse zones of the block
	files     *file.Source
	fragments *etcd.Source // nil if there is none
	skydns    string       // the path of a tree, or ""
}

// An option is a statement that is not of the definition language.
type option struct {
	usage    string
	min, max int  // how many words follow its keyword
	block    bool // it may have a block
	read     func(*stanza, definition.Statement)
}

// unlimited is the max of an option that takes any number of words.
const unlimited = math.MaxInt

// options are those of a stanza, by keyword.
var options = map[string]*option{
	"authoritative": {"authoritative { ns NAME... }", 0, unlimited, true, (*stanza).authoritative},
	"checks":        {checksUsage, 0, 0, true, (*stanza).checks},
	"etcd":          {"etcd ENDPOINT...", 1, unlimited, true, (*stanza).etcd},
	"fallthrough":   {"fallthrough [ZONES...]", 0, unlimited, false, (*stanza).fallthroughs},
	"file":          {"file PATH...", 1, unlimited, false, (*stanza).file},
	"ignore":        {"ignore RULE...", 1, unlimited, false, (*stanza).ignore},
	"reload":        {"reload DURATION", 1, 1, false, (*stanza).reload},
	"serials":       {"serials PATH", 1, 1, false, (*stanza).serials},
}

// Options returns the keywords of a stanza that are not of the definition language, sorted.
func Options() []string { return keywords(options) }

func keywords(options map[string]*option) []string { return slices.Sorted(maps.Keys(options)) }

// option reads a statement that is an option.
func (s *stanza) option(o *option, l definition.Statement) {
	if n := len(l.Words) - 1; n < o.min || n > o.max || l.Block != nil && !o.block {
		s.errorf(l.Pos, "usage: %s", o.usage)
		return
	}
	o.read(s, l)
}

// zones reads the zones of a stanza. It returns none if one is wrong.
func (b *Block) zones(l definition.Statement) definition.Zones {
	zones, ok := b.origins(l, "zone", l.Words[1:], b.env.Keys)
	if !ok {
		return nil
	}
	b.Zones = withNew(b.Zones, zones)
	for _, zone := range zones {
		if _, ok := b.ZonePos[zone]; !ok {
			b.ZonePos[zone] = l.Pos
		}
	}
	return zones
}

// stanza reads: mxsrv [ZONES...] { ... }. It returns what that declares if it names key files: then it has a source of
// its own.
//
// Its hosts get PTR records in the reverse zones of all stanzas: for its definitions these are zones like its own.
func (b *Block) stanza(l definition.Statement, zones definition.Zones) (naming []declared) {
	all := withNew(zones, b.Zones.Reverse())
	files := &file.Source{Root: b.env.Root, Zones: all, Interval: DefaultReload}
	s := &stanza{Block: b, words: l.Words[1:], zones: zones, reader: definition.NewReader(all), files: files}
	var definitions []definition.Statement
	for _, line := range l.Block {
		o := options[line.Words[0]]
		switch {
		case o == nil && line.SetsDefault():
			s.reader.Statement(line)
		case o == nil:
			definitions = append(definitions, line)
		case s.reader.Usual(&line):
			s.option(o, line)
		}
	}
	if len(files.Patterns) > 0 {
		b.Files = append(b.Files, files)
	}
	return s.definitions(definitions)
}

// definitions reads the statements that are no options and no defaults. It returns what the stanza declares if that
// depends on key files.
func (s *stanza) definitions(lines []definition.Statement) []declared {
	apexes, apexErrs := s.reader.Set()
	defaults, zones, keys := s.reader.Defaults(), s.reader.Zones(), file.NewKeys(s.env.Root)
	read := func(files func(string) (string, error)) (*definition.Set, definition.Errors) {
		reader := definition.NewReader(zones)
		reader.SetDefaults(defaults)
		reader.SetFiles(files)
		set, errs := readLines(reader, lines)
		return definition.Merge(apexes, set), slices.Concat(apexErrs, errs)
	}
	set, errs := read(keys.Read)
	used, relative := keys.Used()
	s.Relative = s.Relative || relative
	if used {
		name := "key files of " + s.Pos.Source
		s.inline = append(s.inline, &file.Inline{Name: name, Root: s.env.Root, Interval: s.files.Interval, Read: read})
		return []declared{{set, errs}}
	}
	s.Inline, s.Errs = definition.Merge(s.Inline, set), append(s.Errs, errs...)
	return nil
}

func readLines(r *definition.Reader, lines []definition.Statement) (*definition.Set, definition.Errors) {
	var unknown definition.Errors
	for _, line := range lines {
		if !r.Statement(line) {
			unknown.Add(line.Pos, definition.Syntax, "%s", definition.Unknown(line, Options()...))
		}
	}
	set, errs := r.Set()
	return set, append(unknown, errs...)
}

// origins returns the zones that some words stand for, or else the keys of the server
// block. It returns false if one is wrong.
func (b *Block) origins(l definition.Statement, what string, args, keys []string) (definition.Zones, bool) {
	before := len(b.Errs)
	for _, arg := range args {
		if len(b.env.Origins([]string{arg}, nil)) == 0 {
			variable := ""
			if arg == "" {
				variable = ", or set the variable that it comes from"
			}
			b.errorf(l.Pos, "%s %q: write a domain name like example.org, or a network like 192.0.2.0/24%s", what, arg, variable)
		} else if network, ok := networkOf(arg); ok && !isNetwork(arg) {
			b.errorf(l.Pos, "%s %s: a network has no port and no bits of a host: write %v", what, arg, network)
		}
	}
	var zones definition.Zones
	for _, origin := range b.env.Origins(args, keys) {
		zone, err := definition.ParseName(origin, ".")
		if err != nil {
			b.Errs.Add(l.Pos, definition.NameInvalid, "%s %v", what, err)
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

func (s *stanza) fallthroughs(l definition.Statement) {
	if len(l.Words) == 1 {
		s.Fallthrough = append(s.Fallthrough, s.zones...)
		return
	}
	zones, _ := s.origins(l, "fallthrough", l.Words[1:], nil)
	for _, zone := range zones {
		related := func(z definition.Name) bool { return zone.Below(z) || z.Below(zone) }
		if !slices.ContainsFunc(s.zones, related) {
			s.errorf(l.Pos, "fallthrough %s: it is not below %s: write a name that is, absolute", zone, s.zones[0])
		}
	}
	s.Fallthrough = append(s.Fallthrough, zones...)
}

// ignore reads: ignore RULE... Package lint knows the rules.
func (s *stanza) ignore(l definition.Statement) {
	for _, rule := range l.Words[1:] {
		if _, ok := s.Ignore[rule]; !ok {
			s.Ignore[rule] = l.Pos
		}
	}
}

func (s *stanza) file(l definition.Statement) {
	for _, path := range l.Words[1:] {
		s.Relative = s.Relative || !filepath.IsAbs(path)
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
	// DefaultReload is the interval within which a change of a file is noticed.
	DefaultReload = 2 * time.Second

	// Writing a file takes milliseconds; the interval must be longer.
	shortestReload = 100 * time.Millisecond
)

func (s *stanza) reload(l definition.Statement) {
	d, err := time.ParseDuration(l.Words[1])
	if err != nil || d != 0 && d < shortestReload {
		s.errorf(l.Pos, "duration %q: write one of at least %v, like 2s or 1m30s, or 0 for never", l.Words[1], shortestReload)
		return
	}
	s.files.Interval = d
}

func (s *stanza) serials(l definition.Statement) {
	path := s.path(l.Words[1])
	if s.Serials != "" && s.Serials != path {
		s.errorf(l.Pos, "a second file for serials: write one for the server block")
		return
	}
	s.Serials, s.SerialsPos = path, l.Pos
}
