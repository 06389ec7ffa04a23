package picture

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

var update = flag.Bool("update", false, "write what is drawn now to docs, for somebody to look at")

// example reads the mxsrv blocks of an example, with the files that they name.
func example(t testing.TB, name string) (*definition.Index, definition.Zones) {
	t.Helper()
	dir := filepath.Join("../../examples", name)
	path := filepath.Join(dir, "Corefile")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := caddyfile.Parse(path, strings.NewReader(string(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	set, all := new(definition.Set), definition.Zones(nil)
	for _, block := range blocks {
		d := caddyfile.NewDispenserTokens(path, block.Tokens["mxsrv"])
		stanzas, errs := definition.Lines(&d)
		for _, stanza := range stanzas {
			zones := zonesOf(t, append(stanza.Words[1:], block.Keys...)[:max(1, len(stanza.Words)-1)])
			r := definition.NewReader(zones)
			for _, l := range stanza.Block {
				if !r.Line(l) && l.Words[0] == "file" {
					errs = append(errs, readFiles(t, set, dir, l.Words[1:], zones)...)
				}
			}
			more, mistakes := r.Set()
			errs = append(errs, mistakes...)
			set, all = definition.Merge(set, more), append(all, zones...)
		}
		if len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	slices.Sort(all)
	return set.Index(), slices.Compact(all)
}

func zonesOf(t testing.TB, words []string) definition.Zones {
	t.Helper()
	var zones definition.Zones
	for _, word := range words {
		if host, _, err := net.SplitHostPort(word); err == nil {
			word = host
		}
		zone, err := definition.ParseName(word, ".")
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, zone)
	}
	return zones
}

func readFiles(t testing.TB, set *definition.Set, dir string, patterns []string, zones definition.Zones) definition.Errors {
	t.Helper()
	var errs definition.Errors
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			errs = append(errs, set.Read(path, string(text), zones)...)
		}
	}
	return errs
}

// read makes the picture of a text.
func read(t testing.TB, text string, opt Options) *Picture {
	t.Helper()
	if opt.Zones == nil {
		opt.Zones = definition.Zones{"example.org."}
	}
	set, errs := definition.Read("x", text, opt.Zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return New(set.Index(), opt)
}

func svg(t testing.TB, p *Picture) string {
	t.Helper()
	var b strings.Builder
	if err := p.SVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDocs: the pictures in docs are those of the examples.
func TestDocs(t *testing.T) {
	for _, name := range []string{"mail-backup", "ldap-60-40"} {
		index, zones := example(t, name)
		got := svg(t, New(index, Options{Zones: zones}))
		path := filepath.Join("../../docs", name+".svg")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil || got != string(want) {
			t.Errorf("%s is not what is drawn now (%v): run go test ./plugin/picture -update, and look at it", path, err)
		}
	}
}
