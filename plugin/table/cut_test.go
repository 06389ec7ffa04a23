package table_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

const withCuts = `host ns1 192.0.2.53
record eu NS ns1.eu ns1
record eu DS 1 13 2 00
host ns1.eu 192.0.2.1
record deep.sub DS 2 13 2 00
record x.deep.sub NS ns.example.net.
alias w www.eu
alias v w
alias s ns1.eu
alias *.s ns1.eu
alias u nosuch.s
host deep.sub 192.0.2.9
record deep.eu NS ns1`

// TestCut: a name is at or below the topmost delegation of its zone.
func TestCut(t *testing.T) {
	tbl := authoritative(withCuts, table.Options{})
	for name, want := range map[string]string{
		"eu.example.org.": "eu.example.org.", "a.b.eu.example.org.": "eu.example.org.", `a\.b.eu.example.org.`: "eu.example.org.",
		"deep.eu.example.org.": "eu.example.org.", "y.x.deep.sub.example.org.": "x.deep.sub.example.org.",
		`x\.eu.example.org.`: "", "neu.example.org.": "", "example.org.": "", "deep.sub.example.org.": "", ".": "", "org.": "",
	} {
		if got := tbl.Cut(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	above := authoritative("record sub NS ns.example.net.\nhost h.deep.sub 192.0.2.1", table.Options{})
	if got := above.Cut("h.deep.sub.example.org."); got != "" { // lint wants none there, but any set compiles
		t.Errorf("in a zone below a delegation: %q", got)
	}
	if got := compile(t, withCuts).Cut("eu.example.org."); got != "" {
		t.Errorf("in an overlay: %q", got)
	}
}

// TestReferral: what is at and below a delegation is a referral but for DS, and ends the answer of an alias.
func TestReferral(t *testing.T) {
	tbl := authoritative(withCuts, table.Options{})
	const eu = "ns eu.example.org. NS ns1.eu.example.org.\nns eu.example.org. NS ns1.example.org.\n" +
		"glue ns1.eu.example.org. A 192.0.2.1\nglue ns1.example.org. A 192.0.2.53\n"
	for _, tc := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"eu.example.org.", dns.TypeNS, "referral " + eu},
		{"eu.example.org.", dns.TypeANY, "referral " + eu},
		{"ns1.eu.example.org.", dns.TypeA, "referral " + eu},
		{"x.deep.eu.example.org.", dns.TypeA, "referral " + eu},
		{"eu.example.org.", dns.TypeDS, "eu.example.org. DS 1 13 2 00\n"},
		{"deep.sub.example.org.", dns.TypeDS, "deep.sub.example.org. DS 2 13 2 00\n"},
		{"deep.sub.example.org.", dns.TypeA, "deep.sub.example.org. A 192.0.2.9\n"},
		{"w.example.org.", dns.TypeA, "w.example.org. CNAME www.eu.example.org.\n"},
		{"v.example.org.", dns.TypeA, "v.example.org. CNAME w.example.org.\nw.example.org. CNAME www.eu.example.org.\n"},
		{"s.example.org.", dns.TypeA, "s.example.org. CNAME ns1.eu.example.org.\n"},
		{"x.s.example.org.", dns.TypeA, "x.s.example.org. CNAME ns1.eu.example.org.\n"},
		{"x.s.example.org.", dns.TypeTXT, "x.s.example.org. CNAME ns1.eu.example.org.\n"},
		{"u.example.org.", dns.TypeA, "u.example.org. CNAME nosuch.s.example.org.\nnosuch.s.example.org. CNAME ns1.eu.example.org.\n"},
		{"u.example.org.", dns.TypeTXT, "u.example.org. CNAME nosuch.s.example.org.\nnosuch.s.example.org. CNAME ns1.eu.example.org.\n"},
		{"s.example.org.", dns.TypeAAAA, "s.example.org. CNAME ns1.eu.example.org.\n"},
	} {
		_, a := tbl.Lookup(tc.name, tc.qtype)
		got := answerText(a)
		if a.Referral {
			got = "referral " + got
		}
		if got != tc.want {
			t.Errorf("%s %s:\n%swant\n%s", tc.name, dns.Type(tc.qtype), got, tc.want)
		}
	}
}

// TestRenderCuts: DS records of a zone within another one are in that one, and in that alone.
func TestRenderCuts(t *testing.T) {
	tbl := authoritative(withCuts, table.Options{})
	for zone, want := range map[definition.Name]string{
		"example.org.":          "deep.sub.example.org.\t3600\tIN\tDS\t2 13 2 00\n",
		"deep.sub.example.org.": "x.deep.sub.example.org.\t3600\tIN\tNS\tns.example.net.\n",
	} {
		var b strings.Builder
		if err := tbl.Render(&b, zone); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", zone, err, b.String(), want)
		}
		if hasDS := strings.Contains(b.String(), "\tDS\t2"); hasDS != (zone == "example.org.") {
			t.Errorf("%s has the DS record of the zone within: %v", zone, hasDS)
		}
	}
	for name, want := range map[string]definition.Name{"deep.sub.example.org.": "example.org.", "x.deep.sub.example.org.": "deep.sub.example.org.",
		"example.org.": "", ".": ""} {
		if got := tbl.ZoneAbove(name); got != want {
			t.Errorf("above %s: %q, want %q", name, got, want)
		}
	}
}
