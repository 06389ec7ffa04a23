package answer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// signs is the dnssec plugin as far as it matters here: each RRset in or below
// the zone gets a signature.
type signs string

func (zone signs) Sign(state request.Request, _ time.Time, _ string) *dns.Msg {
	m := state.Req
	for _, rr := range slices.Clone(m.Answer) {
		if dns.IsSubDomain(string(zone), rr.Header().Name) {
			m.Answer = append(m.Answer, &dns.RRSIG{Hdr: dns.RR_Header{Name: rr.Header().Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET},
				TypeCovered: rr.Header().Rrtype, SignerName: string(zone)})
		}
	}
	return m
}

// nsecOf returns what the NSEC record of an answer says, and "none" without one.
func nsecOf(t *testing.T, h *server, name string, qtype uint16) string {
	t.Helper()
	_, res, err := ask(t, h, new(dns.Msg).SetQuestion(name, qtype).SetEdns0(4096, true))
	if err != nil || res == nil {
		t.Fatalf("%s: %v, %v", name, res, err)
	}
	packed, err := res.Pack()
	if err == nil {
		err = res.Unpack(packed) // one spelling of all names
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, rr := range slices.Concat(res.Answer, res.Ns) {
		if nsec, ok := rr.(*dns.NSEC); ok {
			if next := `\000.` + nsec.Hdr.Name; nsec.NextDomain != next {
				t.Errorf("%s: next name %s, want %s", name, nsec.NextDomain, next)
			}
			return nsec.Hdr.Name + strings.TrimPrefix(nsec.String(), nsec.Hdr.String()+nsec.NextDomain)
		}
	}
	return "none"
}

const nested = `host ns1 192.0.2.53
host mx1 192.0.2.10
mail @ 10 mx1
alias www mx1
host web 192.0.2.80`

// nestedServer serves authoritative zones, one in the other, but for names below web.
func nestedServer(t *testing.T, next *following) *server {
	t.Helper()
	c := Config{Zones: definition.Zones{"example.org.", "child.example.org."}, Fallthrough: definition.Zones{"web.example.org."}}
	c.Authoritative = c.Zones
	if next == nil {
		return serverOf(t, nested, nil, c)
	}
	return serverOf(t, nested, next, c)
}

func overlayServer(t *testing.T, next *following) *server {
	t.Helper()
	if next == nil {
		return newServer(t, "host mx1 192.0.2.1", nil)
	}
	return newServer(t, "host mx1 192.0.2.1", next)
}

// TestProof: a NSEC record leaves out no type that a name may have, also of a
// next plugin, and lists NS alone where the zone delegates.
func TestProof(t *testing.T) {
	const more = " PTR HINFO MX TXT AAAA LOC SRV NAPTR CERT SSHFP RRSIG NSEC TLSA SMIMEA HIP OPENPGPKEY SVCB HTTPS SPF URI CAA"
	empty := &following{answer: &dns.Msg{Ns: []dns.RR{rr(t, "example.org. 60 IN SOA ns.example.org. admin.example.org. 7 7200 1800 86400 60")}}}
	for _, tc := range []struct {
		name     string
		server   func(*testing.T, *following) *server
		next     *following
		zone     signs
		question string
		want     string
	}{
		{"no next plugin", overlayServer, nil, "example.org.", "mx1.example.org. AAAA", "mx1.example.org. A RRSIG NSEC"},
		{"family that a host lacks", overlayServer, empty, "example.org.", "mx1.example.org. AAAA",
			"mx1.example.org. A" + strings.Replace(more, " AAAA", "", 1)},
		{"denied by the next plugin", overlayServer, empty, "example.org.", "mx1.example.org. TXT",
			"mx1.example.org. A" + strings.Replace(more, " TXT", "", 1)},
		{"below fallthrough", nestedServer, empty, "example.org.", "web.example.org. AAAA",
			"web.example.org. A" + strings.Replace(more, " AAAA", "", 1)},
		{"authoritative", nestedServer, empty, "example.org.", "mx1.example.org. AAAA", "mx1.example.org. A RRSIG NSEC"},
		{"apex", nestedServer, nil, "example.org.", "example.org. TXT", "example.org. NS SOA MX RRSIG NSEC DNSKEY"},
		{"DS where the zone delegates", nestedServer, empty, "example.org.", "child.example.org. DS", "child.example.org. NS RRSIG NSEC"},
		{"name that does not exist", nestedServer, nil, "example.org.", "nosuch.example.org. A", "nosuch.example.org. RRSIG NSEC NXNAME"},
		{"RRSIG", nestedServer, nil, "example.org.", "mx1.example.org. RRSIG", "mx1.example.org. A RRSIG NSEC"},
		{"RRSIG over the next plugin", overlayServer, empty, "example.org.", "mx1.example.org. RRSIG", "mx1.example.org. A" + more},
		{"RRSIG of a name that does not exist", nestedServer, nil, "example.org.", "nosuch.example.org. RRSIG", "nosuch.example.org. RRSIG NSEC NXNAME"},
		{"RRSIG of an alias", nestedServer, empty, "example.org.", "www.example.org. RRSIG", "mx1.example.org. A RRSIG NSEC"},
		{"NSEC", nestedServer, nil, "example.org.", "mx1.example.org. NSEC", "mx1.example.org. A RRSIG NSEC"},
		{"alias", nestedServer, empty, "example.org.", "www.example.org. TXT", "mx1.example.org. A RRSIG NSEC"},
		{"zone that is not signed", nestedServer, empty, "example.com.", "mx1.example.org. TXT", "none"},
		{"alias in a zone that is not signed", nestedServer, empty, "example.com.", "www.example.org. TXT", "none"},
	} {
		h := tc.server(t, tc.next)
		h.chain.signer = tc.zone
		name, qtype, _ := strings.Cut(tc.question, " ")
		if got := nsecOf(t, h, name, dns.StringToType[qtype]); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestNXNAME: an answer that lists every type but the one that was asked for
// would say that the name exists.
func TestNXNAME(t *testing.T) {
	h := nestedServer(t, nil)
	h.chain.signer = signs("example.org.")
	for _, do := range []bool{false, true} {
		m := new(dns.Msg).SetQuestion("nosuch.example.org.", dns.TypeNXNAME).SetEdns0(4096, do)
		if rcode, res, err := ask(t, h, m); rcode != dns.RcodeFormatError || res != nil || err != nil {
			t.Errorf("DO %v: rcode %d, %v, %v, want FORMERR and nothing written", do, rcode, res, err)
		}
	}
}
