package mxsrv

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

const defined = `mxsrv example.org example.com {
    host mx1 192.0.2.10 2001:db8::10
    mail @ 20 mx1
    service _ldap._tcp 0 0 389 mx1
    alias www mx1
    record mx1 CAA 0 issue ca.example
}`

// nextPlugin answers with one message, and remembers
// what it was asked.
type nextPlugin struct {
	answer *dns.Msg
	asked  int
}

func (*nextPlugin) Name() string { return "next" }

func (b *nextPlugin) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	b.asked++
	b.answer.SetRcode(r, b.answer.Rcode)
	return b.answer.Rcode, w.WriteMsg(b.answer)
}

func ask(t *testing.T, h plugin.Handler, m *dns.Msg) (rcode int, res *dns.Msg, err error) {
	t.Helper()
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	rcode, err = h.ServeDNS(t.Context(), w, m)
	return rcode, w.Msg, err
}

func TestAnsweredOrNext(t *testing.T) {
	for _, tc := range []struct {
		name, qname string
		qtype       uint16
		edit        func(*dns.Msg)
		next        bool
	}{
		{name: "mail domain", qname: "example.org.", qtype: dns.TypeMX},
		{name: "second zone", qname: "example.com.", qtype: dns.TypeMX},
		{name: "mixed case", qname: "_LDAP._tcp.Example.ORG.", qtype: dns.TypeSRV},
		{name: "family that the host has", qname: "mx1.example.org.", qtype: dns.TypeAAAA},
		{name: "ANY", qname: "example.org.", qtype: dns.TypeANY},
		{name: "record", qname: "mx1.example.org.", qtype: dns.TypeCAA},
		{name: "alias, any type", qname: "www.example.org.", qtype: dns.TypeTXT},
		{name: "other type", qname: "example.org.", qtype: dns.TypeTXT, next: true},
		{name: "empty non-terminal", qname: "_tcp.example.org.", qtype: dns.TypeA, next: true},
		{name: "other name", qname: "nosuch.example.org.", qtype: dns.TypeMX, next: true},
		{name: "other zone", qname: "example.net.", qtype: dns.TypeMX, next: true},
		{name: "root", qname: ".", qtype: dns.TypeNS, next: true},
		{name: "class CH", qname: "example.org.", qtype: dns.TypeMX, next: true,
			edit: func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }},
		{name: "NOTIFY", qname: "example.org.", qtype: dns.TypeMX, next: true,
			edit: func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }},
		{name: "UPDATE", qname: "example.org.", qtype: dns.TypeMX, next: true,
			edit: func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }},
		{name: "AXFR", qname: "example.org.", qtype: dns.TypeAXFR, next: true},
		{name: "no question", qname: "example.org.", qtype: dns.TypeMX, next: true,
			edit: func(m *dns.Msg) { m.Question = nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			next := &nextPlugin{answer: new(dns.Msg)}
			h, err := load(t, defined, next)
			if err != nil {
				t.Fatal(err)
			}
			m := new(dns.Msg).SetQuestion(tc.qname, tc.qtype)
			if tc.edit != nil {
				tc.edit(m)
			}
			_, res, _ := ask(t, h, m)
			if asked := next.asked == 1; asked != tc.next {
				t.Fatalf("left to the next plugin: %v, want %v", asked, tc.next)
			}
			if !tc.next && (!res.Authoritative || len(res.Answer) == 0 || res.Answer[0].Header().Name != strings.ToLower(tc.qname)) {
				t.Errorf("want an authoritative answer with the owner in lower case:\n%v", res)
			}
		})
	}
}

// passes is a next plugin that calls the next one, and none follows.
var passes = plugin.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return plugin.NextOrFailure("passes", nil, ctx, w, r)
})

// TestEndOfChain: with no next plugin, or only one that calls the next, we
// answer for our zones and leave the rest to CoreDNS.
func TestEndOfChain(t *testing.T) {
	for name, next := range map[string]plugin.Handler{"nothing": nil, "view": passes} {
		h, err := load(t, defined, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			qname   string
			rcode   int
			written bool
		}{
			{"_tcp.example.org.", dns.RcodeSuccess, true},
			{"example.org.", dns.RcodeSuccess, true},
			{"nosuch.example.com.", dns.RcodeNameError, true},
			{"example.net.", dns.RcodeServerFailure, false},
		} {
			before := total(t, "responses_total")
			rcode, res, err := ask(t, h, new(dns.Msg).SetQuestion(tc.qname, dns.TypeTXT))
			if rcode != tc.rcode || (res != nil) != tc.written || (err == nil) != tc.written {
				t.Errorf("%s next, %s: rcode %d, %v, %v", name, tc.qname, rcode, err, res)
			}
			if counted := total(t, "responses_total") > before; counted != tc.written {
				t.Errorf("%s next, %s: counted as a response: %v, want %v", name, tc.qname, counted, tc.written)
			}
			if res != nil && (len(res.Ns) != 1 || len(res.Extra) != 0 || res.Rcode != rcode) {
				t.Errorf("%s next, %s: want one SOA and nothing else: %v", name, tc.qname, res)
			}
		}
	}
}

func rr(t *testing.T, text string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	return rr
}

// TestRepairedDenial: a declared name is not denied by the next plugin, and what is
// true in the denial stays.
func TestRepairedDenial(t *testing.T) {
	soa := rr(t, "example.org. 300 IN SOA ns.example.org. admin.example.org. 7 7200 1800 86400 300")
	soaSig := rr(t, "example.org. 300 IN RRSIG SOA 13 2 300 20300101000000 20200101000000 1 example.org. AAAA")
	nsec := rr(t, "example.org. 300 IN NSEC z.example.org. A RRSIG NSEC")
	nsecSig := rr(t, "example.org. 300 IN RRSIG NSEC 13 2 300 20300101000000 20200101000000 1 example.org. AAAA")
	cname := rr(t, "shop.example.org. 300 IN CNAME nosuch.example.net.")
	for _, tc := range []struct {
		name, qname string
		rcode       int
		answer, ns  []dns.RR
		want        int
		wantNs      []dns.RR
	}{
		{"denied", "_tcp.example.org.", dns.RcodeNameError, nil, []dns.RR{soa}, dns.RcodeSuccess, []dns.RR{soa}},
		{"denied with proof", "example.org.", dns.RcodeNameError, nil, []dns.RR{soa, soaSig, nsec, nsecSig}, dns.RcodeSuccess, []dns.RR{soa, soaSig}},
		{"target of another's alias denied", "shop.example.org.", dns.RcodeNameError, []dns.RR{cname}, []dns.RR{soa}, dns.RcodeNameError, []dns.RR{soa}},
		{"no data", "_tcp.example.org.", dns.RcodeSuccess, nil, []dns.RR{soa, nsec}, dns.RcodeSuccess, []dns.RR{soa, nsec}},
		{"refused", "_tcp.example.org.", dns.RcodeRefused, nil, nil, dns.RcodeRefused, nil},
		{"not ours", "nosuch.example.org.", dns.RcodeNameError, nil, []dns.RR{soa, nsec}, dns.RcodeNameError, []dns.RR{soa, nsec}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			next := &nextPlugin{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: tc.rcode}, Answer: tc.answer, Ns: slices.Clone(tc.ns)}}
			h, err := load(t, strings.Replace(defined, "alias", "service _sip._tcp.shop 0 0 5060 mx1\n    alias", 1), next)
			if err != nil {
				t.Fatal(err)
			}
			rcode, res, _ := ask(t, h, new(dns.Msg).SetQuestion(tc.qname, dns.TypeTXT))
			if rcode != tc.want || res.Rcode != tc.want || !slices.Equal(res.Ns, tc.wantNs) {
				t.Errorf("rcode %d, %v\nwant %d, %v", rcode, res, tc.want, tc.wantNs)
			}
			if next.answer.Rcode != tc.rcode || !slices.Equal(next.answer.Ns, tc.ns) {
				t.Errorf("the message of the next plugin was changed: %v", next.answer)
			}
		})
	}
}
