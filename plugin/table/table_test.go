package table_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

var zones = definition.Zones{"example.org.", "deep.sub.example.org."}

func compile(t testing.TB, text string) *table.Table {
	t.Helper()
	set, errs := definition.Read("x", text, zones[:1])
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return table.Compile(set.Index(), table.Options{Zones: zones, Serial: 1})
}

const definitions = `
host mx1 2001:db8::10 192.0.2.11 192.0.2.10
host mx2 2001:db8::20
host x.deep.sub 192.0.2.30
mail @ {
    20 mx1
    10 mx.example.net. mx2
    5 mx1
}
mail none.of.it none
service _ldap._tcp {
    0 4 389 mx2
    0 6 389 mx1
    1 9 389 gone
}
service _gopher._tcp none
alias www mx2
alias mail.alias @
alias far www.example.net.
`

// answerText writes an answer in one line for each record, sections marked.
func answerText(a table.Answer) string {
	var b strings.Builder
	for mark, rrs := range [][]dns.RR{a.RRs, a.Ns, a.Glue} {
		for _, rr := range rrs {
			f := strings.Fields(rr.String())
			section := []string{"", "ns ", "glue "}[mark]
			b.WriteString(section + f[0] + " " + strings.Join(f[3:min(len(f), 8)], " ") + "\n")
		}
	}
	return b.String()
}

func TestLookup(t *testing.T) {
	const glue = "glue mx1.example.org. A 192.0.2.10\nglue mx1.example.org. A 192.0.2.11\n" +
		"glue mx1.example.org. AAAA 2001:db8::10\nglue mx2.example.org. AAAA 2001:db8::20\n"
	const mx = "example.org. MX 5 mx1.example.org.\nexample.org. MX 10 mx.example.net.\n" +
		"example.org. MX 10 mx2.example.org.\nexample.org. MX 20 mx1.example.org.\n"
	const srv = "_ldap._tcp.example.org. SRV 0 6 389 mx1.example.org.\n" +
		"_ldap._tcp.example.org. SRV 0 4 389 mx2.example.org.\n_ldap._tcp.example.org. SRV 1 9 389 gone.example.org.\n"
	const www = "www.example.org. CNAME mx2.example.org.\n"
	soa := "ns example.org. SOA ns.dns.example.org. hostmaster.example.org. 1 7200\n"
	tbl := compile(t, definitions)
	for _, tc := range []struct {
		name  string
		qtype uint16
		match table.Match
		want  string
	}{
		{"example.org.", dns.TypeMX, table.Data, mx + glue},
		{"example.org.", dns.TypeANY, table.Data, mx + glue},
		{"example.org.", dns.TypeA, table.Exists, ""},
		{"none.of.it.example.org.", dns.TypeMX, table.Data, "none.of.it.example.org. MX 0 .\n"},
		{"_ldap._tcp.example.org.", dns.TypeSRV, table.Data, srv + glue},
		{"_gopher._tcp.example.org.", dns.TypeSRV, table.Data, "_gopher._tcp.example.org. SRV 0 0 0 .\n"},
		{"mx1.example.org.", dns.TypeA, table.Data, "mx1.example.org. A 192.0.2.10\nmx1.example.org. A 192.0.2.11\n"},
		{"mx2.example.org.", dns.TypeA, table.Data, soa},
		{"mx2.example.org.", dns.TypeANY, table.Data, "mx2.example.org. AAAA 2001:db8::20\n"},
		{"www.example.org.", dns.TypeAAAA, table.Data, www + "mx2.example.org. AAAA 2001:db8::20\n"},
		{"www.example.org.", dns.TypeA, table.Data, www + soa},
		{"www.example.org.", dns.TypeTXT, table.Data, www},
		{"www.example.org.", dns.TypeCNAME, table.Data, www},
		{"www.example.org.", dns.TypeANY, table.Data, www},
		{"mail.alias.example.org.", dns.TypeMX, table.Data, "mail.alias.example.org. CNAME example.org.\n" + mx + glue},
		{"far.example.org.", dns.TypeA, table.Data, "far.example.org. CNAME www.example.net.\n"},
		{"_tcp.example.org.", dns.TypeSRV, table.Exists, ""},
		{"it.example.org.", dns.TypeMX, table.Exists, ""},
		{"deep.sub.example.org.", dns.TypeA, table.Exists, ""},
		{"sub.example.org.", dns.TypeA, table.Exists, ""},
		{"nosuch.example.org.", dns.TypeMX, table.None, ""},
		{"org.", dns.TypeNS, table.None, ""},
		{".", dns.TypeNS, table.None, ""},
		{"", dns.TypeMX, table.None, ""},
	} {
		match, a := tbl.Lookup(tc.name, tc.qtype)
		if got := answerText(a); match != tc.match || got != tc.want {
			t.Errorf("%s %s: %d\n%swant %d\n%s", tc.name, dns.TypeToString[tc.qtype], match, got, tc.match, tc.want)
		}
		checkLengths(t, tc.name, a)
	}
}

// checkLengths checks that Len is the length of an answer, and that appending to a section copies it.
func checkLengths(t *testing.T, name string, a table.Answer) {
	t.Helper()
	length := 0
	for _, rrs := range [][]dns.RR{a.RRs, a.Ns, a.Glue} {
		if len(rrs) != cap(rrs) {
			t.Errorf("%s: a slice of %d with room for %d", name, len(rrs), cap(rrs))
		}
	}
	for _, rr := range slices.Concat(a.RRs, a.Glue) {
		length += dns.Len(rr)
	}
	if a.Len != length {
		t.Errorf("%s: Len %d, want %d", name, a.Len, length)
	}
}

// TestOrder: the order of declaration does not show.
func TestOrder(t *testing.T) {
	reversed := compile(t, `
service _ldap._tcp 1 9 389 gone
service _ldap._tcp 0 6 389 mx1
service _ldap._tcp 0 4 389 mx2
mail @ 5 mx1
mail @ 10 mx2 mx.example.net.
mail @ 20 mx1
host mx2 2001:db8::20
host mx1 192.0.2.10 192.0.2.11
host mx1 2001:db8::10`)
	tbl := compile(t, definitions)
	for name, qtype := range map[string]uint16{
		"example.org.": dns.TypeMX, "_ldap._tcp.example.org.": dns.TypeSRV, "mx1.example.org.": dns.TypeA} {
		_, a := tbl.Lookup(name, qtype)
		_, b := reversed.Lookup(name, qtype)
		if answerText(a) != answerText(b) {
			t.Errorf("%s\n%sand\n%s", name, answerText(a), answerText(b))
		}
	}
}

func TestLookupAllocates(t *testing.T) {
	tbl := compile(t, definitions)
	n := testing.AllocsPerRun(100, func() {
		tbl.Lookup("example.org.", dns.TypeMX)
		tbl.Lookup("no.example.org.", dns.TypeA)
	})
	if n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzCompile: any text is judged and compiled without a panic. What may be served has no target that is an alias, no
// alias with other data, and no name with records below one that does not exist.
func FuzzCompile(f *testing.F) {
	seeds, err := filepath.Glob("../lint/testdata/*.txt")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, seed := range seeds {
		seedText, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		for part := range strings.SplitSeq(string(seedText), "\n-- ") {
			_, body, _ := strings.Cut(part, "--\n")
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		set, errs := definition.Read("x", string(in), zones[:1])
		opt := lint.Options{Zones: zones, Plugins: lint.Plugins{Before: []string{"cache", "dnssec", "minimal"}}}
		findings := lint.Check(set.Index(), errs, opt)
		tbl := table.Compile(set.Index(), table.Options{Zones: zones})
		if lint.Err(findings) != nil {
			return
		}
		for o := range set.Index().Owners() {
			served(t, tbl, o)
		}
	})
}

// served checks one owner of a set that may be served.
func served(t *testing.T, tbl *table.Table, o definition.Owner) {
	for _, qtype := range []uint16{dns.TypeMX, dns.TypeSRV, dns.TypeA} {
		_, a := tbl.Lookup(string(o.Name()), qtype)
		for _, rr := range a.RRs {
			target := ""
			switch rr := rr.(type) {
			case *dns.MX:
				target = rr.Mx
			case *dns.SRV:
				target = rr.Target
			}
			_, a := tbl.Lookup(target, dns.TypeCNAME)
			if target != "" && len(a.RRs) > 0 && a.RRs[0].Header().Rrtype == dns.TypeCNAME {
				t.Errorf("%s: target %s is an alias", o.Name(), target)
			}
		}
		if len(o.Aliases()) > 0 && len(o.Hosts())+len(o.Mails())+len(o.Services()) > 0 {
			t.Errorf("%s is an alias and more", o.Name())
		}
	}
	for name := o.Name(); zones.Set().Of(name) != ""; name = name.Parent() {
		if match, _ := tbl.Lookup(string(name), dns.TypeNS); match == table.None {
			t.Errorf("%s has records, and %s above it does not exist", o.Name(), name)
		}
	}
}
