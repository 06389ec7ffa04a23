package mxsrv

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"
)

// authoritative has an authoritative zone, one within it, and one that is not.
const authoritative = `mxsrv example.org child.example.org {
    authoritative {
        ns ns1
        negative 120
    }
    host ns1 192.0.2.53
    fallthrough web.example.org
}
mxsrv example.org {
    host mx1 192.0.2.10
    mail @ 10 mx1
    service _ldap._tcp 0 0 389 mx1
    alias www mx1
    alias info page.web.example.org.
    host web 192.0.2.80
}
mxsrv example.net {
    mail @ 10 mx1.example.org.
}`

// brief writes a message: rcode, AA, and the sections without their numbers.
func brief(m *dns.Msg) string {
	if m == nil {
		return "nothing"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s aa=%v", dns.RcodeToString[m.Rcode], m.Authoritative)
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		b.WriteString(" |")
		for _, rr := range section {
			h := rr.Header()
			fmt.Fprintf(&b, " %s %s %d", h.Name, dns.TypeToString[h.Rrtype], h.Ttl)
		}
	}
	return b.String()
}

func TestAuthoritative(t *testing.T) {
	const soa, child = "example.org. SOA 120", "child.example.org. SOA 120"
	for _, tc := range []struct{ name, question, want string }{
		{"SOA", "example.org. SOA", "NOERROR aa=true | example.org. SOA 3600 | |"},
		{"NS with addresses", "Example.org. NS", "NOERROR aa=true | example.org. NS 3600 | | ns1.example.org. A 3600"},
		{"SOA of the zone within", "child.example.org. SOA", "NOERROR aa=true | child.example.org. SOA 3600 | |"},
		{"mail", "example.org. MX", "NOERROR aa=true | example.org. MX 3600 | | mx1.example.org. A 3600"},
		{"no such type", "example.org. TXT", "NOERROR aa=true | | " + soa + " |"},
		{"no such family", "mx1.example.org. AAAA", "NOERROR aa=true | | " + soa + " |"},
		{"no such name", "nosuch.example.org. MX", "NXDOMAIN aa=true | | " + soa + " |"},
		{"empty non-terminal", "_tcp.example.org. A", "NOERROR aa=true | | " + soa + " |"},
		{"no such name within", "nosuch.child.example.org. A", "NXDOMAIN aa=true | | " + child + " |"},
		{"DS where the zone delegates", "child.example.org. DS", "NOERROR aa=true | | " + soa + " |"},
		{"DS of the top, which is of the zone above", "example.org. DS", "NOERROR aa=false | | example.com. SOA 9 |"},
		{"alias", "www.example.org. A", "NOERROR aa=true | www.example.org. CNAME 3600 mx1.example.org. A 3600 | |"},
		{"alias, no such type", "www.example.org. TXT", "NOERROR aa=true | www.example.org. CNAME 3600 | " + soa + " |"},
		{"alias, CNAME", "www.example.org. CNAME", "NOERROR aa=true | www.example.org. CNAME 3600 | |"},
		{"alias, ANY", "www.example.org. ANY", "NOERROR aa=true | www.example.org. CNAME 3600 | |"},
		{"alias of a name for the next plugin", "info.example.org. TXT", "NOERROR aa=true | info.example.org. CNAME 3600 | |"},
		{"transfer", "example.org. AXFR", "nothing"},
		{"transfer of a zone that is not authoritative", "example.net. AXFR", "NXDOMAIN aa=false | | example.com. SOA 9 |"},

		{"for the next plugin", "page.web.example.org. A", "NXDOMAIN aa=false | | " + soa + " |"},
		{"declared, for the next plugin", "web.example.org. TXT", "NOERROR aa=false | | " + soa + " |"},
		{"answered all the same", "web.example.org. A", "NOERROR aa=true | web.example.org. A 3600 | |"},
		{"not authoritative", "nosuch.example.net. A", "NXDOMAIN aa=false | | example.com. SOA 9 |"},
		{"not authoritative, declared", "example.net. TXT", "NOERROR aa=false | | example.com. SOA 9 |"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// The next plugin denies everything, with the SOA of another zone.
			next := &nextPlugin{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError},
				Ns: []dns.RR{rr(t, "example.com. 9 IN SOA ns.example.com. admin.example.com. 7 7200 1800 86400 9")}}}
			h, err := load(t, authoritative, next)
			if err != nil {
				t.Fatal(err)
			}
			name, qtype, _ := strings.Cut(tc.question, " ")
			rcode, res, err := ask(t, h, new(dns.Msg).SetQuestion(name, dns.StringToType[qtype]))
			if got := brief(res); got != tc.want || err != nil {
				t.Errorf("%s, %v\nwant %s", got, err, tc.want)
			}
			if res == nil && rcode != dns.RcodeRefused {
				t.Errorf("rcode %d, want REFUSED", rcode)
			}
		})
	}
}

// transferred returns the owners and types of a transfer.
func transferred(t *testing.T, h plugin.Handler, zone string, serial uint32) (string, uint32) {
	t.Helper()
	ch, err := h.(transfer.Transferer).Transfer(zone, serial)
	if err != nil {
		if !errors.Is(err, transfer.ErrNotAuthoritative) {
			t.Fatal(err)
		}
		return "not authoritative", 0
	}
	var b strings.Builder
	current := uint32(0)
	for rrs := range ch {
		for _, rr := range rrs {
			if soa, ok := rr.(*dns.SOA); ok {
				current = soa.Serial
			}
			fmt.Fprintf(&b, "%s %s, ", rr.Header().Name, dns.TypeToString[rr.Header().Rrtype])
		}
	}
	return strings.TrimSuffix(b.String(), ", "), current
}

// TestDSOfTop: where no next plugin knows the zone above, there is no DS.
func TestDSOfTop(t *testing.T) {
	h, err := load(t, authoritative, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, res, err := ask(t, h, new(dns.Msg).SetQuestion("example.org.", dns.TypeDS))
	if got, want := brief(res), "NOERROR aa=true | | example.org. SOA 120 |"; got != want || err != nil {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
}

func TestTransfer(t *testing.T) {
	h, err := load(t, authoritative, nil)
	if err != nil {
		t.Fatal(err)
	}
	const all = "example.org. SOA, example.org. NS, example.org. MX, _ldap._tcp.example.org. SRV, " +
		"child.example.org. NS, ns1.child.example.org. A, info.example.org. CNAME, mx1.example.org. A, ns1.example.org. A, " +
		"web.example.org. A, www.example.org. CNAME, example.org. SOA"
	_, serial := transferred(t, h, "example.org.", 0)
	for _, tc := range []struct {
		name, zone string
		serial     uint32
		want       string
	}{
		{"AXFR", "example.org.", 0, all},
		{"IXFR from an older one", "example.org.", serial - 1, all},
		{"IXFR from the same", "example.org.", serial, "example.org. SOA"},
		{"IXFR from a newer one", "example.org.", serial + 1, "example.org. SOA"},
		{"IXFR from one that is older as serials go", "example.org.", serial + 1<<31 + 1, all},
		{"zone within", "child.example.org.", 0, "child.example.org. SOA, child.example.org. NS, ns1.child.example.org. A, child.example.org. SOA"},
		{"below the top", "mx1.example.org.", 0, "not authoritative"},
		{"not authoritative", "example.net.", 0, "not authoritative"},
		{"not ours", "example.com.", 0, "not authoritative"},
	} {
		if got, _ := transferred(t, h, tc.zone, tc.serial); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}
