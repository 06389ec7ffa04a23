package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestSharedRRsets: names with the same exchanges or targets, few or many, each get them under their own name, with
// the length on the wire.
func TestSharedRRsets(t *testing.T) {
	const srv = " SRV 0 6 389 mx1.example.org.\n"
	const glue = "glue mx1.example.org. A 192.0.2.1\n"
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
				{domain, dns.TypeMX, domain + " MX 10 mx1.example.org.\n" + domain + " MX 20 mx.example.net.\n" + glue},
				{"_ldap._tcp." + domain, dns.TypeSRV, "_ldap._tcp." + domain + srv + glue},
			} {
				match, answer := tab.Lookup(tc.name, tc.qtype)
				if got := answerText(answer); match != table.Data || got != tc.want {
					t.Errorf("%d names: %s\nwant\n%s", n, got, tc.want)
				}
				checkLengths(t, tc.name, answer)
			}
		}
	}
}

// TestShareEqual: names share records only if type, TTL, numbers and targets are the same.
func TestShareEqual(t *testing.T) {
	const names = 70
	var text strings.Builder
	groups := []struct{ line, want string }{
		{"mail d%d 10 mx1", "3600 IN MX 10 mx1.example.org."},
		{"mail d%d 20 mx1", "3600 IN MX 20 mx1.example.org."},
		{"mail d%d 10 mx1 { ttl 60 }", "60 IN MX 10 mx1.example.org."},
		{"mail d%d 10 mx2.example.net.", "3600 IN MX 10 mx2.example.net."},
		{"mail d%d 10 mx3.example.net.", "3600 IN MX 10 mx3.example.net."},
		{"mail d%d none", "3600 IN MX 0 ."},
		{"service d%d none", "3600 IN SRV 0 0 0 ."},
		{"service d%d 0 0 389 mx1", "3600 IN SRV 0 0 389 mx1.example.org."},
		{"alias d%d mx1", "3600 IN CNAME mx1.example.org."},
		{"alias d%d mx2.example.net.", "3600 IN CNAME mx2.example.net."},
		{"alias d%d mx1 { ttl 60 }", "60 IN CNAME mx1.example.org."},
		{"record d%d TXT a", `3600 IN TXT "a"`},
		{"record d%d TXT a { ttl 60 }", `60 IN TXT "a"`},
		{"record d%d TXT b", `3600 IN TXT "b"`},
		{`record d%d SPF "a"`, `3600 IN SPF "a"`},
		{"record d%d TLSA 3 1 1 00", "3600 IN TLSA 3 1 1 00"},
	}
	for i := range names * len(groups) {
		fmt.Fprintf(&text, groups[i%len(groups)].line+"\n", i)
	}
	tbl := compile(t, "host mx1 192.0.2.1\n"+text.String())
	for i := range names * len(groups) {
		name := fmt.Sprintf("d%d.example.org.", i)
		_, a := tbl.Lookup(name, dns.TypeANY)
		got := strings.ReplaceAll(a.RRs[0].String(), "\t", " ")
		if want := name + " " + groups[i%len(groups)].want; len(a.RRs) != 1 || got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// TestShareFrom: the 64th name with the same exchanges shares its records with those that follow, and no name before
// it does.
func TestShareFrom(t *testing.T) {
	for names, want := range map[int]int{1: 0, 63: 0, 64: 1, 65: 2, 100: 37} {
		var text strings.Builder
		for i := range names {
			fmt.Fprintf(&text, "mail d%d 10 mx1\n", i)
		}
		tbl, shared := compile(t, text.String()), 0
		for i := range names {
			var a table.Answer
			name := fmt.Sprintf("d%d.example.org.", i)
			tbl.Find(name, dns.TypeMX, &a)
			if a.Owner != "" {
				shared++
			}
			if owner := a.RRs[0].Header().Name; (a.Owner == "") != (owner == name) {
				t.Errorf("%d names: %s has records of %q and owner %q", names, name, owner, a.Owner)
			}
		}
		if shared != want {
			t.Errorf("%d names: %d share their records, want %d", names, shared, want)
		}
	}
}

// TestSharedRecords: names that share records of other types, one or several, and what an alias leads to, each get them
// under their own name: in zones with delegations and wildcards too.
func TestSharedRecords(t *testing.T) {
	const soa = "ns example.org. SOA ns1.example.org. hostmaster.example.org. 1 7200\n"
	for _, n := range []int{1, 63, 64, 65, 200} {
		names := func(prefix string) string { return " " + strings.Join(numbered(prefix, n), " ") }
		tbl := authoritative("host mx1 192.0.2.1\nhost *.w 192.0.2.2\nalias far mx.eu\nrecord eu NS ns.example.net.\n"+
			"record"+names("d")+" TXT a\nrecord"+names("d")+" TXT b\nrecord"+names("e")+" TXT a\n"+
			"record"+names("e")+" TXT c\nrecord"+names("tlsa")+" TLSA 3 1 1 00\n"+
			"alias"+names("to-host")+" mx1\nalias"+names("to-wildcard")+" x.w\nalias"+names("to-cut")+" far\n"+
			"alias"+names("to-text")+" d1\nalias"+names("to-apex")+" @\nalias"+names("round")+" x.back\n"+
			fmt.Sprintf("alias *.back round%d\nhost mx2 192.0.2.3\nalias", n)+names("mixed")+
			" mx2\nmail mixed1 10 mx1\nrecord mixed64 TXT x",
			table.Options{Serial: 1})
		for i := range n {
			for _, tc := range []struct {
				name, qtype, want string
			}{
				{"d%d", "TXT", "%[1]s TXT \"a\"\n%[1]s TXT \"b\"\n"},
				{"e%d", "TXT", "%[1]s TXT \"a\"\n%[1]s TXT \"c\"\n"},
				{"d%d", "MX", soa},
				{"tlsa%d", "TLSA", "%s TLSA 3 1 1 00\n"},
				{"to-host%d", "A", "%s CNAME mx1.example.org.\nmx1.example.org. A 192.0.2.1\n"},
				{"mixed%d", "A", "%s CNAME mx2.example.org.\nmx2.example.org. A 192.0.2.3\n"},
				{"to-host%d", "CNAME", "%s CNAME mx1.example.org.\n"},
				{"to-host%d", "TXT", "%s CNAME mx1.example.org.\n" + soa},
				{"to-wildcard%d", "A", "%s CNAME x.w.example.org.\nx.w.example.org. A 192.0.2.2\n"},
				{"to-wildcard%d", "TXT", "%s CNAME x.w.example.org.\n" + soa},
				{"to-cut%d", "A", "%s CNAME far.example.org.\nfar.example.org. CNAME mx.eu.example.org.\n"},
				{"to-text%d", "TXT", "%s CNAME d1.example.org.\nd1.example.org. TXT \"a\"\nd1.example.org. TXT \"b\"\n"},
				{"to-apex%d", "SOA", "%s CNAME example.org.\n" + soa[len("ns "):]},
			} {
				name := fmt.Sprintf(tc.name, i+1) + ".example.org."
				want := strings.ReplaceAll(strings.ReplaceAll(tc.want, "%[1]s", name), "%s", name)
				match, a := tbl.Lookup(name, dns.StringToType[tc.qtype])
				if got := answerText(a); match != table.Data || got != want {
					t.Errorf("%d names: %s %s: %s\nwant\n%s", n, name, tc.qtype, got, want)
				}
				checkLengths(t, name, a)
			}
		}
		name := fmt.Sprintf("round%d.example.org.", n)
		_, a := tbl.Lookup(name, dns.TypeA)
		want := name + " CNAME x.back.example.org.\nx.back.example.org. CNAME " + name + "\n"
		if answerText(a) != want {
			t.Errorf("%d names: a loop: %s\nwant\n%s", n, answerText(a), want)
		}
		if _, a := tbl.Lookup("mixed1.example.org.", dns.TypeMX); !strings.Contains(answerText(a), "MX 10 mx1") {
			t.Errorf("%d names: an alias with other data: %s", n, answerText(a))
		}
	}
}
