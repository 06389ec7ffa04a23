package main

import (
	"bytes"
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

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// isCorefile tells a Corefile from a definitions file: by its name, or else as
// a definitions file has a word of the language, and more words, at the start of
// a line that is in no block.
func isCorefile(path string, text []byte) bool {
	if strings.Contains(strings.ToLower(filepath.Base(path)), "corefile") {
		return true
	}
	d := caddyfile.NewDispenser(path, bytes.NewReader(text))
	lines, _ := definition.Statements(&d)
	blocks := false
	for _, l := range lines {
		if len(l.Words) > 1 && slices.Contains(definition.Keywords(), l.Words[0]) {
			return false
		}
		blocks = blocks || l.Block != nil
	}
	return blocks
}

// corefile reads the server blocks of a Corefile that have mxsrv, with imports,
// snippets and variables replaced as CoreDNS does.
func (r *reading) corefile(u *ui, path string, text []byte) ([]*served, error) {
	blocks, err := caddyfile.Parse(path, bytes.NewReader(text), nil)
	if err != nil {
		return []*served{unparsed(path, text, err)}, nil
	}
	var all []*served
	for _, b := range blocks {
		if tokens := b.Tokens["mxsrv"]; len(tokens) > 0 {
			all = append(all, r.serverBlock(u, path, b))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no mxsrv in any server block: write one, or give another file", path)
	}
	return all, nil
}

// unparsed is a Corefile that CoreDNS cannot read either.
func unparsed(path string, text []byte, err error) *served {
	d := caddyfile.NewDispenser(path, bytes.NewReader(text))
	_, errs := definition.Statements(&d) // which says more of braces and quotes
	if len(errs) == 0 {
		errs = definition.Errors{place(path, err)}
	}
	index := new(definition.Set).Index()
	return &served{name: path, pos: errs[0].Pos, index: index,
		findings: lint.Check(index, errs, lint.Options{Pos: errs[0].Pos})}
}

// place finds where an error of the parser of Corefiles is.
func place(path string, err error) definition.Error {
	m := parserError.FindStringSubmatch(err.Error())
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

var parserError = regexp.MustCompile(`(?s)^(.+):(\d+) - (?:Error during parsing|Syntax error): (.*)$`)

func (r *reading) serverBlock(u *ui, path string, b caddyfile.ServerBlock) *served {
	stanzas := r.stanzas(path, b)
	if len(stanzas.Etcds) > 0 {
		return serveFragments(u, path, stanzas, optionsOf(stanzas, b))
	}
	return serve(u, path, stanzas.Sources(), optionsOf(stanzas, b))
}

// stanzas reads what the mxsrv stanzas of a server block say.
func (r *reading) stanzas(path string, b caddyfile.ServerBlock) *corefile.Block {
	d := caddyfile.NewDispenserTokens(path, shorten(b.Tokens["mxsrv"]))
	return corefile.Read(&d, corefile.Env{
		Root:    r.rootOf(path, b),
		Keys:    plugin.OriginsFromArgsOrServerBlock(b.Keys, nil),
		Origins: plugin.OriginsFromArgsOrServerBlock,
	})
}

// optionsOf returns what the rules must know of a server block.
func optionsOf(stanzas *corefile.Block, b caddyfile.ServerBlock) lint.Options {
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(b.Tokens)), func(name string) bool { return name == "mxsrv" })
	return lint.Options{Zones: stanzas.Zones, Fallthrough: stanzas.Fallthrough, Plugins: others, Pos: stanzas.Pos}
}

// shorten makes the paths of imported files, which the parser makes absolute,
// relative to the working directory if they are in it.
func shorten(tokens []caddyfile.Token) []caddyfile.Token {
	here, err := os.Getwd()
	for i := range tokens {
		if short, ok := strings.CutPrefix(tokens[i].File, here+string(filepath.Separator)); ok && err == nil {
			tokens[i].File = short
		}
	}
	return tokens
}

// rootOf returns the directory of relative paths in a server block.
func (r *reading) rootOf(path string, b caddyfile.ServerBlock) string {
	base := r.root
	if base == "" {
		base = filepath.Dir(path)
	}
	tokens := b.Tokens["root"]
	switch {
	case len(tokens) < 2:
		return base
	case filepath.IsAbs(tokens[1].Text):
		return tokens[1].Text
	}
	return filepath.Join(base, tokens[1].Text)
}
