package picture

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/source/file"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

var update = flag.Bool("update", false, "write what is drawn now to docs, for somebody to look at")

// example reads the mxsrv blocks of an example, with the files that they name.
func example(t testing.TB, name string) (*definition.Index, definition.Zones) {
	t.Helper()
	dir := filepath.Join("../../../../examples", name)
	path := filepath.Join(dir, "Corefile")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	servers, err := caddyfile.Parse(path, strings.NewReader(string(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	set, zones := new(definition.Set), definition.Zones(nil)
	for _, server := range servers {
		d := caddyfile.NewDispenserTokens(path, server.Tokens["mxsrv"])
		b := corefile.Read(&d, corefile.Env{Root: dir, Keys: server.Keys, Origins: plugin.OriginsFromArgsOrServerBlock})
		set, zones = definition.Merge(set, b.Inline), append(zones, b.Zones...)
		for _, f := range b.Files {
			b.Errs = append(b.Errs, readFiles(t, set, f)...)
		}
		if len(b.Errs) > 0 {
			t.Fatal(b.Errs)
		}
	}
	slices.Sort(zones)
	return set.Index(), slices.Compact(zones)
}

func readFiles(t testing.TB, set *definition.Set, f *file.Source) (errs definition.Errors) {
	t.Helper()
	for _, pattern := range f.Patterns {
		paths, err := filepath.Glob(pattern.Path)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			errs = append(errs, set.Read(path, string(text), f.Zones)...)
		}
	}
	return errs
}

// options are what a test sets of a picture.
type options struct {
	Title string
	Zones definition.Zones
	Limit int
}

// read makes the picture of a text.
func read(t testing.TB, text string, opt options) *Picture {
	t.Helper()
	if opt.Zones == nil {
		opt.Zones = definition.Zones{"example.org."}
	}
	set, errs := definition.Read("x", text, opt.Zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := New(set.Index(), opt.Zones)
	p.Title, p.limit = cmp.Or(opt.Title, p.Title), cmp.Or(opt.Limit, p.limit)
	return p
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
		got := svg(t, New(index, zones))
		path := filepath.Join("../../../../docs", name+".svg")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil || got != string(want) {
			t.Errorf("%s is not what is drawn now (%v): run go test ./cmd/mxsrv/internal/picture -update, and look at it", path, err)
		}
	}
}
