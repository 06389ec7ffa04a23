package answer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const declaredTXT = declared + `
record @ TXT "v=spf1 mx -all"
record @ TXT ours
record s1._domainkey TXT "v=DKIM1; p=AAAA"
record _dmarc TXT "v=DMARC1; p=reject"
record web TXT web {
    ttl 20
}
alias w1 web
alias w2 w1`

// txtNext is a next plugin that does something with a query for TXT.
type txtNext struct {
	answers []string // records
	ns      []string // records in Authority
	rcode   int
	tc      bool   // of answers over UDP
	tcpToo  bool   // of those over TCP too
	does    string // what else than to answer

	mu      sync.Mutex
	asked   []*dns.Msg
	written map[*dns.Msg]string // and how they were
}

func (*txtNext) Name() string { return "file" }

func (n *txtNext) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	n.mu.Lock()
	n.asked = append(n.asked, r.Copy())
	n.mu.Unlock()
	r.Id++ // as forward does
	switch n.does {
	case "nothing":
		return n.rcode, nil
	case "fail":
		return dns.RcodeServerFailure, errors.New("upstream is down")
	case "panic":
		panic("in the next plugin")
	case "wait":
		<-ctx.Done()
		return dns.RcodeServerFailure, ctx.Err()
	case "sleep":
		time.Sleep(time.Minute)
	}
	m := new(dns.Msg).SetRcode(r, n.rcode)
	m.AuthenticatedData = true
	_, tcp := w.RemoteAddr().(*net.TCPAddr)
	m.Truncated = n.tc && (n.tcpToo || !tcp)
	for i, text := range slices.Concat(n.answers, n.ns) {
		rr, err := dns.NewRR(text)
		if err != nil {
			return dns.RcodeServerFailure, err
		}
		if i < len(n.answers) {
			m.Answer = append(m.Answer, rr)
		} else {
			m.Ns = append(m.Ns, rr)
		}
	}
	if m.Truncated {
		m.Answer = nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.written[m] = m.String()
	return n.rcode, w.WriteMsg(m)
}

// shown writes the answer of a message: flags, then owner, TTL and data of each record.
func shown(m *dns.Msg) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(brief(&dns.Msg{MsgHdr: m.MsgHdr}), " | | |"))
	for _, rr := range m.Answer {
		h := rr.Header()
		data := strings.TrimPrefix(rr.String(), h.String())
		if h.Rrtype == dns.TypeRRSIG {
			data = "RRSIG"
		}
		fmt.Fprintf(&b, " | %s %d %s", strings.TrimSuffix(h.Name, ".example.org."), h.Ttl, data)
	}
	if len(m.Ns)+len(m.Extra) > 0 {
		fmt.Fprintf(&b, " | and %d, %d", len(m.Ns), len(m.Extra))
	}
	return b.String()
}

// TestTXTOfBoth: an answer has the TXT records of a declared name, and then those of the next plugin that are not of the same policy.
func TestTXTOfBoth(t *testing.T) {
	const (
		apex    = `NOERROR aa | example.org. %d "ours" | example.org. %[1]d "v=spf1 mx -all"`
		soa     = "example.org. 300 IN SOA ns.example.org. admin.example.org. 7 7200 1800 86400 300"
		sig     = "13 2 300 20300101000000 20200101000000 1 example.org. AAAA"
		failed  = "no TXT records of "
		signed  = "the TXT records that the next plugin has of "
		overlay = "the next plugin has signed records about "
	)
	whole, short := fmt.Sprintf(apex, 3600), fmt.Sprintf(apex, 60)
	for _, tc := range []struct {
		name, question string
		next           *txtNext
		want, logged   string // what is logged begins with that
	}{
		{"others", "example.org. TXT", &txtNext{answers: []string{"example.org. 300 TXT site=1", "EXAMPLE.org. 400 TXT site=2"}},
			fmt.Sprintf(apex, 300) + ` | example.org. 300 "site=1" | example.org. 300 "site=2"`, ""},
		{"mixed case", "EXAMPLE.org. TXT", &txtNext{answers: []string{"example.org. 9999 TXT site=1"}}, whole + ` | example.org. 3600 "site=1"`, ""},
		{"same policy", "example.org. TXT", &txtNext{answers: []string{"example.org. 9 TXT v=spf1", "example.org. 9 TXT \"V=SPF1 -all\"",
			"example.org. 9 TXT v=sp \"f1 -all\"", "example.org. 9 TXT \"v=spf1;\"", "example.org. 9 TXT \"v=spf1\\009x\""}}, whole, ""},
		{"other policies", "example.org. TXT", &txtNext{answers: []string{"example.org. 9 TXT \"v=spf10 -all\"", "example.org. 9 TXT spf2.0/pra",
			"example.org. 9 TXT \"x v=spf1\"", "example.org. 9 TXT v=", "example.org. 9 TXT v", "example.org. 9 TXT \"\""}},
			fmt.Sprintf(apex, 9) + ` | example.org. 9 "v=spf10 -all" | example.org. 9 "spf2.0/pra" | example.org. 9 "x v=spf1"` +
				` | example.org. 9 "v=" | example.org. 9 "v" | example.org. 9 ""`, ""},
		{"a policy of the next plugin twice", "web.example.org. TXT", &txtNext{answers: []string{"web.example.org. 9 TXT v=a", "web.example.org. 9 TXT \"v=a b\""}},
			`NOERROR aa | web 9 "web" | web 9 "v=a" | web 9 "v=a b"`, ""},
		{"same record", "example.org. TXT", &txtNext{answers: []string{"example.org. 9 TXT \\111urs", "example.org. 10 TXT a", "example.org. 10 TXT a"}},
			fmt.Sprintf(apex, 10) + ` | example.org. 10 "a"`, ""},
		{"DMARC with blanks and escapes", "_dmarc.example.org. TXT", &txtNext{answers: []string{
			`_dmarc.example.org. 9 TXT "v=DMARC1\; p=none"`, `_dmarc.example.org. 9 TXT "v = DMARC1 ; p=none"`}},
			`NOERROR aa | _dmarc 3600 "v=DMARC1; p=reject"`, ""},
		{"DKIM without v", "s1._domainkey.example.org. TXT", &txtNext{answers: []string{`s1._domainkey.example.org. 9 TXT "k=rsa; p=BBBB"`}},
			`NOERROR aa | s1._domainkey 3600 "v=DKIM1; p=AAAA"`, ""},
		{"other names and types", "example.org. TXT", &txtNext{answers: []string{"x.example.org. 9 TXT x", "example.org. 9 A 192.0.2.1",
			"example.org. 9 CH TXT x"}, ns: []string{"example.org. 9 NS ns.example.org."}}, whole, ""},

		{"no data", "example.org. TXT", &txtNext{ns: []string{soa}}, whole, ""},
		{"no name", "example.org. TXT", &txtNext{rcode: dns.RcodeNameError, ns: []string{soa}}, whole, ""},
		{"referral", "example.org. TXT", &txtNext{ns: []string{"example.org. 9 NS ns.example.net."}}, whole, ""},
		{"alias", "example.org. TXT", &txtNext{answers: []string{"example.org. 9 CNAME x.example.org.", "x.example.org. 9 TXT x"}}, whole, ""},
		{"alias that leads back", "example.org. TXT", &txtNext{answers: []string{"example.org. 9 CNAME x.example.org.", "example.org. 9 TXT x"}}, whole, ""},
		{"alias of what fails", "example.org. TXT", &txtNext{rcode: dns.RcodeServerFailure, answers: []string{"example.org. 9 CNAME x.example.org."}}, whole, ""},
		{"DNAME", "web.example.org. TXT", &txtNext{answers: []string{"example.org. 9 DNAME example.net.", "web.example.org. 9 CNAME web.example.net."}},
			`NOERROR aa | web 20 "web"`, ""},

		{"SERVFAIL", "example.org. TXT", &txtNext{rcode: dns.RcodeServerFailure}, short, failed + "example.org. from the next plugin: the answer is SERVFAIL:"},
		{"REFUSED", "web.example.org. TXT", &txtNext{rcode: dns.RcodeRefused}, `NOERROR aa | web 20 "web"`, failed + "web.example.org. from the next plugin: the answer is REFUSED:"},
		{"rcode alone", "example.org. TXT", &txtNext{rcode: dns.RcodeRefused, does: "nothing"}, short, failed + "example.org. from the next plugin: there is no answer but REFUSED:"},
		{"nothing", "example.org. TXT", &txtNext{does: "nothing"}, short, failed + "example.org. from the next plugin: there is no answer but NOERROR:"},
		{"error", "example.org. TXT", &txtNext{does: "fail"}, short, failed + "example.org. from the next plugin: upstream is down:"},
		{"panic", "example.org. TXT", &txtNext{does: "panic"}, short, failed + "example.org. from the next plugin: panic: in the next plugin:"},
		{"slow", "example.org. TXT", &txtNext{does: "wait"}, short, failed + "example.org. from the next plugin: context deadline exceeded:"},
		{"slow, deadline not kept", "example.org. TXT", &txtNext{does: "sleep"}, short, failed + "example.org. from the next plugin: context deadline exceeded:"},
		{"truncated over UDP", "example.org. TXT", &txtNext{tc: true, answers: []string{"example.org. 9999 TXT x"}}, whole + ` | example.org. 3600 "x"`, ""},
		{"truncated over TCP", "example.org. TXT", &txtNext{tc: true, tcpToo: true, answers: []string{"example.org. 9 TXT x"}}, short,
			failed + "example.org. from the next plugin: the answer is truncated:"},

		{"signed", "example.org. TXT", &txtNext{answers: []string{"example.org. 9 TXT x", "example.org. 9 RRSIG TXT " + sig}, ns: []string{"example.org. 9 NS ns."}},
			`NOERROR ad | example.org. 9 "x" | example.org. 9 RRSIG | and 1, 0`, signed + "example.org. are signed"},
		{"signed, no data", "example.org. TXT", &txtNext{ns: []string{soa, "example.org. 9 RRSIG SOA " + sig}}, whole, overlay + "example.org."},
		{"signed alias", "example.org. TXT", &txtNext{answers: []string{"example.org. 9 CNAME x.", "example.org. 9 RRSIG CNAME " + sig}}, whole, overlay + "example.org."},

		{"of an alias", "w1.example.org. TXT", &txtNext{answers: []string{"web.example.org. 9 TXT x"}},
			`NOERROR aa | w1 3600 web.example.org. | web 9 "web" | web 9 "x"`, ""},
		{"of an alias of an alias", "w2.example.org. TXT", &txtNext{answers: []string{"web.example.org. 99 TXT x"}},
			`NOERROR aa | w2 3600 w1.example.org. | w1 3600 web.example.org. | web 20 "web" | web 20 "x"`, ""},
		{"of an alias, signed", "w1.example.org. TXT", &txtNext{answers: []string{"web.example.org. 9 TXT x", "web.example.org. 9 RRSIG TXT " + sig}},
			`NOERROR ad | w1 3600 web.example.org. | web 9 "x" | web 9 RRSIG`, signed + "web.example.org. are signed"},
	} {
		for _, zones := range []string{"overlay", "authoritative with fallthrough"} {
			t.Run(tc.name+", "+zones, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := Config{Zones: definition.Zones{"example.org."}}
					if zones != "overlay" {
						c.Authoritative, c.Fallthrough = c.Zones, c.Zones
					}
					next, start := tc.next, time.Now()
					next.written = make(map[*dns.Msg]string)
					s := serverOf(t, declaredTXT, next, c)
					for range 2 {
						m := query(tc.question)
						rcode, res, err := ask(t, s, m)
						if got := shown(res); got != tc.want || rcode != dns.RcodeSuccess || err != nil {
							t.Fatalf("rcode %d, %v\n%s\nwant\n%s", rcode, err, got, tc.want)
						}
						if res.Id != m.Id || res.Question[0] != m.Question[0] {
							t.Errorf("%v\nof %v", res, m)
						}
					}
					if took := time.Since(start); took > 2*txtDeadline {
						t.Errorf("it took %v", took)
					}
					if n := len(s.warnings); n > 1 || n == 1 != (tc.logged != "") || n == 1 && !strings.HasPrefix(s.warnings[0], tc.logged) {
						t.Errorf("logged %q, want %q", s.warnings, tc.logged)
					}
					time.Sleep(time.Hour) // the end of what was not waited for
					next.mu.Lock()
					defer next.mu.Unlock()
					for m, text := range next.written {
						if m.String() != text {
							t.Errorf("the message of the next plugin is now %v\nit was\n%s", m, text)
						}
					}
				})
			})
		}
	}
}

// TestTXTOfOurs: the next plugin is asked for nothing else: no other type, no name without TXT records of ours, and none
// in an authoritative zone. At the end of the chain ours are all there are.
func TestTXTOfOurs(t *testing.T) {
	for _, tc := range []struct {
		name, question, want string
		asked                int // the next plugin
		server               func(plugin.Handler) *server
	}{
		{"TXT", "web.example.org. TXT", "web 9", 1, nil},
		{"ANY", "web.example.org. ANY", "web 20", 0, nil},
		{"MX", "example.org. MX", "example.org. 3600", 0, nil},
		{"alias of a host without", "www.example.org. TXT", "www 3600", 0, nil},
		{"authoritative", "web.example.org. TXT", "web 20", 0, func(h plugin.Handler) *server { return newServer(t, declaredTXT, h, "example.org.") }},
		{"fallthrough elsewhere", "web.example.org. TXT", "web 20", 0, func(h plugin.Handler) *server {
			zones := definition.Zones{"example.org."}
			return serverOf(t, declaredTXT, h, Config{Zones: zones, Authoritative: zones, Fallthrough: definition.Zones{"x.example.org."}})
		}},
		{"end of the chain", "web.example.org. TXT", "web 20", 0, func(plugin.Handler) *server { return newServer(t, declaredTXT, &before{name: "view"}) }},
		{"no next plugin", "web.example.org. TXT", "web 20", 0, func(plugin.Handler) *server { return newServer(t, declaredTXT, nil) }},
	} {
		next := &txtNext{answers: []string{"web.example.org. 9 TXT x"}, written: map[*dns.Msg]string{}}
		s := newServer(t, declaredTXT, next)
		if tc.server != nil {
			s = tc.server(next)
		}
		_, res, err := ask(t, s, query(tc.question))
		if got := shown(res); !strings.HasPrefix(got, "NOERROR aa | "+tc.want) || len(next.asked) != tc.asked || len(s.warnings) > 0 || err != nil {
			t.Errorf("%s: asked %d times, logged %q, %v\n%s\nwant %d times\n%s", tc.name, len(next.asked), s.warnings, err, got, tc.asked, tc.want)
		}
	}
}

// TestTXTQuery: the next plugin gets the query as it came, with its EDNS, from the client; what it says in EDNS of its
// records is in the reply, and plugins before see its metadata. A query that is asked again has the same.
func TestTXTQuery(t *testing.T) {
	subnet := &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.IPv4(192, 0, 2, 0).To4()}
	next := &txtNext{answers: []string{"web.example.org. 9 TXT x"}, tc: true, written: map[*dns.Msg]string{}}
	s := newServer(t, declaredTXT, plugin.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		metadata.SetValueFunc(ctx, "forward/upstream", func() string { return "upstream" })
		return next.ServeDNS(ctx, scoped{w}, r)
	}))
	m := query("W1.example.org. TXT").SetEdns0(1400, true)
	m.RecursionDesired, m.CheckingDisabled = true, true
	m.IsEdns0().Option = []dns.EDNS0{subnet}
	m.IsEdns0().Hdr.Ttl |= 1
	came := m.Copy()
	ctx, w := metadata.ContextWithMetadata(t.Context()), dnstest.NewRecorder(&test.ResponseWriter{})
	_, err := s.ServeDNS(ctx, w, m)
	res := w.Msg
	if err != nil || len(res.Answer) != 3 || res.IsEdns0() == nil || res.IsEdns0().Option[0].(*dns.EDNS0_SUBNET).SourceScope != 16 {
		t.Fatalf("%v, %v", res, err)
	}
	if res.Id != came.Id || !res.RecursionDesired || !res.CheckingDisabled || m.IsEdns0().Hdr.Ttl&1 != 0 {
		t.Errorf("%v\nof %v", res, m)
	}
	if f := metadata.ValueFunc(ctx, "forward/upstream"); f == nil || f() != "upstream" {
		t.Error("log cannot tell who has answered")
	}
	came.Question[0].Name = "web.example.org."
	if len(next.asked) != 2 || next.asked[0].String() != came.String() || next.asked[1].String() != came.String() {
		t.Errorf("asked %v\nwant twice\n%v", next.asked, came)
	}
}

// scoped is the writer of a plugin that answers for a part of all clients.
type scoped struct{ dns.ResponseWriter }

func (w scoped) WriteMsg(m *dns.Msg) error {
	m.SetEdns0(1232, true)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, SourceScope: 16, Address: net.IPv4(192, 0, 2, 0).To4()}}
	return w.ResponseWriter.WriteMsg(m)
}

// TestTXTAfterDeadline: a plugin that goes on after the deadline shares nothing with those that have gone on without it.
// The race detector is what sees it.
func TestTXTAfterDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := plugin.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
			<-ctx.Done()
			r.Id++
			r.Question[0].Name = "late."
			r.IsEdns0().SetDo()
			metadata.SetValueFunc(ctx, "forward/upstream", func() string { return metadata.ValueFunc(ctx, "test/early")() })
			return dns.RcodeSuccess, w.WriteMsg(new(dns.Msg).SetReply(r))
		})
		s := newServer(t, declaredTXT, late)
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				ctx := metadata.ContextWithMetadata(t.Context())
				metadata.SetValueFunc(ctx, "test/early", func() string { return "early" })
				m, w := query("web.example.org. TXT").SetEdns0(1232, false), dnstest.NewRecorder(&test.ResponseWriter{})
				m.Id = 7
				if _, err := s.ServeDNS(ctx, w, m); err != nil || shown(w.Msg) != `NOERROR aa | web 20 "web"` {
					t.Errorf("%v, %v", w.Msg, err)
				}
				if m.Id != 7 || m.Question[0].Name != "web.example.org." || m.IsEdns0().Do() || len(metadata.Labels(ctx)) != 1 {
					t.Errorf("it has changed: %v, %v", m, metadata.Labels(ctx))
				}
			})
		}
		clients.Wait()
	})
}
