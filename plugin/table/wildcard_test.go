package table_test

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestWildcards: RFC 4592 §2.2.1, with the names of its example and more.
func TestWildcards(t *testing.T) {
	const text = `host host1 192.0.2.1
host *.h 192.0.2.2 192.0.2.3
mail *.m 10 host1
mail *.deep.m none
record * TXT "this is a wildcard"
alias *.a www.h
alias *.chain next.a
alias *.loop x.loop
alias *.there back
alias back x.there
alias *.dangling sub.host1
alias *.elsewhere sub.host1.example.net.
alias missing _nosuch.host1
alias ent _tcp.host1
alias w nosuch.h
alias nodata nosuch.h
service _ssh._tcp.host1 0 0 22 host1
record _ssh._tcp.host2 TXT "here"
host b.*.under 192.0.2.4
`
	const soa = "ns example.org. SOA ns1.example.org. hostmaster.example.org. 1 7200\n"
	const txt = ` TXT "this is a wildcard"` + "\n"
	tbl := authoritative(text, table.Options{Serial: 1})
	for _, tc := range []struct {
		name  string
		qtype uint16
		rcode int
		want  string
	}{
		{"host3.example.org.", dns.TypeTXT, 0, "host3.example.org." + txt},
		{"foo.bar.example.org.", dns.TypeTXT, 0, "foo.bar.example.org." + txt},
		{"host3.example.org.", dns.TypeMX, 0, soa},
		{"host3.example.org.", dns.TypeANY, 0, "host3.example.org." + txt},
		{"*.example.org.", dns.TypeTXT, 0, "*.example.org." + txt},
		{"x.*.example.org.", dns.TypeTXT, dns.RcodeNameError, soa}, // the asterisk exists
		{"host1.example.org.", dns.TypeTXT, 0, soa},
		{"sub.host1.example.org.", dns.TypeTXT, dns.RcodeNameError, soa},
		{"_telnet._tcp.host1.example.org.", dns.TypeTXT, dns.RcodeNameError, soa},
		{"_tcp.host2.example.org.", dns.TypeTXT, 0, soa},
		{"ghost.host2.example.org.", dns.TypeTXT, dns.RcodeNameError, soa},
		{"x.h.example.org.", dns.TypeA, 0, "x.h.example.org. A 192.0.2.2\nx.h.example.org. A 192.0.2.3\n"},
		{"x.h.example.org.", dns.TypeAAAA, 0, soa},
		{"h.example.org.", dns.TypeA, 0, soa},
		{`a\.b.h.example.org.`, dns.TypeA, 0, `a\.b.h.example.org. A 192.0.2.2` + "\n" + `a\.b.h.example.org. A 192.0.2.3` + "\n"},
		{`a\.h.example.org.`, dns.TypeTXT, 0, `a\.h.example.org.` + txt},
		{"x.m.example.org.", dns.TypeMX, 0, "x.m.example.org. MX 10 host1.example.org.\nglue host1.example.org. A 192.0.2.1\n"},
		{"x.deep.m.example.org.", dns.TypeMX, 0, "x.deep.m.example.org. MX 0 .\n"},
		{"deep.m.example.org.", dns.TypeMX, 0, soa},
		{"x.a.example.org.", dns.TypeA, 0,
			"x.a.example.org. CNAME www.h.example.org.\nwww.h.example.org. A 192.0.2.2\nwww.h.example.org. A 192.0.2.3\n"},
		{"x.a.example.org.", dns.TypeTXT, 0, "x.a.example.org. CNAME www.h.example.org.\n" + soa},
		{"x.a.example.org.", dns.TypeCNAME, 0, "x.a.example.org. CNAME www.h.example.org.\n"},
		{"w.example.org.", dns.TypeA, 0,
			"w.example.org. CNAME nosuch.h.example.org.\nnosuch.h.example.org. A 192.0.2.2\nnosuch.h.example.org. A 192.0.2.3\n"},
		{"nodata.example.org.", dns.TypeTXT, 0, "nodata.example.org. CNAME nosuch.h.example.org.\n" + soa},
		{"x.chain.example.org.", dns.TypeAAAA, 0, "x.chain.example.org. CNAME next.a.example.org.\n" +
			"next.a.example.org. CNAME www.h.example.org.\n" + soa},
		{"y.loop.example.org.", dns.TypeA, 0, "y.loop.example.org. CNAME x.loop.example.org.\n" +
			"x.loop.example.org. CNAME x.loop.example.org.\n"},
		{"y.there.example.org.", dns.TypeA, 0, "y.there.example.org. CNAME back.example.org.\n" +
			"back.example.org. CNAME x.there.example.org.\nx.there.example.org. CNAME back.example.org.\n"},
		{"back.example.org.", dns.TypeA, 0, "back.example.org. CNAME x.there.example.org.\n" +
			"x.there.example.org. CNAME back.example.org.\n"},
		{"y.dangling.example.org.", dns.TypeA, dns.RcodeNameError, "y.dangling.example.org. CNAME sub.host1.example.org.\n" + soa},
		{"y.dangling.example.org.", dns.TypeCNAME, 0, "y.dangling.example.org. CNAME sub.host1.example.org.\n"},
		{"y.elsewhere.example.org.", dns.TypeA, 0, "y.elsewhere.example.org. CNAME sub.host1.example.net.\n"},
		{"missing.example.org.", dns.TypeA, dns.RcodeNameError, "missing.example.org. CNAME _nosuch.host1.example.org.\n" + soa},
		{"ent.example.org.", dns.TypeA, 0, "ent.example.org. CNAME _tcp.host1.example.org.\n" + soa},
	} {
		match, a := tbl.Lookup(tc.name, tc.qtype)
		if got := answerText(a); match != table.Data || got != tc.want || a.Rcode != tc.rcode {
			t.Errorf("%s %s: %d %s\n%swant %s\n%s", tc.name, dns.TypeToString[tc.qtype], match,
				dns.RcodeToString[a.Rcode], got, dns.RcodeToString[tc.rcode], tc.want)
		}
		a.Ns = nil
		checkLengths(t, tc.name, a)
	}
}

// TestWildcardSource: the types of a name that does not exist are those of its wildcard, and a wildcard is for
// authoritative zones alone.
func TestWildcardSource(t *testing.T) {
	const text = "host *.h 192.0.2.2\nhost a.h 192.0.2.3"
	whole, overlay := authoritative(text, table.Options{}), compile(t, text)
	for name, want := range map[string]string{
		"x.h.example.org.": "*.h.example.org.", "a.h.example.org.": "a.h.example.org.", "x.example.org.": "x.example.org.",
	} {
		if got := whole.Source(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got := overlay.Source(name); got != name {
			t.Errorf("%s in an overlay: %s", name, got)
		}
	}
	if match, _ := overlay.Lookup("x.h.example.org.", dns.TypeA); match != table.None {
		t.Errorf("in an overlay: %d, want none", match)
	}
}
