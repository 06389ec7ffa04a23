package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEstate: both servers have the same records, all that a domain may have in each zone, and are asked for those that
// are there.
func TestEstate(t *testing.T) {
	e := newEstate("two zones", 2, 5)
	e.dir = filepath.Join(t.TempDir(), "estate")
	if err := e.prepare(); err != nil {
		t.Fatal(err)
	}
	const perDomain, apex = 21, 2 // SOA and NS
	if want := 2 * (5*perDomain + apex); e.records != want {
		t.Errorf("%d records, want %d", e.records, want)
	}
	var owners []string
	for _, z := range e.zones {
		text, err := os.ReadFile(e.path("db." + string(z)))
		if err != nil || strings.Count(string(text), "\tIN\t") != e.records/2 || !strings.Contains(string(text), "k=rsa") {
			t.Errorf("%v\n%s", err, text)
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); f[3] == "TXT" {
				owners = append(owners, f[0])
			}
		}
		if !strings.Contains(e.lines("file"), "file db."+string(z)+" "+string(z)) || !strings.Contains(e.lines("mxsrv"), string(z)) {
			t.Errorf("%s is not in the Corefile", z)
		}
	}
	for _, kind := range asked {
		for _, q := range e.random(kind.prefixes) {
			if q.kind != "TXT" || !slices.Contains(owners, q.name+".") {
				t.Fatalf("%s: nothing has %s", kind.title, q)
			}
		}
	}
}
