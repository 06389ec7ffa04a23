package answer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
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

// proof returns what the NSEC record of an answer says, and "none" without one.
func proof(t *testing.T, h *MXSRV, name string, qtype uint16) string {
	t.Helper()
	_, res, err := ask(t, h, new(dns.Msg).SetQuestion(name, qtype).SetEdns0(4096, true))
	if err != nil || res == nil {
		t.Fatalf("%s: %v, %v", name, res, err)
	}
	if _, err := res.Pack(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, rr := range slices.Concat(res.Answer, res.Ns) {
		if nsec, ok := rr.(*dns.NSEC); ok {
			return nsec.Hdr.Name + strings.TrimPrefix(nsec.String(), nsec.Hdr.String()+nsec.NextDomain)
		}
	}
	return "none"
}

// TestProof: a NSEC record leaves out no type that a name may have, also of a
// plugin behind.
func TestProof(t *testing.T) {
	const more = " PTR HINFO MX TXT AAAA LOC SRV NAPTR CERT SSHFP RRSIG NSEC TLSA SMIMEA HIP OPENPGPKEY SVCB HTTPS SPF URI CAA"
	const over = "mxsrv {\n host mx1 192.0.2.1\n}"
	empty := &behind{answer: &dns.Msg{Ns: []dns.RR{rr(t, "example.org. 60 IN SOA ns.example.org. admin.example.org. 7 7200 1800 86400 60")}}}
	for _, tc := range []struct {
		name, block string
		next        *behind
		zone        signs
		question    string
		want        string
	}{
		{"nothing behind", over, nil, "example.org.", "mx1.example.org. AAAA", "mx1.example.org. A RRSIG NSEC"},
		{"family that a host lacks", over, empty, "example.org.", "mx1.example.org. AAAA",
			"mx1.example.org. A" + strings.Replace(more, " AAAA", "", 1)},
		{"denied by a plugin behind", over, empty, "example.org.", "mx1.example.org. TXT",
			"mx1.example.org. A" + strings.Replace(more, " TXT", "", 1)},
		{"below fallthrough", whole, empty, "example.org.", "web.example.org. AAAA",
			"web.example.org. A" + strings.Replace(more, " AAAA", "", 1)},
		{"served whole", whole, empty, "example.org.", "mx1.example.org. AAAA", "mx1.example.org. A RRSIG NSEC"},
		{"alias", whole, empty, "example.org.", "www.example.org. TXT", "mx1.example.org. A RRSIG NSEC"},
		{"zone that is not signed", whole, empty, "example.com.", "mx1.example.org. TXT", "none"},
		{"alias in a zone that is not signed", whole, empty, "example.com.", "www.example.org. TXT", "none"},
	} {
		h, err := load(t, tc.block, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tc.next != nil {
			h.Next = tc.next
		}
		h.signer = tc.zone
		name, qtype, _ := strings.Cut(tc.question, " ")
		if got := proof(t, h, name, dns.StringToType[qtype]); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestNXNAME: an answer that lists every type but the one that was asked for
// would say that the name exists.
func TestNXNAME(t *testing.T) {
	h, err := load(t, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.signer = signs("example.org.")
	for _, do := range []bool{false, true} {
		m := new(dns.Msg).SetQuestion("nosuch.example.org.", dns.TypeNXNAME).SetEdns0(4096, do)
		if rcode, res, err := ask(t, h, m); rcode != dns.RcodeFormatError || res != nil || err != nil {
			t.Errorf("DO %v: rcode %d, %v, %v, want FORMERR and nothing written", do, rcode, res, err)
		}
	}
}
