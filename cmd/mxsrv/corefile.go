package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source/file"
)

// isCorefile tells a Corefile from a definitions file: by its name or else by its blocks, unless a line outside of all
// blocks is for an mxsrv block: a definition, or an option that belongs into the Corefile.
func isCorefile(path string, text string) bool {
	if strings.Contains(strings.ToLower(filepath.Base(path)), "corefile") {
		return true
	}
	d := caddyfile.NewDispenser(path, strings.NewReader(text))
	lines, _ := definition.Statements(&d)
	words := append(definition.Keywords(), corefile.Options()...)
	blocks := false
	if slices.ContainsFunc(lines, isServerBlock) {
		return true
	}
	for _, l := range lines {
		if slices.Contains(words, l.Words[0]) && (len(l.Words) > 1 || !hasPlugin(l)) {
			return false
		}
		blocks = blocks || l.Block != nil
	}
	return blocks
}

// withPort is the address of a server block: NAME:PORT.
var withPort = regexp.MustCompile(`^\S*[^\s:]:[0-9]+,?$`)

// isServerBlock reports whether a statement is plainly a server block, whatever is wrong with the braces after it.
func isServerBlock(s definition.Statement) bool {
	return s.Block != nil && withPort.MatchString(s.Words[0])
}

// hasPlugin reports whether a statement is like a server block: a zone may be called mail.
func hasPlugin(s definition.Statement) bool {
	return slices.ContainsFunc(s.Block, func(l definition.Statement) bool {
		return l.Words[0] == "import" || slices.Contains(allPlugins, l.Words[0])
	})
}

// corefile reads the server blocks of a Corefile that have mxsrv, with imports, snippets and variables replaced as by
// CoreDNS.
func (f *readFlags) corefile(u *ui, path string, text string) ([]*served, error) {
	if isStream(path) {
		path = standardInput // what it imports is in the working directory, not in /dev
	}
	blocks, err := caddyfile.Parse(path, strings.NewReader(text), nil)
	if err != nil {
		return []*served{unparsed(path, text, err)}, nil
	}
	var all []*served
	var found []lint.Finding
	for _, b := range blocks {
		if len(b.Tokens["mxsrv"]) > 0 && !slices.ContainsFunc(b.Keys, isBraces) {
			all = append(all, f.serverBlock(u, path, b, onlySource(b, blocks), all))
		}
		found = append(found, blockFindings(path, text, b, found)...)
	}
	switch {
	case len(all) > 0:
		all[0].findings = append(all[0].findings, found...)
	case slices.ContainsFunc(found, hidesMXSRV):
		all = []*served{nothing(path, nil)}
		all[0].findings = found
	default:
		return nil, fmt.Errorf("%s has no mxsrv in any server block: write one, or give another file", path)
	}
	return all, nil
}

// unparsed returns what is wrong with a Corefile that CoreDNS cannot read.
func unparsed(path string, text string, err error) *served {
	d := caddyfile.NewDispenser(path, strings.NewReader(text))
	_, errs := definition.Statements(&d) // which finds all open braces and quotes
	if len(errs) == 0 {
		errs = definition.Errors{parserError(path, err)}
	}
	return nothing(path, errs)
}

// nothing is what is served of a Corefile that has errors instead of mxsrv.
func nothing(path string, errs definition.Errors) *served {
	sim := &store.Simulator{Declared: new(definition.Set), Errs: errs}
	if len(errs) > 0 {
		sim.Options.Pos = errs[0].Pos
	}
	return serve(path, sim, nil)
}

var parserMessage = regexp.MustCompile(`(?s)^(.+):(\d+) - (?:Error during parsing|Syntax error): (.*)$`)

// parserError returns an error of the Corefile parser with its place.
func parserError(path string, err error) definition.Error {
	m := parserMessage.FindStringSubmatch(err.Error())
	if m == nil {
		return definition.Error{Pos: definition.Pos{Source: path, Line: 1}, ID: definition.Syntax, Text: err.Error()}
	}
	line, _ := strconv.Atoi(m[2])
	text := strings.ToLower(m[3][:1]) + m[3][1:]
	if strings.HasPrefix(text, "file to import not found") {
		text += ": create it, or delete this line"
	}
	return definition.Error{Pos: definition.Pos{Source: m[1], Line: line}, ID: definition.Syntax, Text: text}
}

// serverBlock checks what a server block serves, after those before it. That includes what is in etcd now, if etcd can be
// reached from here.
func (f *readFlags) serverBlock(u *ui, path string, b caddyfile.ServerBlock, only bool, before []*served) *served {
	stanzas := f.stanzas(path, b)
	for _, s := range before {
		stanzas.Errs = append(stanzas.Errs, stanzas.Checks.SameState(&s.checks)...)
	}
	sim := simulator(stanzas, b)
	entries := f.readEtcd(u, path, stanzas, sim)
	sim.Options.OnlySource = only
	s := serve(path, sim, entries)
	s.block, s.checks = blockOf(stanzas.Pos, b), stanzas.Checks
	if len(b.Tokens["root"]) == 0 && (stanzas.Relative || slices.ContainsFunc(stanzas.Files, (*file.Source).NamesRelative)) {
		s.dir = f.rootOf(path, b)
	}
	return s
}

// readEtcd returns the fragments that are in etcd, and gives a simulator the tree. What cannot be read is noted.
func (f *readFlags) readEtcd(u *ui, path string, stanzas *corefile.Block, sim *store.Simulator) (entries []store.Entry) {
	if len(stanzas.Errs) > 0 {
		return nil
	}
	ctx := context.Background()
	if f.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.patience) // for all pages
		defer cancel()
	}
	for _, e := range stanzas.Etcds {
		e.Config.Timeout = min(e.Config.Timeout, cmp.Or(f.patience, e.Config.Timeout))
		var err error
		what := "fragments"
		if e.Tree != nil {
			what = "keys of the tree"
			sim.Tree, err = store.ReadTree(ctx, e)
		} else {
			s := &store.Store{Config: e.Config}
			defer s.Close()
			entries, _, err = s.Open(ctx)
		}
		if err != nil {
			u.note("%s: %v: the %s in etcd are not checked", path, err, what)
		}
	}
	return entries
}

func (f *readFlags) stanzas(path string, b caddyfile.ServerBlock) *corefile.Block {
	d := caddyfile.NewDispenserTokens(path, shorten(b.Tokens["mxsrv"]))
	return corefile.Read(&d, corefile.Env{
		Root:    f.rootOf(path, b),
		Keys:    plugin.OriginsFromArgsOrServerBlock(b.Keys, nil),
		Origins: plugin.OriginsFromArgsOrServerBlock,
	})
}

// simulator returns what judges definitions as a server block does: with all that its stanzas and their files declare.
func simulator(stanzas *corefile.Block, b caddyfile.ServerBlock) *store.Simulator {
	s := &store.Simulator{
		Declared: stanzas.Inline, Errs: stanzas.Errs, Allow: stanzas.Allow,
		Options: lint.Options{Pos: stanzas.Pos, Zones: stanzas.Zones, ZonePos: stanzas.ZonePos, BlockZones: stanzas.Keys,
			Fallthrough: stanzas.Fallthrough, Plugins: plugins(b), Ignore: stanzas.Ignore, Detection: stanzas.Checks.Detection(),
			Probed: stanzas.Checks.MayProbe},
	}
	for _, f := range stanzas.Files {
		set, errs := f.Load().Read()
		s.Declared, s.Errs = definition.Merge(s.Declared, set), append(s.Errs, errs...)
	}
	for _, e := range stanzas.Etcds { // a tree has names that may not be known here, too
		s.Zones = e.Zones
	}
	return s
}

// plugins returns the other plugins of a server block.
func plugins(b caddyfile.ServerBlock) lint.Plugins {
	p := lint.PluginsOf(slices.Collect(maps.Keys(b.Tokens)))
	signs := func(t caddyfile.Token) bool { return t.Text == "key" }
	if tokens := b.Tokens["dnssec"]; slices.ContainsFunc(tokens, signs) {
		d := caddyfile.NewDispenserTokens("", tokens)
		d.Next()
		for _, zone := range plugin.OriginsFromArgsOrServerBlock(d.RemainingArgs(), b.Keys) {
			p.Signed = append(p.Signed, definition.Name(zone))
		}
	}
	return p
}

// shorten makes paths of imported files relative to the working directory if they are in it. The parser makes them
// absolute.
func shorten(tokens []caddyfile.Token) []caddyfile.Token {
	here, err := os.Getwd()
	for i := range tokens {
		if short, ok := strings.CutPrefix(tokens[i].File, here+string(filepath.Separator)); ok && err == nil {
			tokens[i].File = short
		}
	}
	return tokens
}

// rootOf returns the directory of relative paths in a server block. That of --root stands for an absolute root, which is
// on the server.
func (f *readFlags) rootOf(path string, b caddyfile.ServerBlock) string {
	base := cmp.Or(f.root, dirOf(path))
	root := b.Tokens["root"]
	if len(root) < 2 || f.root != "" && filepath.IsAbs(root[1].Text) {
		return base
	}
	return resolve(base, root[1].Text)
}

// resolve returns a path that may be relative to a directory.
func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
