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
