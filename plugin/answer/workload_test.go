package answer

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// A workload is a kind of question, asked of one set of definitions.
type workload struct {
	name        string
	definitions string
	question    string
	edns        uint16 // the size that the client takes; 0: it has no EDNS
	tcp         bool
	next        plugin.Handler
	glue        int // records of the additional section, if all fit: the OPT record counts as one
}

func workloads() []workload {
	return []workload{
		{name: "mx-2", definitions: benchDefinitions, question: "example.org. MX"},
		{name: "mx-2-edns", definitions: benchDefinitions, question: "example.org. MX", edns: 1232},
		{name: "mx-2-mixed-case", definitions: benchDefinitions, question: "eXample.oRg. MX"},
		{name: "mx-6x6-512", definitions: sixExchanges(), question: "example.org. MX", glue: 36},
		{name: "mx-6x6-1232", definitions: sixExchanges(), question: "example.org. MX", edns: 1232, glue: 37},
		{name: "mx-6x6-4096", definitions: sixExchanges(), question: "example.org. MX", edns: 4096, glue: 37},
		{name: "mx-6x6-tcp", definitions: sixExchanges(), question: "example.org. MX", tcp: true, glue: 36},
		{name: "srv-6:4", definitions: service(2), question: "_ldap._tcp.example.org. SRV", edns: 1232},
		{name: "srv-40-1232", definitions: service(40), question: "_ldap._tcp.example.org. SRV", edns: 1232, glue: 41},
		{name: "srv-40-4096", definitions: service(40), question: "_ldap._tcp.example.org. SRV", edns: 4096, glue: 41},
		{name: "srv-40-tcp", definitions: service(40), question: "_ldap._tcp.example.org. SRV", tcp: true, glue: 40},
		{name: "host", definitions: benchDefinitions, question: "mx1.example.org. A", edns: 1232},
		{name: "alias", definitions: benchDefinitions + "alias www mx1\n", question: "www.example.org. A", edns: 1232},
		{name: "nodata", definitions: benchDefinitions, question: "mx1.example.org. AAAA", edns: 1232},
		{name: "nxdomain", definitions: benchDefinitions, question: "nosuch.example.org. MX", edns: 1232},
		{name: "next-plugin", definitions: benchDefinitions, question: "nosuch.example.org. MX", edns: 1232, next: host{}},
		{name: "shared-set", definitions: manyDomains(1000), question: "d777.example.org. MX", edns: 1232},
	}
}

// sixExchanges declares six exchanges with six addresses each, which fit no usual message.
func sixExchanges() string {
	var text strings.Builder
	mail := "mail @ {\n"
	for i := range 6 {
		fmt.Fprintf(&text, "host mx%d", i)
		for j := range 3 {
			fmt.Fprintf(&text, " 192.0.2.%d 2001:db8::%d:%d", 10*i+j, i, j)
		}
		text.WriteString("\n")
		mail += fmt.Sprintf("    %d mx%d\n", 10*i, i)
	}
	return text.String() + mail + "}\n"
}

// service declares a service of n targets, each with an address.
func service(n int) string {
	var text strings.Builder
	targets := "service _ldap._tcp {\n"
	for i := range n {
		fmt.Fprintf(&text, "host dc%d 192.0.2.%d\n", i, i)
		targets += fmt.Sprintf("    0 %d 389 dc%d\n", 6-i%3, i)
	}
	return text.String() + targets + "}\n"
}

// host is a next plugin that answers with an address.
type host struct{}

func (host) Name() string { return "host" }

func (host) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := new(dns.Msg).SetReply(r)
	m.Answer = address[:1:1]
	return dns.RcodeSuccess, w.WriteMsg(m)
}

var address = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: "nosuch.example.org.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4zero}}

// fixed writes one message and looks at nothing: the least that CoreDNS can do with these records.
type fixed struct{ *dns.Msg }

func (fixed) Name() string { return "fixed" }

func (f fixed) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := new(dns.Msg).SetReply(r)
	m.Authoritative, m.Rcode = f.Authoritative, f.Rcode
	m.Answer, m.Ns, m.Extra = f.Answer, f.Ns, f.Extra
	return m.Rcode, w.WriteMsg(m)
}

// fixed answers what h answers, or calls the next plugin where h does.
func (l workload) fixed(tb testing.TB, h plugin.Handler) plugin.Handler {
	if l.next != nil {
		return bare{l.next}
	}
	w := dnstest.NewRecorder(newClient(tb, l.tcp))
	if _, err := h.ServeDNS(context.Background(), w, l.query()); err != nil {
		tb.Fatal(err)
	}
	return fixed{w.Msg}
}

func (l workload) query() *dns.Msg {
	name, qtype, _ := strings.Cut(l.question, " ")
	m := new(dns.Msg).SetQuestion(name, dns.StringToType[qtype])
	if l.edns > 0 {
		m.SetEdns0(l.edns, false)
	}
	return m
}

func (l workload) handler(tb testing.TB) *server {
	s := newServer(tb, l.definitions, l.next)
	s.chain.packing = asFirst
	return s
}

// ask asks once, through the writer that CoreDNS gives to plugins, which adds the OPT
// record and cuts what is too long.
func (l workload) ask(tb testing.TB, h plugin.Handler, w *client, r *dns.Msg) {
	if _, err := h.ServeDNS(context.Background(), request.NewScrubWriter(r, w.ResponseWriter), r); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkWorkload measures the way from the plugin to the packed message. What
// is CoreDNS's and miekg/dns's of that is what the fixed-answer plugin takes.
func BenchmarkWorkload(b *testing.B) {
	for _, l := range workloads() {
		h := l.handler(b)
		for name, contender := range map[string]plugin.Handler{"mxsrv": h, "fixed": l.fixed(b, h)} {
			b.Run(l.name+"/"+name, func(b *testing.B) {
				r, w := l.query(), newClient(b, l.tcp)
				b.ReportAllocs()
				for b.Loop() {
					l.ask(b, contender, w, r)
				}
			})
		}
	}
}

// remade is how many allocations more there are under the race detector.
var remade float64

// TestWorkloadAllocs: nothing is allocated that the fixed-answer plugin does not allocate too.
func TestWorkloadAllocs(t *testing.T) {
	for _, l := range workloads() {
		h, r, w := l.handler(t), l.query(), newClient(t, l.tcp)
		allocs := func(h plugin.Handler) float64 {
			return testing.AllocsPerRun(100, func() { l.ask(t, h, w, r) })
		}
		if got, want := allocs(h), allocs(l.fixed(t, h)); got > want+remade {
			t.Errorf("%s: %v allocations, want the %v of the fixed-answer plugin", l.name, got, want)
		}
	}
}
