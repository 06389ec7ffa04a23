package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var example = records{
	[]host{{"mx1", []string{"192.0.2.10", "2001:db8::10"}}, {"mx2", []string{"192.0.2.20"}}},
	[]set{
		{"MX", []string{"@", "sales"}, []target{{"10", "mx1"}, {"20", "mx2"}}},
		{"SRV", []string{"_ldap._tcp"}, []target{{"0 6 389", "mx1"}}},
	},
}

// TestWriters: the same records in the words of every server.
func TestWriters(t *testing.T) {
	for _, tc := range []struct {
		name  string
		write func(io.Writer)
		want  string
	}{
		{"definitions", example.definitions, `
host mx1 192.0.2.10 2001:db8::10
host mx2 192.0.2.20
mail @ sales {
    10 mx1
    20 mx2
}
service _ldap._tcp {
    0 6 389 mx1
}`},
		{"zone", example.zoneFile, `
example.org. 3600 IN SOA ns.example.net. hostmaster.example.org. 1 7200 1800 86400 60
example.org. 3600 IN NS ns.example.net.
mx1.example.org. 3600 IN A 192.0.2.10
mx1.example.org. 3600 IN AAAA 2001:db8::10
mx2.example.org. 3600 IN A 192.0.2.20
example.org. 3600 IN MX 10 mx1.example.org.
example.org. 3600 IN MX 20 mx2.example.org.
sales.example.org. 3600 IN MX 10 mx1.example.org.
sales.example.org. 3600 IN MX 20 mx2.example.org.
_ldap._tcp.example.org. 3600 IN SRV 0 6 389 mx1.example.org.`},
		{"hosts", example.hostsFile, `
192.0.2.10 mx1.example.org
2001:db8::10 mx1.example.org
192.0.2.20 mx2.example.org`},
		{"dnsmasq", example.dnsmasq, `
host-record=mx1.example.org,192.0.2.10,2001:db8::10
host-record=mx2.example.org,192.0.2.20
mx-host=example.org,mx1.example.org,10
mx-host=example.org,mx2.example.org,20
mx-host=sales.example.org,mx1.example.org,10
mx-host=sales.example.org,mx2.example.org,20
srv-host=_ldap._tcp.example.org,mx1.example.org,389,0,6`},
		{"etcd", func(w io.Writer) { example.keys(func(key, value string) { fmt.Fprintln(w, key, value) }) }, `
/skydns/org/example/mx1/x0 {"host":"192.0.2.10","ttl":3600}
/skydns/org/example/mx1/x1 {"host":"2001:db8::10","ttl":3600}
/skydns/org/example/mx2/x0 {"host":"192.0.2.20","ttl":3600}
/skydns/org/example/x0 {"host":"mx1.example.org","mail":true,"priority":10,"ttl":3600}
/skydns/org/example/x1 {"host":"mx2.example.org","mail":true,"priority":20,"ttl":3600}
/skydns/org/example/sales/x0 {"host":"mx1.example.org","mail":true,"priority":10,"ttl":3600}
/skydns/org/example/sales/x1 {"host":"mx2.example.org","mail":true,"priority":20,"ttl":3600}
/skydns/org/example/_tcp/_ldap/x0 {"host":"mx1.example.org","port":389,"priority":0,"ttl":3600,"weight":6}`},
	} {
		var text strings.Builder
		tc.write(&text)
		if got, want := strings.TrimSpace(text.String()), strings.TrimSpace(tc.want); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, want)
		}
	}
}

func TestAnswer(t *testing.T) {
	both := []string{"mx1.example.org. 3600 in a 192.0.2.10", "mx1.example.org. 3600 in aaaa 2001:db8::10",
		"mx2.example.org. 3600 in a 192.0.2.20"}
	exchanges := func(owner string) []string {
		return []string{owner + " 3600 in mx 10 mx1.example.org.", owner + " 3600 in mx 20 mx2.example.org."}
	}
	service := []string{"_ldap._tcp.example.org. 3600 in srv 0 6 389 mx1.example.org."}
	for _, tc := range []struct {
		question     question
		answer, glue []string
	}{
		{question{"example.org", "MX"}, exchanges("example.org."), both},
		{question{"sales.example.org", "MX"}, exchanges("sales.example.org."), both},
		{question{"_ldap._tcp.example.org", "SRV"}, service, both[:2]},
		{question{"mx1.example.org", "AAAA"}, both[1:2], nil},
		{question{"nosuch.example.org", "MX"}, nil, nil},
	} {
		answer, glue := example.answer(tc.question)
		if !slices.Equal(sorted(answer), tc.answer) || !slices.Equal(sorted(glue), tc.glue) {
			t.Errorf("%s: %q with %q, want %q with %q", tc.question, answer, glue, tc.answer, tc.glue)
		}
	}
}

// TestFits: a server with other records is not measured; what it adds or
// omits beside them is reported.
func TestFits(t *testing.T) {
	const (
		answer = "example.org. 3600 IN MX 20 mx2.example.org.\nexample.org. 3600 IN MX 10 mx1.example.org.\n"
		glue   = "mx1.example.org. 3600 IN A 192.0.2.10\nmx2.example.org. 3600 IN A 192.0.2.20\n"
		ns     = "example.org. 3600 IN NS ns.example.net.\n"
	)
	w := &workload{records: exchanges2}
	for _, tc := range []struct {
		name, answer, ns, glue string
		want                   string // of the error
		deviations             string
	}{
		{"in another order", answer, "", glue, "", ""},
		{"without addresses", answer, "", "", "", "0 of 2 addresses"},
		{"with name servers", answer, ns, glue, "", "NS in authority"},
		{"other preferences", strings.ReplaceAll(answer, "MX 20", "MX 3"), "", glue, "the records of the answer are", ""},
		{"nothing", "", "", "", "the records of the answer are", ""},
	} {
		m := new(dns.Msg)
		m.Response, m.Authoritative = true, true
		m.Answer, m.Ns, m.Extra = parsed(t, tc.answer), parsed(t, tc.ns), parsed(t, tc.glue)
		q := question{"example.org", "MX"}
		err := w.fits(q, m)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
		if got := strings.Join(w.deviations(q, m), ", "); err == nil && got != tc.deviations {
			t.Errorf("%s: differs in %q, want %q", tc.name, got, tc.deviations)
		}
	}
}

func parsed(t *testing.T, text string) []dns.RR {
	t.Helper()
	var rrs []dns.RR
	for line := range strings.Lines(text) {
		record, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, record)
	}
	return rrs
}

// TestWorkloads: a name that no peer or picture has would be silently omitted.
func TestWorkloads(t *testing.T) {
	var drawn []string
	for _, g := range panelGroups {
		drawn = append(drawn, g.names...)
	}
	for _, w := range workloads {
		for _, name := range strings.Fields(w.peers) {
			if !slices.ContainsFunc(peers, func(p peer) bool { return p.name == name }) {
				t.Errorf("%s: no peer %q", w.name, name)
			}
		}
		if !slices.Contains(drawn, w.name) {
			t.Errorf("%s is in no picture", w.name)
		}
		if w.name == "million" {
			continue // large, and as thousand
		}
		answer, _ := w.served().answer(w.questions()[0])
		if (len(answer) == 0) != w.denial {
			t.Errorf("%s: %d records answer %s, which is a denial: %t", w.name, len(answer), w.questions()[0], w.denial)
		}
	}
}
