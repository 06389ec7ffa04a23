package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const declared = `host mx1 192.0.2.10 2001:db8::10
mail @ 20 mx1
service _ldap._tcp 0 0 389 mx1
alias www mx1`

// counted returns for how many servers something was counted.
func counted(c *prometheus.CounterVec) int {
	ch := make(chan prometheus.Metric, 8)
	c.Collect(ch)
	return len(ch)
}

// TestRepairedDenial: the next plugin does not deny a declared name, and what is
// true in its denial stays.
func TestRepairedDenial(t *testing.T) {
	soa := rr(t, "example.org. 300 IN SOA ns.example.org. admin.example.org. 7 7200 1800 86400 300")
	soaSig := rr(t, "example.org. 300 IN RRSIG SOA 13 2 300 20300101000000 20200101000000 1 example.org. AAAA")
	nsec := rr(t, "example.org. 300 IN NSEC z.example.org. A RRSIG NSEC")
	nsecSig := rr(t, "example.org. 300 IN RRSIG NSEC 13 2 300 20300101000000 20200101000000 1 example.org. AAAA")
	ns := rr(t, "sub.example.org. 300 IN NS ns.example.net.")
	for _, tc := range []struct {
		name, question string
		rcode          int
		answer, ns     []dns.RR
		want           string
		repaired       bool
	}{
		{"denied", "_tcp.example.org. TXT", dns.RcodeNameError, nil, []dns.RR{soa}, "NOERROR | | example.org. SOA |", true},
		{"denied with proof", "example.org. TXT", dns.RcodeNameError, nil, []dns.RR{soa, soaSig, nsec, nsecSig},
			"NOERROR | | example.org. SOA example.org. RRSIG |", true},
		{"no data", "example.org. TXT", dns.RcodeSuccess, nil, []dns.RR{soa, nsec}, "NOERROR ad | | example.org. SOA example.org. NSEC |", false},
		{"referral", "_tcp.example.org. TXT", dns.RcodeSuccess, nil, []dns.RR{ns}, "NOERROR ad | | sub.example.org. NS |", false},
		{"refused", "_tcp.example.org. TXT", dns.RcodeRefused, nil, nil, "REFUSED ad | | |", false},
		{"not declared", "nosuch.example.org. TXT", dns.RcodeNameError, nil, []dns.RR{soa, nsec}, "NXDOMAIN ad | | example.org. SOA example.org. NSEC |", false},
	} {
		next := &following{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: tc.rcode}, Answer: tc.answer, Ns: slices.Clone(tc.ns)}}
		s := newServer(t, declared, plugin.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
			next.answer.AuthenticatedData = true
			next.asked++
			next.answer.Id = r.Id
			return tc.rcode, w.WriteMsg(next.answer)
		}))
		rcode, res, err := ask(t, s, query(tc.question))
		if got := brief(res); got != tc.want || rcode != res.Rcode || err != nil {
			t.Errorf("%s: rcode %d, %s, %v\nwant %s", tc.name, rcode, got, err, tc.want)
		}
		if n := counted(s.config.RepairedNXDOMAIN); n > 0 != tc.repaired {
			t.Errorf("%s: counted: %d, want %v", tc.name, n, tc.repaired)
		}
		if next.answer.Rcode != tc.rcode || !slices.Equal(next.answer.Ns, tc.ns) {
			t.Errorf("%s: the message of the next plugin was changed: %v", tc.name, next.answer)
		}
	}
}

// TestSharedSections: what CoreDNS appends to a message is not in the memory of who made it.
func TestSharedSections(t *testing.T) {
	soa := rr(t, "example.org. 300 IN SOA ns.example.org. admin.example.org. 7 7200 1800 86400 300")
	room := make([]dns.RR, 0, 4)
	next := &following{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}, Ns: []dns.RR{soa}, Extra: room}}
	s := newServer(t, declared, next)
	for _, question := range []string{"_tcp.example.org. A", "example.org. MX", "mx1.example.org. A"} {
		m := query(question).SetEdns0(1232, false)
		if _, err := s.ServeDNS(t.Context(), request.NewScrubWriter(m, newClient(t, false).ResponseWriter), m); err != nil {
			t.Fatal(err)
		}
		if room[:1][0] != nil {
			t.Errorf("%s: in the memory of the next plugin is %v", question, room[:1][0])
		}
	}
}

// TestDenials: what no plugin has answered is denied within the zones; below fallthrough, the next plugin's denial has the
// SOA of the authoritative zone.
func TestDenials(t *testing.T) {
	foreign := rr(t, "example.com. 9 IN SOA ns.example.com. admin.example.com. 7 7200 1800 86400 9")
	denies := &following{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}, Ns: []dns.RR{foreign}}}
	for _, tc := range []struct {
		name, question string
		server         *server
		rcode          int
		want           string
	}{
		{"name", "nosuch.example.org. A", newServer(t, declared, nil), dns.RcodeNameError, "NXDOMAIN aa | | example.org. SOA |"},
		{"type", "mx1.example.org. TXT", newServer(t, declared, nil), dns.RcodeSuccess, "NOERROR aa | | example.org. SOA |"},
		{"outside", "example.com. A", newServer(t, declared, nil), dns.RcodeServerFailure, "nothing"},
		{"end of the chain", "nosuch.example.org. A", newServer(t, declared, &before{name: "view"}), dns.RcodeNameError, "NXDOMAIN aa | | example.org. SOA |"},
		{"end of the chain, type", "mx1.example.org. TXT", newServer(t, declared, &before{name: "view"}), dns.RcodeSuccess, "NOERROR aa | | example.org. SOA |"},
		{"NXNAME", "mx1.example.org. NXNAME", newServer(t, declared, nil), dns.RcodeFormatError, "nothing"},
		{"NXNAME of a name that is not declared", "nosuch.example.org. NXNAME", newServer(t, declared, nil), dns.RcodeFormatError, "nothing"},
		{"end of the chain, NXNAME", "mx1.example.org. NXNAME", newServer(t, declared, &before{name: "view"}), dns.RcodeFormatError, "nothing"},
		{"NXNAME elsewhere", "example.com. NXNAME", newServer(t, declared, nil), dns.RcodeServerFailure, "nothing"},
		{"end of the chain, class CH", "nosuch.example.org. TXT", newServer(t, declared, &before{name: "view"}), dns.RcodeServerFailure, "nothing"},
		{"below fallthrough", "page.web.example.org. A", nestedServer(t, denies), dns.RcodeNameError, "NXDOMAIN aa | | example.org. SOA |"},
		{"DS of the apex is for the zone above", "example.org. DS", nestedServer(t, denies), dns.RcodeSuccess, "NOERROR | | example.com. SOA |"},
	} {
		m := query(tc.question)
		if tc.name == "end of the chain, class CH" {
			m.Question[0].Qclass = dns.ClassCHAOS
		}
		rcode, res, _ := ask(t, tc.server, m)
		if res != nil {
			res.Authoritative = res.Authoritative || tc.name == "below fallthrough" // that is of the next plugin
		}
		if got := brief(res); got != tc.want || rcode != tc.rcode {
			t.Errorf("%s: rcode %d, %s\nwant %d, %s", tc.name, rcode, got, tc.rcode, tc.want)
		}
	}
}

// TestRefusal: what the next plugin must not see is refused, and nothing written.
func TestRefusal(t *testing.T) {
	for _, tc := range []struct {
		name, question string
		loaded         bool
		rcode          int
		asked          int
	}{
		{"before the definitions", "example.org. MX", false, dns.RcodeServerFailure, 0},
		{"before the definitions, elsewhere", "example.com. MX", false, dns.RcodeSuccess, 1},
		{"before the definitions, transfer", "example.org. AXFR", false, dns.RcodeSuccess, 1},
		{"transfer", "example.org. AXFR", true, dns.RcodeRefused, 0},
		{"transfer of changes", "example.org. IXFR", true, dns.RcodeRefused, 0},
		{"transfer of another zone", "mx1.example.org. AXFR", true, dns.RcodeSuccess, 1},
		{"NXNAME", "mx1.example.org. NXNAME", true, dns.RcodeFormatError, 0},
		{"NXNAME elsewhere", "example.com. NXNAME", true, dns.RcodeSuccess, 1},
	} {
		next := &following{answer: new(dns.Msg)}
		s := newServer(t, declared, next, "example.org.")
		if !tc.loaded {
			s.table = nil
		}
		rcode, res, err := ask(t, s, query(tc.question))
		if rcode != tc.rcode || (res != nil) != (tc.asked > 0) || next.asked != tc.asked || err != nil {
			t.Errorf("%s: rcode %d, %s, %v, next plugin asked %d times; want %d, %d times", tc.name, rcode, brief(res), err, next.asked, tc.rcode, tc.asked)
		}
	}
	s := newServer(t, declared, &following{answer: new(dns.Msg)}, "example.org.")
	notify := query("example.org. SOA")
	notify.Opcode = dns.OpcodeNotify
	if rcode, res, _ := ask(t, s, notify); rcode != dns.RcodeSuccess || res.Authoritative {
		t.Errorf("NOTIFY: rcode %d, %s, want it left to the next plugin", rcode, brief(res))
	}
}

// TestRcodeBeforeWrite: the rcode is that of the reply, whatever a plugin makes of the message while it is written.
func TestRcodeBeforeWrite(t *testing.T) {
	s := newServer(t, declared, nil)
	m := query("nosuch.example.org. A")
	if rcode, err := s.ServeDNS(t.Context(), changing{newClient(t, false).ResponseWriter}, m); rcode != dns.RcodeNameError || err != nil {
		t.Errorf("rcode %d, %v, want %d", rcode, err, dns.RcodeNameError)
	}
}

// changing is the writer of a plugin that changes messages in place, as dnssec does.
type changing struct{ dns.ResponseWriter }

func (changing) WriteMsg(m *dns.Msg) error {
	m.Rcode = dns.RcodeSuccess
	return nil
}

// TestDeniedAlias: the next plugin makes no alias of a declared name, nor of one that only services have below them; any other name
// it may. An alias that is denied is counted, and logged once.
func TestDeniedAlias(t *testing.T) {
	const definitions = declared + "\nservice _sip._tcp.shop 0 0 5060 mx1\nmail lists 10 mx1"
	cname := func(owner string) dns.RR { return rr(t, owner+" 300 IN CNAME www.example.net.") }
	dname := func(owner string) dns.RR { return rr(t, owner+" 300 IN DNAME example.net.") }
	address := rr(t, "www.example.net. 300 IN A 192.0.2.80")
	soa := rr(t, "example.net. 300 IN SOA ns.example.net. admin.example.net. 7 7200 1800 86400 300")
	const denied = "NOERROR | | example.org. SOA |"
	for _, tc := range []struct {
		name, question string
		rcode          int
		answer, ns     []dns.RR
		want           string // "" if it is that of the next plugin
	}{
		{"mail domain", "lists.example.org. A", dns.RcodeSuccess, []dns.RR{cname("lists.example.org."), address}, nil, denied},
		{"host", "mx1.example.org. TXT", dns.RcodeSuccess, []dns.RR{cname("mx1.example.org.")}, nil, denied},
		{"host, HTTPS", "mx1.example.org. HTTPS", dns.RcodeSuccess, []dns.RR{cname("mx1.example.org.")}, nil, denied},
		{"service", "_ldap._tcp.example.org. TXT", dns.RcodeSuccess, []dns.RR{cname("_ldap._tcp.example.org.")}, nil, denied},
		{"CNAME asked", "lists.example.org. CNAME", dns.RcodeSuccess, []dns.RR{cname("lists.example.org.")}, nil, denied},
		{"mixed case", "Lists.example.org. A", dns.RcodeSuccess, []dns.RR{cname("LISTS.Example.org.")}, nil, denied},
		{"target that does not exist", "lists.example.org. A", dns.RcodeNameError, []dns.RR{cname("lists.example.org.")}, []dns.RR{soa}, denied},
		{"target that cannot be resolved", "lists.example.org. A", dns.RcodeServerFailure, []dns.RR{cname("lists.example.org.")}, nil, denied},
		{"DNAME above", "lists.example.org. A", dns.RcodeSuccess, []dns.RR{dname("example.org."), cname("lists.example.org.")}, nil, denied},
		{"DNAME above, too long", "lists.example.org. A", dns.RcodeYXDomain, []dns.RR{dname("example.org.")}, nil, denied},
		{"above a service", "_tcp.example.org. A", dns.RcodeSuccess, []dns.RR{cname("_tcp.example.org."), address}, nil, denied},
		{"above a service, DNAME above", "_tcp.shop.example.org. A", dns.RcodeSuccess, []dns.RR{dname("shop.example.org.")}, nil, denied},
		{"DNAME of a name with others below", "shop.example.org. DNAME", dns.RcodeSuccess, []dns.RR{dname("shop.example.org.")}, nil, denied},

		{"shop with an alias", "shop.example.org. A", dns.RcodeSuccess, []dns.RR{cname("shop.example.org."), address}, nil, ""},
		{"DNAME of a name with records", "lists.example.org. DNAME", dns.RcodeSuccess, []dns.RR{dname("lists.example.org.")}, nil, ""},
		{"DNAME elsewhere", "lists.example.org. A", dns.RcodeSuccess, []dns.RR{dname("x.lists.example.org."), dname("ists.example.org.")}, nil, ""},
		{"no alias", "lists.example.org. A", dns.RcodeSuccess, []dns.RR{rr(t, "lists.example.org. A 192.0.2.1")}, nil, ""},
		{"alias of another name", "nosuch.example.org. A", dns.RcodeSuccess, []dns.RR{cname("nosuch.example.org."), address}, nil, ""},
	} {
		for _, zones := range []string{"overlay", "authoritative with fallthrough"} {
			next := &following{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: tc.rcode}, Answer: tc.answer, Ns: tc.ns}}
			c := Config{Zones: definition.Zones{"example.org."}}
			if zones != "overlay" {
				c.Authoritative, c.Fallthrough = c.Zones, c.Zones
			}
			s := serverOf(t, definitions, next, c)
			for range 2 {
				rcode, res, err := ask(t, s, query(tc.question).SetEdns0(1232, false))
				want := tc.want
				if want == "" {
					want = brief(next.answer)
				}
				if got := brief(res); got != want || rcode != res.Rcode || err != nil {
					t.Errorf("%s, %s: rcode %d, %s, %v\nwant %s", zones, tc.name, rcode, got, err, want)
				}
			}
			if got := counted(s.config.RepairedAlias); got > 0 != (tc.want != "") || len(s.warnings) != got {
				t.Errorf("%s, %s: counted: %d, logged %q", zones, tc.name, got, s.warnings)
			}
			if all := strings.Join(s.warnings, ""); tc.want != "" && !strings.Contains(all, "write host NAME ADDRESS here, or A and AAAA records of its own") {
				t.Errorf("%s, %s: logged %q, want what to write instead", zones, tc.name, all)
			}
		}
	}
}

// TestSignedOverlay: that declared names contradict what the next plugin has signed is logged once.
func TestSignedOverlay(t *testing.T) {
	sig := func(text string) dns.RR {
		return rr(t, text+" 13 2 300 20300101000000 20200101000000 1 example.org. AAAA")
	}
	soa := rr(t, "example.org. 300 IN SOA ns.example.org. admin.example.org. 7 7200 1800 86400 300")
	for _, answer := range []*dns.Msg{
		{Answer: []dns.RR{rr(t, "example.org. CNAME www.example.net."), sig("example.org. 300 IN RRSIG CNAME")}},
		{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}, Ns: []dns.RR{soa, sig("example.org. 300 IN RRSIG SOA")}},
	} {
		s := newServer(t, declared, &following{answer: answer})
		for _, question := range []string{"example.org. TXT", "example.org. A", "mx1.example.org. TXT"} {
			ask(t, s, query(question))
		}
		signed := 0
		for _, text := range s.warnings {
			if strings.HasSuffix(text, "[overlay-signed]") {
				signed++
			}
		}
		if signed != 1 {
			t.Errorf("logged %d times that the zone is signed, want once: %q", signed, s.warnings)
		}
	}
}

// TestWarnings: what is logged of names ends at some number, for names are what strangers ask for.
func TestWarnings(t *testing.T) {
	s := newServer(t, declared, nil)
	for i := range 3000 {
		s.warnOnce(fmt.Sprint(i%1500), func() string { return "text" })
	}
	if len(s.warnings) != 1000 {
		t.Errorf("%d warnings, want 1000", len(s.warnings))
	}
}
