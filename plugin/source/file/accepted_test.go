package file

import (
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/source"
)

// TestRestore: of a pattern that was followed there is what was accepted, of another one what is there now, but for
// files that were accepted for any.
func TestRestore(t *testing.T) {
	d := folder{t, t.TempDir()}
	for _, name := range []string{"a", "b", "c", "d", ".h"} {
		d.write(name+".conf", "host now-"+name+" 192.0.2.1\n")
	}
	accepted := func(names string, patterns ...string) source.Accepted {
		var a source.Accepted
		for _, p := range d.source(patterns...).Patterns {
			a.Patterns = append(a.Patterns, p.Path)
		}
		for _, p := range d.source(strings.Fields(names)...).Patterns {
			name := strings.TrimSuffix(strings.TrimPrefix(p.Path, d.path+"/"), ".conf")
			a.Files = append(a.Files, source.File{Path: p.Path, Text: "host " + name + " 192.0.2.1\n"})
		}
		return a
	}
	for _, tc := range []struct {
		name     string
		patterns []string
		accepted []source.Accepted
		want     string
	}{
		{"nothing accepted", []string{"a.conf"}, nil, "now-a"},
		{"a file", []string{"a.conf"}, []source.Accepted{accepted("a.conf", "a.conf")}, "a"},
		{"of another pattern", []string{"a.conf"}, []source.Accepted{accepted("a.conf b.conf", "*.conf")}, "a"},
		{"a file that is gone", []string{"z.conf"}, []source.Accepted{accepted("z.conf", "z.conf")}, "z"},
		{"none that was followed is there", []string{"y.conf"}, []source.Accepted{accepted("a.conf", "a.conf")},
			"Corefile:3: y.conf: no such file or directory: create it, or delete it from this line"},
		{"a pattern", []string{"[ad].conf"}, []source.Accepted{accepted("a.conf", "[ad].conf")}, "a"},
		{"another pattern", []string{"[ad].conf"}, []source.Accepted{accepted("a.conf b.conf", "*.conf")}, "a now-d"},
		{"a second one", []string{"[ab].conf", "[cd].conf"}, []source.Accepted{accepted("a.conf", "[ab].conf")}, "a now-c now-d"},
		{"several for a file", []string{"a.conf", "*.conf"}, []source.Accepted{accepted("a.conf b.conf", "a.conf", "*.conf")}, "a b"},
		{"of several sources", []string{"[ab].conf", "c.conf"},
			[]source.Accepted{accepted("d.conf", "[d].conf"), accepted("c.conf", "c.conf"), accepted("b.conf", "[ab].conf")}, "b c"},
		{"the first of two", []string{"*.conf"}, []source.Accepted{accepted("a.conf", "*.conf"), accepted("b.conf", "*.conf")}, "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := d.source(tc.patterns...).Restore(tc.accepted)
			if got := d.declared(c); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if n := len(strings.Fields(tc.want)); len(c.Errs) == 0 && len(c.Documents) != n {
				t.Errorf("%d documents, want %d", len(c.Documents), n)
			}
		})
	}

	f := d.source("[ab].conf", "c.conf")
	again := f.Accepted(f.Load())
	if want := d.source("[ab].conf", "c.conf").Restore([]source.Accepted{again}); !want.Equal(f.Load()) {
		t.Errorf("accepted %v, want what is there", again)
	}
	if i := slices.IndexFunc(again.Patterns, func(p string) bool { return strings.HasSuffix(p, "c.conf") }); i != 1 {
		t.Errorf("patterns %q", again.Patterns)
	}
}
