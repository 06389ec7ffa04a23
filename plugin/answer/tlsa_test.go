package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestTLSA: answers that dnssec signs have the TLSA records of their targets after all addresses, and lose them first.
func TestTLSA(t *testing.T) {
	const tlsa = ` TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
`
	const definitions = `
mail @ 10 mx1 mx2
mail out 10 mx.example.net.
mail null none
alias a @
host mx1 192.0.2.1 2001:db8::1
host mx2 192.0.2.2
record _25._tcp.mx1` + tlsa + `record _25._tcp.mx1 TLSA 3 1 1 00
record _993._tcp.mx1 _853._udp.mx2` + tlsa + `record _25._tcp.mx.example.net.` + tlsa + `
service _imaps._tcp {
    0 1 993 mx1
    1 1 993 mx1
    2 1 993 mx2
    3 1 994 mx1
}
service _dns._udp 0 0 853 mx2
`
	for _, tc := range []struct {
		name, question string
		size           uint16
		do             bool
		want           string
	}{
		{"mail", "example.org. MX", 4096, true, "mx1 A, mx1 AAAA, mx2 A, _25._tcp.mx1 TLSA, _25._tcp.mx1 TLSA"},
		{"alias", "a.example.org. MX", 4096, true, "mx1 A, mx1 AAAA, mx2 A, _25._tcp.mx1 TLSA, _25._tcp.mx1 TLSA"},
		{"service", "_imaps._tcp.example.org. SRV", 4096, true, "mx1 A, mx1 AAAA, mx2 A, _993._tcp.mx1 TLSA"},
		{"protocol", "_dns._udp.example.org. SRV", 4096, true, "mx2 A, _853._udp.mx2 TLSA"},
		{"not asked for signatures", "example.org. MX", 4096, false, "mx1 A, mx1 AAAA, mx2 A"},
		{"room for addresses alone", "example.org. MX", 640, true, "mx1 A, mx1 AAAA, mx2 A"},
		{"zone that is not signed", "out.example.org. MX", 4096, true, ""},
		{"null MX", "null.example.org. MX", 4096, true, ""},
		{"a host itself", "mx1.example.org. A", 4096, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDnssec(t, "example.org.")
			s := newServer(t, definitions, nil, "example.org.")
			core, c := s.after(t, d), newClient(t, false)
			core.ServeDNS(t.Context(), c.ResponseWriter, query(tc.question).SetEdns0(tc.size, tc.do))
			m := c.message(t)
			if tc.do && verify(t, d.key, slices.Concat(m.Answer, m.Extra)) == 0 {
				t.Error("nothing is signed")
			}
			if got := extra(m); got != tc.want || m.Truncated {
				t.Errorf("%s, TC %t\nwant %s", got, m.Truncated, tc.want)
			}
		})
	}
}

// extra writes the owners and types of what is in the Additional section, which may be in any order of hosts.
func extra(m *dns.Msg) string {
	var all []string
	addresses := 0
	for _, rr := range m.Extra {
		switch h := rr.Header(); h.Rrtype {
		case dns.TypeOPT, dns.TypeRRSIG:
		default:
			all = append(all, strings.TrimSuffix(h.Name, ".example.org.")+" "+dns.Type(h.Rrtype).String())
			if h.Rrtype != dns.TypeTLSA {
				addresses = len(all)
			}
		}
	}
	slices.Sort(all[:addresses])
	return strings.Join(all, ", ")
}
