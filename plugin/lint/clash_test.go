package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestClashes: which lines contradict each other. A line that is wrong alone contradicts
// none.
func TestClashes(t *testing.T) {
	for _, tc := range []struct{ name, definitions, want string }{
		{"alias of itself", "alias a a",
			"alias-loop 1:"},
		{"loop", "alias a b\nalias b a",
			"alias-loop 1: 1-2; alias-loop 2: 2-1"},
		{"two aliases", "alias a mx1\nalias a mx2\n" + hosts("mx1 mx2"),
			"alias-with-other-data 2: 1-2"},
		{"alias and all data", "alias a mx1\nhost a 192.0.2.1\nhost a 192.0.2.2\nmail a none\nmail a none\n" + hosts("mx1"),
			"alias-with-other-data 1: 1-2 1-3 1-4 1-5"},
		{"alias and services", "alias _s._tcp mx1\nservice _s._tcp none\nservice _s._tcp none\n" + hosts("mx1"),
			"alias-with-other-data 1: 1-2 1-3"},
		{"another alias and the first of each kind", "alias a mx1\nalias a mx1\nhost a 192.0.2.1\nhost a 192.0.2.2\nmail a none\nmail a none\n" + hosts("mx1"),
			"alias-with-other-data 1: 1-3 1-4 1-5 1-6; alias-with-other-data 2: 2-3 2-5"},
		{"another alias and the first service", "alias _s._tcp mx1\nalias _s._tcp mx1\nservice _s._tcp none\nservice _s._tcp none\n" + hosts("mx1"),
			"alias-with-other-data 1: 1-3 1-4; alias-with-other-data 2: 2-3"},
		{"apex", "alias @ mx1\n" + hosts("mx1"),
			"alias-with-other-data 1:"},
		{"targets, each rule anew", "alias a mx1\nalias a mx1\nmail b 10 a\nmail c 10 a\nservice _s._tcp 0 0 1 a\n" + hosts("mx1"),
			"mx-target-alias 3: 3-1 3-2; mx-target-alias 4: 4-1; srv-target-alias 5: 5-1 5-2"},
		{"none and exchanges", "mail a 10 mx1\nmail a none\nmail a none\nmail a 20 mx1\n" + hosts("mx1"),
			"null-mx-not-alone 2: 2-1 1-2 1-3 2-4"},
		{"none and targets", "service _s._tcp none\nservice _s._tcp 0 0 1 mx1\nservice _s._tcp none\n" + hosts("mx1"),
			"srv-dot-not-alone 1: 2-1 1-2 2-3"},
		{"ttls", "host a 192.0.2.1\nhost a 192.0.2.2 {\nttl 60\n}\nhost a 192.0.2.3 {\nttl 70\n}\nhost a 192.0.2.4 {\nttl 60\n}",
			"ttl-conflict 5: 2-5"},
		{"invalid name", "host a+b 192.0.2.1",
			"name-invalid 1:"},
	} {
		if got := clashes(Errors(index(t, tc.definitions), nil, Options{Zones: zones})); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestApexClashes: the same for authoritative blocks.
func TestApexClashes(t *testing.T) {
	set := index(t, "alias ns mx1\n"+hosts("mx1")).Set
	for line := range 3 {
		set.Apexes = append(set.Apexes, definition.Apex{Pos: definition.Pos{Source: "Corefile", Line: 10 * (line + 1)}, Zone: zones[0],
			Servers: []definition.NameServer{{Pos: definition.Pos{Source: "Corefile", Line: 10*(line+1) + 1}, Host: "ns.example.org."}}})
	}
	want := "ns-target-alias 11: 11-1; authoritative-twice 20: 10-20; ns-target-alias 21: 21-1; " +
		"authoritative-twice 30: 10-30; ns-target-alias 31: 31-1"
	if got := clashes(Errors(set.Index(), nil, Options{Zones: zones})); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// clashes returns the rules and lines of findings, and the lines that contradict each
// other.
func clashes(findings []Finding) string {
	var all []string
	for _, f := range findings {
		words := []string{fmt.Sprintf("%s %d:", f.Rule.ID, f.Pos.Line)}
		for _, c := range f.Clashes {
			words = append(words, fmt.Sprintf("%d-%d", c[0].Line, c[1].Line))
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, "; ")
}
