package test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mxsrv/mxsrv"

// mayImport holds, for each package, what it may import of this module and of
// CoreDNS; cmd, test and bench are not for others to import, but test/rig is for tests
// and benchmarks.
var mayImport = map[string][]string{
	"/plugin/definition": {"github.com/coredns/caddy/caddyfile"},
	"/plugin/lint":       {module + "/plugin/definition"},
	"/plugin/table":      {module + "/plugin/definition"},
	"/plugin/etcd":       {},
	"/plugin/wire":       {},
	"/plugin/admit":      {module + "/plugin/definition", module + "/plugin/lint"},
	"/plugin/source":     {module + "/plugin/definition", module + "/plugin/etcd"},
	"/plugin/block":      {module + "/plugin/definition", module + "/plugin/etcd", module + "/plugin/source", "github.com/coredns/caddy/caddyfile"},
	"/plugin/foreign":    {module + "/plugin/definition"},
	"/plugin/picture":    {module + "/plugin/definition"},
	"/plugin/delivery":   {},
	"/cmd/mxsrv":         {module + "/plugin/", "github.com/coredns/coredns/plugin", "github.com/coredns/caddy/caddyfile"},
	"":                   {module + "/plugin/", "github.com/coredns/"},
	"/cmd/coredns":       {module, "github.com/coredns/"},
	"/test/rig":          {},
}

// TestHouse: data flows one way, and the packages under plugin know no server.
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
		allowed, ok := mayImport[strings.TrimPrefix(p.ImportPath, module)]
		if !ok {
			continue
		}
		seen++
		for _, path := range p.Imports {
			inHouse := strings.HasPrefix(path, module) || strings.HasPrefix(path, "github.com/coredns/")
			if inHouse && !slices.ContainsFunc(allowed, func(a string) bool { return path == a || strings.HasSuffix(a, "/") && strings.HasPrefix(path, a) }) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
	if seen != len(mayImport) {
		t.Errorf("%d packages looked at, want %d", seen, len(mayImport))
	}
}
