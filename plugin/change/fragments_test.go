package change

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// fragments returns some, parted by ";": a, b, c..., the oldest first.
func fragments(texts string) *Fragments {
	f := NewFragments(zone)
	f.Apply(puts(strings.Split(texts, ";")...))
	return f
}

// keys returns those of fragments.
func keys(some []*Fragment) string {
	var keys []string
	for _, one := range some {
		keys = append(keys, one.Key)
	}
	return strings.Join(keys, " ")
}

// TestFragmentsApply: what edits change, and what is excluded then.
func TestFragmentsApply(t *testing.T) {
	put := func(key, text string, created int64) Edit {
		return Edit{Fragment: Fragment{Key: key, Text: text, Created: created}}
	}
	gone := func(key string) Edit { return Edit{Fragment: Fragment{Key: key}, Gone: true} }
	for _, tc := range []struct {
		name     string
		edits    []Edit // of a, which declares a, and b, which has a mistake
		changed  string
		mistakes int
		all      string // the oldest first
		excluded string
	}{
		{"nothing", nil, "", 0, "a b", "b"},
		{"the same again", puts("host a 192.0.2.1", "host b"), "", 0, "a b", "b"},
		{"a new one", []Edit{put("c", "host c 192.0.2.1", 3)}, "c", 0, "a b c", "b"},
		{"one that is older", []Edit{put("c", "host c 192.0.2.1", 0)}, "c", 0, "c a b", "b"},
		{"of the same age", []Edit{put("c", "host c 192.0.2.1", 1)}, "c", 0, "a c b", "b"},
		{"another text", []Edit{put("a", "host x 192.0.2.1", 1)}, "a x", 0, "a b", "b"},
		{"created anew", []Edit{put("a", "host a 192.0.2.1", 9)}, "a", 0, "b a", "b"},
		{"corrected", []Edit{put("b", "host b 192.0.2.1", 2)}, "b", 0, "a b", ""},
		{"another mistake", []Edit{put("a", "hots", 1)}, "a", 1, "a b", "a b"},
		{"gone", []Edit{gone("a")}, "a", 0, "b", "b"},
		{"one with a mistake gone", []Edit{gone("b")}, "", 0, "a", ""},
		{"one that is not there gone", []Edit{gone("c")}, "", 0, "a b", "b"},
		{"gone and back", []Edit{gone("a"), put("a", "host a 192.0.2.1", 5)}, "a", 0, "b a", "b"},
		{"what hangs on a name", []Edit{put("c", "mail c none {\nspf -all\ndkim s revoked\ndmarc reject\n}", 3)}, "_dmarc.c c s._domainkey.c", 0, "a b c", "b"},
		{"a key in a file", []Edit{put("c", "mail c none {\ndkim s key.pem\n}", 3)}, "", 1, "a b c", "b c"},
		{"all gone", []Edit{gone("a"), gone("b")}, "a", 0, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := fragments("host a 192.0.2.1;host b")
			keys(slices.Collect(f.All()))
			changed, errs := f.Apply(tc.edits)
			if got := labels(changed); got != tc.changed || len(errs) != tc.mistakes {
				t.Errorf("changed %q with mistakes %v, want %q", got, errs, tc.changed)
			}
			if got := keys(slices.Collect(f.All())); got != tc.all {
				t.Errorf("there are %q, want %q", got, tc.all)
			}
			if got := keys(f.unread.byAge()); got != tc.excluded {
				t.Errorf("unread %q, want %q", got, tc.excluded)
			}
			if all, excluded := f.Len(); all != len(strings.Fields(tc.all)) || excluded != len(strings.Fields(tc.excluded)) {
				t.Errorf("%d, %d of them excluded", all, excluded)
			}
		})
	}
}

// TestFragmentsShare: each of several fragments with a name is found as long as it is there.
func TestFragmentsShare(t *testing.T) {
	f := fragments("mail a 10 h;mail b 10 h;mail c 10 h;host h 192.0.2.1")
	pointing := func(want string) {
		t.Helper()
		set, ok := f.Pointing(named("h"))
		if got := labels(set.Owners()); got != want || !ok {
			t.Errorf("%q point to h, %v, want %q", got, ok, want)
		}
	}
	pointing("a b c")
	for _, step := range []struct{ key, left string }{{"b", "a c"}, {"c", "a"}, {"a", ""}} {
		f.Apply([]Edit{{Fragment: Fragment{Key: step.key}, Gone: true}})
		pointing(step.left)
	}
	f.Apply(puts("mail a 10 h"))
	pointing("a")
	if set, _ := f.Declaring(named("h")); len(set.Hosts) != 1 {
		t.Errorf("%d hosts", len(set.Hosts))
	}
	f.Apply([]Edit{{Fragment: Fragment{Key: "a"}, Gone: true}, {Fragment: Fragment{Key: "d"}, Gone: true}})
	if len(f.owners)+len(f.targets) > 0 {
		t.Errorf("of no fragments %d owners and %d targets are left", len(f.owners), len(f.targets))
	}
}

// TestFragmentsExclude: what is excluded is not declared, until it is not excluded any more; what else the fragment
// declares is, and what it declares can still be asked for.
func TestFragmentsExclude(t *testing.T) {
	f := fragments("host a 192.0.2.1\nmail m {\n10 a\nsrv\n};mail b 10 a;host")
	a, b := f.Of("etcd:a"), f.Of("etcd:b")
	declared := func() string {
		t.Helper()
		set := new(definition.Set)
		f.ReadAll(set)
		declaring, _ := f.Declaring(named("a b m"))
		pointing, _ := f.Pointing(named("a"))
		published := ""
		for _, set := range []*definition.Set{set, declaring} {
			if len(set.Index().At("_smtp._tcp.m.example.org.").Services()) > 0 {
				published += " srv"
			}
		}
		if got, want := labels(declaring.Owners()), labels(set.Owners()); got != want || len(published) == 4 {
			t.Errorf("%q are declared, and %q of all%s", got, want, published)
		}
		if unfiltered, _ := f.Contenders().Declaring(named("a b m")); labels(unfiltered.Owners()) != "a b m" {
			t.Errorf("unfiltered %q", labels(unfiltered.Owners()))
		}
		return labels(set.Owners()) + published + ", " + labels(pointing.Owners())
	}
	for _, step := range []struct {
		one      *Fragment
		name     definition.Name
		excluded bool
		want     string
		count    int // of fragments, with one that has a mistake
	}{
		{a, "a.example.org.", true, "b m srv srv, b m", 2},
		{b, "b.example.org.", true, "m srv srv, m", 3},
		{a, "m.example.org.", true, ", ", 3},
		{a, "a.example.org.", false, "a, ", 3},
		{a, "m.example.org.", false, "a m srv srv, m", 2},
		{a, "m.example.org.", false, "a m srv srv, m", 2},
		{a, "_smtp._tcp.m.example.org.", true, "a m, m", 3},
		{a, "_smtp._tcp.m.example.org.", false, "a m srv srv, m", 2},
	} {
		f.Exclude(step.one, step.name, step.excluded)
		if got := declared(); got != step.want {
			t.Errorf("%s of %s excluded %v: %q, want %q", step.name, step.one.Key, step.excluded, got, step.want)
		}
		if all, excluded := f.Len(); all != 3 || excluded != step.count {
			t.Errorf("%d of %d excluded, want %d", excluded, all, step.count)
		}
		if got := slices.Contains(slices.Collect(f.ExcludedAt(step.name)), step.one); got != step.excluded {
			t.Errorf("%s of %s is excluded: %v", step.name, step.one.Key, got)
		}
	}
	n := 0
	for one, name := range f.ReadmitAll().All {
		if one != b || name != "b.example.org." {
			t.Errorf("%s of %s was excluded", name, one.Key)
		}
		n++
	}
	if n != 1 || declared() != "a b m srv srv, b m" {
		t.Errorf("%d were excluded, and now %q are declared", n, declared())
	}
	f.Exclude(b, "b.example.org.", true)
	f.Apply([]Edit{{Fragment: Fragment{Key: "b"}, Gone: true}})
	if len(f.Excluded()) > 0 {
		t.Errorf("%v are excluded of what is gone", f.Excluded())
	}
	for name, want := range map[definition.Name]bool{"a.example.org.": true, "_smtp._tcp.m.example.org.": true, "b.example.org.": false} {
		if f.Has(name) != want {
			t.Errorf("it has %s: %v", name, !want)
		}
	}
}

// TestAllow: which keys may declare which names.
func TestAllow(t *testing.T) {
	all := Allowances{{"/mxsrv/anna", []definition.Name{"anna.example.org.", "a.example.org."}}, {"/mxsrv/ops/", []definition.Name{"example.org."}}}
	for _, tc := range []struct {
		key, name string
		want      bool
	}{
		{"/mxsrv/anna", "anna", true}, {"/mxsrv/anna", "x.y.anna", true}, {"/mxsrv/anna/x", "a", true}, {"/mxsrv/anna", "joanna", false},
		{"/mxsrv/anna", "@", false}, {"/mxsrv/annabel", "anna", false}, {"/mxsrv/ann", "anna", false}, {"/mxsrv/ben", "anna", false},
		{"/mxsrv/ops/x", "@", true}, {"/mxsrv/ops/x", "anna", true}, {"/mxsrv/ops", "anna", false},
		{"/mxsrv/anna", "anna.example.org._report._dmarc", true}, {"/mxsrv/anna", "x.anna.example.org._report._dmarc.b", true},
		{"/mxsrv/anna", "ben.example.org._report._dmarc", false}, {"/mxsrv/anna", "joanna.example.org._report._dmarc.ben", false},
		{"/mxsrv/anna", "_report._dmarc", false}, {"/mxsrv/anna", "anna.example.org._report.b", false},
		{"/mxsrv/ops/x", "example.net._report._dmarc", true},
	} {
		name, _ := definition.ParseName(tc.name, zone[0])
		if got := all.Allow(tc.key, name); got != tc.want {
			t.Errorf("%s may declare %s: %v", tc.key, tc.name, got)
		}
	}
	if !Allowances(nil).Allow("/mxsrv/x", "example.org.") {
		t.Error("without a line not all is allowed")
	}
}

// TestFragmentsOf: a fragment is found by its positions, whatever its key is.
func TestFragmentsOf(t *testing.T) {
	var none *Fragments
	if none.Of("etcd:a") != nil {
		t.Error("there are no fragments")
	}
	f := fragments("host a 192.0.2.1")
	for _, source := range []string{"Corefile", "etcd:b", `etcd:"`, "a"} {
		if one := f.Of(source); one != nil {
			t.Errorf("%q is fragment %q", source, one.Key)
		}
	}
	for _, key := range []string{"/mxsrv/a b", "/a\nb", "\x1b[2J", `"`, `a"b`, `\`, "\xff", "é", ""} {
		f.Apply([]Edit{{Fragment: Fragment{Key: key, Text: "host x 192.0.2.1"}}})
		set, _ := f.Read(f.byKey[key])
		source := set.Hosts[0].Source
		if one := f.Of(source); one == nil || one.Key != key || strings.ContainsAny(source, "\n\x1b") {
			t.Errorf("key %q: %q is fragment %v", key, source, one)
		}
	}
}

// TestFragmentsLimits: how much one declares, and how many are read for a name.
func TestFragmentsLimits(t *testing.T) {
	f := NewFragments(zone)
	product := func(names int) string { return "mail" + numbered(" d", names) + " 10" + numbered(" h", maxRecords/100) }
	changed, errs := f.Apply(puts(product(100), product(101)))
	want := "etcd:b:1: 101000 records in one fragment up to here: write at most 100000, and the others in further fragments"
	if errs.Error() != want || len(changed) != 100 {
		t.Errorf("%v, changed %d", errs, len(changed))
	}
	if set, _ := f.Read(f.Of("etcd:b")); len(set.Mails) > 0 {
		t.Error("too many records are declared")
	}
	var thousand definition.Zones
	for i := range 1000 {
		thousand = append(thousand, definition.Name(fmt.Sprintf("z%d.example.", i)))
	}
	_, errs = NewFragments(thousand).Apply(puts("service" + numbered(" _s", 2300) + " 0 0 1" + numbered(" h", 2300)))
	want = "etcd:a:1: 5290000000 records in one fragment up to here: write at most 100000, and the others in further fragments"
	if errs.Error() != want {
		t.Errorf("in a thousand zones: %v", errs)
	}
	f = NewFragments(zone)
	var edits []Edit
	for i := range maxFound + 1 {
		edits = append(edits, Edit{Fragment: Fragment{Key: fmt.Sprint(i), Text: "service _x._tcp 0 0 1 h"}})
	}
	f.Apply(edits[1:])
	for _, of := range []func(definition.Names) (*definition.Set, bool){f.Declaring, f.Pointing} {
		if set, ok := of(named("h _x._tcp")); !ok || len(set.Services) != maxFound {
			t.Errorf("of %d fragments not all are read", maxFound)
		}
	}
	f.Apply(edits[:1])
	for _, of := range []func(definition.Names) (*definition.Set, bool){f.Declaring, f.Pointing} {
		if _, ok := of(named("h _x._tcp")); ok {
			t.Errorf("all of %d fragments are read", maxFound+1)
		}
	}
}
