package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// judge writes findings as "PLACE ID", sorted.
func judge(findings []lint.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, fmt.Sprint(strings.TrimPrefix(f.Pos.String(), "etcd:/mxsrv/"), " ", f.Rule.ID))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// declares returns the simulator of a server block of example.org that declares something itself.
func declares(t *testing.T, text string) *Simulator {
	set, errs := definition.Read("Corefile", text, definition.Zones{"example.org."})
	if errs != nil {
		t.Fatal(errs)
	}
	sim := NewSimulator(definition.Zones{"example.org."})
	sim.Declared = set
	return sim
}

func storeOf(simulators ...*Simulator) *Store {
	return &Store{Config: etcd.New("127.0.0.1:1"), Simulators: simulators}
}

// TestMissingTarget: what an authoritative zone lacks may be in a fragment yet, if there are any.
func TestMissingTarget(t *testing.T) {
	for zones, want := range map[string]lint.Severity{"": lint.Error, "example.org.": lint.Warning} {
		sim := declares(t, "service _s._tcp 0 0 1 missing")
		sim.Declared.Apexes = []definition.Apex{{Zone: "example.org.", Servers: []definition.NameServer{{Host: "ns.example.net."}}}}
		if zones == "" {
			sim.Zones = nil
		}
		findings := sim.Simulate(nil).Findings
		i := slices.IndexFunc(findings, func(f lint.Finding) bool { return f.Rule.ID == lint.TargetUndefined })
		if i < 0 || findings[i].Rule.Severity != want {
			t.Errorf("fragments of %q: %v, want %v", zones, findings, want)
		}
	}
}

func TestExcluded(t *testing.T) {
	entries := []Entry{
		entry("/mxsrv/alias", "alias mx2 mx1", 30),
		entry("/mxsrv/hosts", "host mx1 192.0.2.1\nhost mx2 192.0.2.2", 10),
		entry("/mxsrv/mail", "mail @ 10 mx1 mx2", 20),
		entry("/mxsrv/outside", "host mx1.example.net. 192.0.2.1", 40),
		entry("/mxsrv/unreadable", "# one\nhosst a 192.0.2.1", 50),
	}
	for _, test := range []struct {
		name string
		s    *Store
		want string
	}{
		{"alone", storeOf(NewSimulator(definition.Zones{"example.org."})),
			"alias: alias:1 fragment-younger; outside: outside:1 owner-outside-zone; unreadable: unreadable:2 syntax; "},
		{"beside a Corefile", storeOf(declares(t, "alias mx1 web\nhost web 192.0.2.9")),
			"alias: alias:1 fragment-younger; hosts: hosts:1 fragment-closed; mail: mail:1 mx-target-alias; outside: outside:1 owner-outside-zone; unreadable: unreadable:2 syntax; "},
		{"in two server blocks", storeOf(NewSimulator(definition.Zones{"example.org."}), NewSimulator(definition.Zones{"example.net."})),
			"alias: alias:1 fragment-younger, alias:1 fragment-younger; outside: outside:1 fragment-younger, outside:1 owner-outside-zone; unreadable: unreadable:2 syntax, unreadable:2 syntax; "},
	} {
		excluded := test.s.Excluded(entries)
		got := ""
		for _, e := range entries {
			if why := excluded[e.Key]; why != nil {
				got += strings.TrimPrefix(e.Key, "/mxsrv/") + ": " + judge(why) + "; "
			}
		}
		if got != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestConsequences: what is wrong with what is put, and what becomes wrong by it; but not what is wrong already.
func TestConsequences(t *testing.T) {
	entries := []Entry{
		entry("/mxsrv/bad", "alias a b\nalias b a", 10),
		entry("/mxsrv/mail", "mail @ 10 mx1 mx2", 20),
		entry("/mxsrv/single", "mail single 10 mx1", 30),
	}
	put := func(key, text string, created int64) Change {
		return Change{Edit: change.Edit{Fragment: entry("/mxsrv/"+key, text, created).Fragment}, Before: Entry{}}
	}
	withdraw := func(key string) Change {
		c := put(key, "", 0)
		c.Gone = true
		return c
	}
	sim := declares(t, "host mx1 192.0.2.1\nhost mx2 198.51.100.1")
	for _, test := range []struct {
		name    string
		changes []Change
		want    string
	}{
		{"nothing wrong", []Change{put("host", "host web 192.0.2.1", 40)}, ""},
		{"wrong alone", []Change{put("host", "host web 192.0.2", 40)}, "host:1 syntax"},
		{"a warning about what is put", []Change{put("other", "mail other 10 mx1", 40)}, "other:1 mail-single-host"},
		{"put again as it was", []Change{put("bad", "alias a b\nalias b a", 10)}, "bad:1 alias-of-alias, bad:2 alias-of-alias"},
		{"the younger is excluded", []Change{put("alias", "alias mx3 mx1", 5), put("hosts", "host mx3 192.0.2.3", 4)}, "alias:1 fragment-younger"},
		{"one that is served loses its name", []Change{put("mx", "mail @ none", 5)}, "mail:1 fragment-younger"},
		{"one loses another name", []Change{put("bad", "alias a b\nalias b a\nmail single 10 mx2", 10)}, "bad:1 alias-of-alias, bad:2 alias-of-alias, bad:3 mail-single-host, single:1 fragment-younger"},
		{"deleted", []Change{withdraw("single")}, ""},
		{"replaced in one step", []Change{withdraw("mail"), put("mx", "mail @ none", 40)}, ""},
	} {
		if got := judge(storeOf(sim).Consequences(entries, test.changes)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestExclusions: by key, all that is wrong with what is put, and what others lose; not what they have lost
// already, nor what an authoritative zone lacks.
func TestExclusions(t *testing.T) {
	entries := []Entry{
		entry("/mxsrv/bad", "alias a b\nalias b a", 10),
		entry("/mxsrv/mail", "mail @ 10 mx1 mx2", 20),
	}
	put := func(key, text string) Change {
		return Change{Edit: change.Edit{Fragment: entry("/mxsrv/"+key, text, 40).Fragment}}
	}
	for _, test := range []struct {
		name    string
		changes []Change
		want    string
	}{
		{"nothing wrong, but a target that is not declared", []Change{put("new", "mail new 10 mx9")}, ""},
		{"syntax", []Change{put("new", "host mx1")}, "/mxsrv/new: new:1 syntax; "},
		{"one of two names", []Change{put("new", "host new 192.0.2.1\nmail @ 10 new")}, "/mxsrv/new: new:2 fragment-younger; "},
		{"another loses", []Change{put("new", "alias mx1 new")}, "/mxsrv/mail: mail:1 mx-target-alias; "},
		{"put again as it was", []Change{put("bad", "alias a b\nalias b a")},
			"/mxsrv/bad: bad:1 alias-of-alias, bad:2 alias-of-alias; "},
	} {
		got := ""
		excluded := storeOf(NewSimulator(definition.Zones{"example.org."})).Exclusions(entries, test.changes)
		for _, key := range slices.Sorted(maps.Keys(excluded)) {
			got += key + ": " + judge(excluded[key]) + "; "
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestAllow: what a line of allow keeps from a key is excluded, and so refused.
func TestAllow(t *testing.T) {
	sim := declares(t, "")
	sim.Allow = change.Allowances{{Key: "/mxsrv/anna", Names: []definition.Name{"anna.example.org."}}}
	entries := []Entry{entry("/mxsrv/anna", "host anna 192.0.2.1\nhost ben 192.0.2.1", 10)}
	if got := judge(storeOf(sim).Excluded(entries)["/mxsrv/anna"]); got != "anna:2 fragment-not-allowed" {
		t.Error(got)
	}
	change := Change{Edit: change.Edit{Fragment: entry("/mxsrv/ben", "host ben 192.0.2.1", 20).Fragment}, Before: Entry{}}
	if got := judge(storeOf(sim).Consequences(entries, []Change{change})); got != "ben:1 fragment-not-allowed" {
		t.Error(got)
	}
}

// TestManyExcluded: of a fragment with very many names that are excluded a few reasons are kept.
func TestManyExcluded(t *testing.T) {
	var hosts, mails strings.Builder
	for i := range 100 {
		fmt.Fprintf(&hosts, "host h%d 192.0.2.1\n", i)
		fmt.Fprintf(&mails, "mail h%d none\n", i)
	}
	s := storeOf(declares(t, hosts.String()))
	f := entry("/mxsrv/many", mails.String(), 10)
	if got := len(s.Excluded([]Entry{f})["/mxsrv/many"]); got != mostReasons {
		t.Errorf("%d reasons", got)
	}
	if got := len(s.Consequences(nil, []Change{{Edit: change.Edit{Fragment: f.Fragment}, Before: Entry{}}})); got != mostReasons {
		t.Errorf("%d reasons to refuse it", got)
	}
}

// TestAbsolute: without zones every name must be absolute, and targets may be anywhere.
func TestAbsolute(t *testing.T) {
	s := storeOf(NewSimulator(nil))
	for _, test := range []struct{ text, want string }{
		{"host a.example.org. 192.0.2.1\nmail example.org. 10 mx.example.net. a.example.org.", ""},
		{"host a 192.0.2.1", "x:1 owner-outside-zone"},
		{"mail example.org. {\n10 a.example.org.\n20 b\n}", "x:3 owner-outside-zone"},
		{"service _ldap._tcp 0 0 389 ldap.example.org. ldap1", "x:1 owner-outside-zone, x:1 owner-outside-zone"},
		{"record a.example.org. HTTPS 1 web1", "x:1 owner-outside-zone"},
		{"record a.example.org. HTTPS 1 web1.example.net.\nrecord b.example.org. HTTPS 1 .", ""},
		{"record 1.2.0.192.in-addr.arpa. PTR web1", "x:1 owner-outside-zone"},
		{"record a.example.org. RP anna help", "x:1 owner-outside-zone, x:1 owner-outside-zone"},
		{"record a.example.org. TXT anna unknown.invalid.", ""},
		{"alias www web", "x:1 owner-outside-zone, x:1 owner-outside-zone"},
	} {
		f := entry("/mxsrv/x", test.text, 1).Fragment
		if got := judge(s.CheckAlone(f)); got != test.want {
			t.Errorf("%q alone: %s, want %s", test.text, got, test.want)
		}
		got := s.Consequences(nil, []Change{{Edit: change.Edit{Fragment: f}, Before: Entry{}}})
		got = slices.DeleteFunc(got, func(f lint.Finding) bool { return f.Rule.Severity == lint.Warning })
		if judge(got) != test.want {
			t.Errorf("%q: %s, want %s", test.text, judge(got), test.want)
		}
	}
}

// TestCheckAlone: what others declare does not count.
func TestCheckAlone(t *testing.T) {
	s := storeOf(declares(t, "host mx1 192.0.2.1"))
	apex := declares(t, "")
	apex.Declared.Apexes = []definition.Apex{{Zone: "example.org.", Servers: []definition.NameServer{{Host: "ns.example.net."}}}}
	wildcard := entry("/mxsrv/x", "host *.apps 192.0.2.1", 1).Fragment
	if got := judge(s.CheckAlone(wildcard)); got != "x:1 wildcard-in-overlay" {
		t.Errorf("a wildcard in an overlay: %s", got)
	}
	if got := judge(storeOf(apex).CheckAlone(wildcard)); got != "" {
		t.Errorf("a wildcard in an authoritative zone: %s", got)
	}
	for _, test := range []struct{ text, want string }{
		{"alias mx1 web", ""},
		{"mail @ 10 nobody", ""},
		{"host mx1 192.0.2.1\nalias mx1 web", "x:2 alias-with-other-data"},
		{"host mx1", "x:1 syntax"},
	} {
		if got := judge(s.CheckAlone(entry("/mxsrv/x", test.text, 1).Fragment)); got != test.want {
			t.Errorf("%q: %s, want %s", test.text, got, test.want)
		}
	}
}
