package test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/mxsrv/mxsrv"
	tokens = "github.com/coredns/caddy/caddyfile" // a Corefile's words; no server
)

// mayImport says, for each package, what it may import of this module, by the last
// parts of the path, and of CoreDNS. Packages that are not in it are for nobody to import.
var mayImport = map[string][]string{
	"plugin/definition":  {tokens},
	"plugin/serial":      {},
	"plugin/wire":        {},
	"plugin/atomicfile":  {},
	"plugin/lint":        {"plugin/definition"},
	"plugin/table":       {"plugin/definition"},
	"plugin/change":      {"plugin/definition"},
	"plugin/admit":       {"plugin/definition", "plugin/lint", "plugin/change"},
	"plugin/source":      {"plugin/definition", "plugin/change"},
	"plugin/source/file": {"plugin/definition", "plugin/change", "plugin/source", "plugin/atomicfile"},
	"plugin/skydns":      {"plugin/definition", "plugin/change"},
	"plugin/etcd":        {"plugin/definition", "plugin/change", "plugin/skydns", "plugin/atomicfile"},
	"plugin/health":      {"plugin/definition", "plugin/atomicfile"},
	"plugin/publish": {"plugin/definition", "plugin/serial", "plugin/lint", "plugin/table", "plugin/change", "plugin/admit",
		"plugin/source", "plugin/health", "plugin/atomicfile"},
	"plugin/answer": {"plugin/definition", "plugin/table", "plugin/wire", "github.com/coredns/coredns/"},
	"plugin/corefile": {"plugin/definition", "plugin/change", "plugin/source", "plugin/source/file", "plugin/etcd",
		"plugin/skydns", "plugin/health", "plugin/atomicfile", tokens},
	".": {"plugin/", "github.com/coredns/"},

	"cmd/internal/example": {},
	"cmd/coredns":          {".", "cmd/internal/example", "github.com/coredns/"},
	"cmd/mxsrv": {"plugin/", "cmd/internal/example", "cmd/mxsrv/internal/", "github.com/coredns/coredns/plugin",
		tokens},
	"cmd/mxsrv/internal/store": {"plugin/definition", "plugin/lint", "plugin/change", "plugin/admit", "plugin/etcd",
		"cmd/mxsrv/internal/hint"},
	"cmd/mxsrv/internal/webhook":  {"plugin/definition", "plugin/lint", "plugin/change", "cmd/mxsrv/internal/store"},
	"cmd/mxsrv/internal/hint":     {},
	"cmd/mxsrv/internal/delivery": {},
	"cmd/mxsrv/internal/picture":  {"plugin/definition"},
	"cmd/mxsrv/internal/foreign":  {"plugin/definition", "plugin/change", "plugin/skydns"},
	"test/rig":                    {},
}

// mustNotImport are exceptions: the tool answers no queries.
var mustNotImport = map[string][]string{
	"cmd/mxsrv": {"plugin/answer"},
}

// TestHouse: data flows one way, and the packages below plugin know no server.
func TestHouse(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		of := short(p.ImportPath)
		allowed, ok := mayImport[of]
		if !ok && of != "test" {
			t.Errorf("%s is not in the table: say what it may import", of)
		}
		if !ok {
			continue
		}
		seen++
		for _, path := range p.Imports {
			if path = short(path); isHouse(path) && (!matches(allowed, path) || matches(mustNotImport[of], path)) {
				t.Errorf("%s imports %s", of, path)
			}
		}
	}
	if seen != len(mayImport) {
		t.Errorf("%d packages looked at, want %d", seen, len(mayImport))
	}
}

// short returns a path within this module without that of the module, which is ".".
func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// isHouse reports whether a path is of this module, or of CoreDNS.
func isHouse(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return slices.Contains([]string{".", "plugin", "cmd", "test"}, first) || strings.HasPrefix(path, "github.com/coredns/")
}

func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p)
	})
}

// TestRoot: the package that CoreDNS imports is wiring, and doc.go says where the rest is.
func TestRoot(t *testing.T) {
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
	if len(files) == 0 || len(files) > 8 {
		t.Errorf("%d files, want at most 8: %v", len(files), files)
	}
	doc, err := os.ReadFile("../doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for p := range mayImport {
		if name := strings.TrimPrefix(p, "cmd/mxsrv/internal/"); p != "." && !strings.Contains(string(doc), name) {
			t.Errorf("doc.go does not speak of %s", p)
		}
	}
}
