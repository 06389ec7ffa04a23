package answer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// nextSOA is a next plugin that has a SOA or not, or fails to say so: one way at the start, and one later.
type nextSOA struct {
	first, then soaState
	asked       []string
	start       time.Time
}

type soaState struct {
	soa   dns.RR // or nil
	fails string // how, or ""
}

func (*nextSOA) Name() string { return "file" }

func (b *nextSOA) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	b.asked = append(b.asked, fmt.Sprint(time.Since(b.start), " ", r.Question[0].Name, " ", dns.Type(r.Question[0].Qtype)))
	m, is := new(dns.Msg).SetReply(r), b.first
	if time.Since(b.start) > 0 {
		is = b.then
	}
	switch is.fails {
	case "silent":
		<-ctx.Done()
		return dns.RcodeServerFailure, ctx.Err()
	case "panic":
		panic("in the next plugin")
	case "error":
		return dns.RcodeServerFailure, errors.New("no next plugin found")
	case "SERVFAIL":
		m.Rcode = dns.RcodeServerFailure
	case "packed":
		m.Answer = []dns.RR{is.soa}
		packed, _ := m.Pack()
		_, err := w.Write(packed)
		return dns.RcodeSuccess, err
	default:
		if is.soa != nil {
			m.Answer = []dns.RR{is.soa}
		}
	}
	return m.Rcode, w.WriteMsg(m)
}

// soaIn returns the SOA of our own denial for a family that a host lacks.
func soaIn(t *testing.T, s *server) string {
	t.Helper()
	_, res, err := ask(t, s, query("mx2.example.org. AAAA"))
	if err != nil || len(res.Ns) != 1 || len(res.Answer)+len(res.Extra) > 0 {
		t.Fatalf("%v, %v", res, err)
	}
	soa := res.Ns[0].(*dns.SOA)
	return fmt.Sprint(soa.Hdr.Name, " ", soa.Hdr.Ttl, " ", soa.Ns)
}

const (
	madeUp   = "example.org. 60 ns.dns.example.org."
	fromNext = "example.org. 20 ns.example.net."
)

// TestSOAOfNext: a denial has the SOA that the next plugin has of the zone. It is asked for at the start and when it runs
// out, and again a minute after a failure. What is known stays until there is another.
func TestSOAOfNext(t *testing.T) {
	soa := rr(t, "Example.ORG. 30 IN SOA ns.example.net. admin.example.net. 7 7200 1800 86400 20")
	for _, tc := range []struct {
		name        string
		first, then soaState
		want, later string // the SOA of denials at the start and after 100 s
		asked       []string
	}{
		{"known", soaState{soa: soa}, soaState{soa: soa}, fromNext, fromNext, []string{"0s", "30s", "1m0s", "1m30s"}},
		{"packed", soaState{soa: soa, fails: "packed"}, soaState{soa: soa}, fromNext, fromNext, []string{"0s", "30s", "1m0s", "1m30s"}},
		{"none", soaState{}, soaState{}, madeUp, madeUp, []string{"0s", "1m0s"}},
		{"found later", soaState{}, soaState{soa: soa}, madeUp, fromNext, []string{"0s", "1m0s", "1m30s"}},
		{"gone later", soaState{soa: soa}, soaState{}, fromNext, madeUp, []string{"0s", "30s", "1m30s"}},
		{"of the zone above", soaState{soa: rr(t, "org. 30 IN SOA ns.example.net. admin.example.net. 7 7200 1800 86400 20")}, soaState{}, madeUp, madeUp, []string{"0s", "1m0s"}},
		{"silent", soaState{fails: "silent"}, soaState{soa: soa}, madeUp, fromNext, []string{"0s", "1m2s", "1m32s"}},
		{"panic", soaState{fails: "panic"}, soaState{soa: soa}, madeUp, fromNext, []string{"0s", "1m0s", "1m30s"}},
		{"nothing written", soaState{fails: "error"}, soaState{soa: soa}, madeUp, fromNext, []string{"0s", "1m0s", "1m30s"}},
		{"fails later", soaState{soa: soa}, soaState{fails: "SERVFAIL"}, fromNext, fromNext, []string{"0s", "30s", "1m30s"}},
		{"TTL 0", soaState{soa: rr(t, "example.org. 0 IN SOA ns.example.net. admin.example.net. 7 7200 1800 86400 20")}, soaState{},
			"example.org. 0 ns.example.net.", madeUp, []string{"0s", "5s", "1m5s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next := &nextSOA{first: tc.first, then: tc.then, start: time.Now()}
				s := newServer(t, declared+"\nhost mx2 192.0.2.20", next)
				s.Follow()
				synctest.Wait()
				if got := soaIn(t, s); got != tc.want {
					t.Errorf("at the start: %s, want %s", got, tc.want)
				}
				time.Sleep(100 * time.Second)
				synctest.Wait()
				if got := soaIn(t, s); got != tc.later {
					t.Errorf("later: %s, want %s", got, tc.later)
				}
				s.Stop()
				time.Sleep(time.Hour)
				synctest.Wait()
				for i := range tc.asked {
					tc.asked[i] += " example.org. SOA"
				}
				if got := fmt.Sprint(next.asked); got != fmt.Sprint(tc.asked) {
					t.Errorf("asked %s, want %s", got, tc.asked)
				}
			})
		})
	}
}

// TestSOAInDenials: the SOA is also taken from denials of the next plugin; one of an authoritative zone is not asked for.
func TestSOAInDenials(t *testing.T) {
	soa := rr(t, "example.org. 30 IN SOA ns.example.net. admin.example.net. 7 7200 1800 86400 20")
	next := &following{answer: &dns.Msg{Ns: []dns.RR{soa}}}
	s := newServer(t, declared+"\nhost mx2 192.0.2.20", next)
	if got := soaIn(t, s); got != madeUp {
		t.Errorf("%s, want %s", got, madeUp)
	}
	for _, question := range []string{"mx2.example.org. TXT", "mx2.example.org. TXT"} {
		if _, res, _ := ask(t, s, query(question)); res.Ns[0] != soa {
			t.Errorf("%v, want %v", res.Ns, soa)
		}
	}
	if got := soaIn(t, s); got != fromNext {
		t.Errorf("%s, want %s", got, fromNext)
	}
	next.answer = &dns.Msg{Answer: []dns.RR{rr(t, "example.org. CNAME www.example.net.")}}
	if _, res, _ := ask(t, s, query("example.org. TXT")); len(res.Ns) != 1 || res.Ns[0].(*dns.SOA).Ns != "ns.example.net." {
		t.Errorf("denied alias: %v, want %s", res.Ns, fromNext)
	}
	next.answer = &dns.Msg{Ns: []dns.RR{rr(t, "example.org. 30 IN SOA ns2.example.net. admin.example.net. 8 7200 1800 86400 20")}}
	ask(t, s, query("mx2.example.org. TXT"))
	if got, want := soaIn(t, s), "example.org. 20 ns2.example.net."; got != want {
		t.Errorf("after a change: %s, want %s", got, want)
	}

	own := serverOf(t, declared+"\nhost mx2 192.0.2.20", next, Config{
		Zones: definition.Zones{"example.org."}, Authoritative: definition.Zones{"example.org."}, Fallthrough: definition.Zones{"example.org."},
	})
	ask(t, own, query("mx2.example.org. TXT"))
	if got, want := soaIn(t, own), "example.org. 120 ns1.example.org."; got != want {
		t.Errorf("authoritative: %s, want %s", got, want)
	}
	own.Next = plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
		panic("it is asked for")
	})
	own.Follow()
	own.Stop()
}
