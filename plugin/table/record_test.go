package table_test

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestLookupRecords: records of other types, and the addresses of those that have a target (RFC 9460 §4.1).
func TestLookupRecords(t *testing.T) {
	tbl := compile(t, `
host web1 192.0.2.80 2001:db8::80
record @ TXT "v=spf1 -all"
record @ TXT other
record @ HTTPS 1 web1
record @ HTTPS 2 web1 port=8443
record web1 HTTPS 1 .
record web1 SVCB 0 .
record _x.web1 SVCB 1 svc.example.net.
record b HTTPS 0 web1
record c HTTPS 0 b
record deep.er.txt TYPE65280 "\#" 1 0a
alias www @`)
	const glue = "glue web1.example.org. A 192.0.2.80\nglue web1.example.org. AAAA 2001:db8::80\n"
	for _, tc := range []struct {
		name  string
		qtype uint16
		match table.Match
		want  string
	}{
		{"example.org.", dns.TypeTXT, table.Data, "example.org. TXT \"other\"\nexample.org. TXT \"v=spf1 -all\"\n"},
		{"example.org.", dns.TypeHTTPS, table.Data,
			"example.org. HTTPS 1 web1.example.org.\nexample.org. HTTPS 2 web1.example.org. port=\"8443\"\n" + glue},
		{"web1.example.org.", dns.TypeHTTPS, table.Data, "web1.example.org. HTTPS 1 .\n" + glue},
		{"web1.example.org.", dns.TypeSVCB, table.Data, "web1.example.org. SVCB 0 .\n"},
		{"_x.web1.example.org.", dns.TypeSVCB, table.Data, "_x.web1.example.org. SVCB 1 svc.example.net.\n"},
		{"b.example.org.", dns.TypeHTTPS, table.Data, "b.example.org. HTTPS 0 web1.example.org.\n" + glue +
			"glue web1.example.org. HTTPS 1 .\n"},
		{"c.example.org.", dns.TypeHTTPS, table.Data, "c.example.org. HTTPS 0 b.example.org.\n" +
			"glue b.example.org. HTTPS 0 web1.example.org.\n"},
		{"deep.er.txt.example.org.", 65280, table.Data, "deep.er.txt.example.org. TYPE65280 \\# 1 0a\n"},
		{"deep.er.txt.example.org.", dns.TypeTXT, table.Exists, ""},
		{"txt.example.org.", dns.TypeTXT, table.Exists, ""},
		{"deep.er.txt.example.org.", dns.TypeANY, table.Data, "deep.er.txt.example.org. TYPE65280 \\# 1 0a\n"},
		{"www.example.org.", dns.TypeHTTPS, table.Data, "www.example.org. CNAME example.org.\n" +
			"example.org. HTTPS 1 web1.example.org.\nexample.org. HTTPS 2 web1.example.org. port=\"8443\"\n" + glue},
	} {
		match, a := tbl.Lookup(tc.name, tc.qtype)
		if got := answerText(a); match != tc.match || got != tc.want {
			t.Errorf("%s %s: %d\n%swant %d\n%s", tc.name, dns.Type(tc.qtype), match, got, tc.match, tc.want)
		}
		checkLengths(t, tc.name, a)
	}
}

// TestManyTypes: a name may have more types than an octet counts.
func TestManyTypes(t *testing.T) {
	text := ""
	for i := range 300 {
		text += fmt.Sprintf("record a TYPE%d \"\\#\" 1 0a\n", 65280-i)
	}
	tbl := compile(t, text)
	for _, qtype := range []uint16{65280, 65280 - 299} {
		if match, _ := tbl.Lookup("a.example.org.", qtype); match != table.Data {
			t.Errorf("%s: match %d", dns.Type(qtype), match)
		}
	}
	if types := tbl.Types("a.example.org."); len(types) != 300 {
		t.Errorf("%d types, want 300", len(types))
	}
}
