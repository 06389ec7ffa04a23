package table_test

import (
	"fmt"
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

// text writes an answer in one line for each record, sections marked.
func text(a table.Answer) string {
	var b strings.Builder
	for mark, rrs := range [][]dns.RR{a.RRs, a.Ns, a.Glue} {
		for _, rr := range rrs {
			f := strings.Fields(rr.String())
			b.WriteString([]string{"", "ns ", "glue "}[mark] + f[0] + " " + strings.Join(f[3:min(len(f), 8)], " ") + "\n")
		}
	}
	return b.String()
}

func TestLookup(t *testing.T) {
	glue := "glue mx1.example.org. A 192.0.2.10\nglue mx1.example.org. A 192.0.2.11\nglue mx1.example.org. AAAA 2001:db8::10\nglue mx2.example.org. AAAA 2001:db8::20\n"
	mx := "example.org. MX 5 mx1.example.org.\nexample.org. MX 10 mx.example.net.\nexample.org. MX 10 mx2.example.org.\nexample.org. MX 20 mx1.example.org.\n"
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
		{"_ldap._tcp.example.org.", dns.TypeSRV, table.Data, "_ldap._tcp.example.org. SRV 0 6 389 mx1.example.org.\n_ldap._tcp.example.org. SRV 0 4 389 mx2.example.org.\n_ldap._tcp.example.org. SRV 1 9 389 gone.example.org.\n" + glue},
		{"_gopher._tcp.example.org.", dns.TypeSRV, table.Data, "_gopher._tcp.example.org. SRV 0 0 0 .\n"},
		{"mx1.example.org.", dns.TypeA, table.Data, "mx1.example.org. A 192.0.2.10\nmx1.example.org. A 192.0.2.11\n"},
		{"mx2.example.org.", dns.TypeA, table.Data, soa},
		{"mx2.example.org.", dns.TypeANY, table.Data, "mx2.example.org. AAAA 2001:db8::20\n"},
		{"www.example.org.", dns.TypeAAAA, table.Data, "www.example.org. CNAME mx2.example.org.\nmx2.example.org. AAAA 2001:db8::20\n"},
		{"www.example.org.", dns.TypeA, table.Data, "www.example.org. CNAME mx2.example.org.\n" + soa},
		{"www.example.org.", dns.TypeTXT, table.Data, "www.example.org. CNAME mx2.example.org.\n"},
		{"www.example.org.", dns.TypeCNAME, table.Data, "www.example.org. CNAME mx2.example.org.\n"},
		{"www.example.org.", dns.TypeANY, table.Data, "www.example.org. CNAME mx2.example.org.\n"},
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
		if got := text(a); match != tc.match || got != tc.want {
			t.Errorf("%s %s: %d\n%swant %d\n%s", tc.name, dns.TypeToString[tc.qtype], match, got, tc.match, tc.want)
		}
		length := 0
		for _, rrs := range [][]dns.RR{a.RRs, a.Ns, a.Glue} {
			if len(rrs) != cap(rrs) {
				t.Errorf("%s: a slice of %d with room for %d", tc.name, len(rrs), cap(rrs))
			}
		}
		for _, rr := range slices.Concat(a.RRs, a.Glue) {
			length += dns.Len(rr)
		}
		if a.Len != length {
			t.Errorf("%s: Len %d, want %d", tc.name, a.Len, length)
		}
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
	for name, qtype := range map[string]uint16{"example.org.": dns.TypeMX, "_ldap._tcp.example.org.": dns.TypeSRV, "mx1.example.org.": dns.TypeA} {
		_, a := tbl.Lookup(name, qtype)
		_, b := reversed.Lookup(name, qtype)
		if text(a) != text(b) {
			t.Errorf("%s\n%sand\n%s", name, text(a), text(b))
		}
	}
}

func TestLookupAllocates(t *testing.T) {
	tbl := compile(t, definitions)
	if n := testing.AllocsPerRun(100, func() { tbl.Lookup("example.org.", dns.TypeMX); tbl.Lookup("no.example.org.", dns.TypeA) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzCompile: any text is judged and compiled without a panic. What may be
// served has no target that is an alias, no alias with other data, and no held
// name below one that does not exist.
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
		findings := lint.Check(set.Index(), errs, lint.Options{Zones: zones, Plugins: lint.Plugins{Before: []string{"cache", "dnssec", "minimal"}}})
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
			if _, chased := tbl.Lookup(target, dns.TypeCNAME); target != "" && len(chased.RRs) > 0 && chased.RRs[0].Header().Rrtype == dns.TypeCNAME {
				t.Errorf("%s: target %s is an alias", o.Name(), target)
			}
		}
		if len(o.Aliases()) > 0 && len(o.Hosts())+len(o.Mails())+len(o.Services()) > 0 {
			t.Errorf("%s is an alias and more", o.Name())
		}
	}
	for name := o.Name(); zones.Set().Of(name) != ""; name = name.Parent() {
		if match, _ := tbl.Lookup(string(name), dns.TypeNS); match == table.None {
			t.Errorf("%s is held, and %s above it does not exist", o.Name(), name)
		}
	}
}

// TestSharedSets: names that share a set of exchanges or targets, few or many,
// each get it under their own name, with its length on the wire.
func TestSharedSets(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 65, 200} {
		var names, services strings.Builder
		for i := range n {
			fmt.Fprintf(&names, " d%d", i)
			fmt.Fprintf(&services, " _ldap._tcp.d%d", i)
		}
		tab := compile(t, "host mx1 192.0.2.1\nmail"+names.String()+" {\n 10 mx1\n 20 mx.example.net.\n}\n"+
			"service"+services.String()+" 0 6 389 mx1\nmail own 10 mx1\n")
		for i := range n {
			domain := fmt.Sprintf("d%d.example.org.", i)
			for _, tc := range []struct {
				name  string
				qtype uint16
				want  string
			}{
				{domain, dns.TypeMX, domain + " MX 10 mx1.example.org.\n" + domain + " MX 20 mx.example.net.\nglue mx1.example.org. A 192.0.2.1\n"},
				{"_ldap._tcp." + domain, dns.TypeSRV, "_ldap._tcp." + domain + " SRV 0 6 389 mx1.example.org.\nglue mx1.example.org. A 192.0.2.1\n"},
			} {
				match, answer := tab.Lookup(tc.name, tc.qtype)
				if got := text(answer); match != table.Data || got != tc.want {
					t.Errorf("%d names: %s\nwant\n%s", n, got, tc.want)
				}
				octets := 0
				for _, rr := range slices.Concat(answer.RRs, answer.Glue) {
					octets += dns.Len(rr)
				}
				if answer.Len != octets {
					t.Errorf("%d names: %s has %d octets, want %d", n, tc.name, answer.Len, octets)
				}
				if len(answer.RRs) != cap(answer.RRs) || len(answer.Glue) != cap(answer.Glue) {
					t.Errorf("%d names: %s: a section has room for what is not its own", n, tc.name)
				}
			}
		}
	}
}
