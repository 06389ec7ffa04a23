package answer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/dnssec"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const delegated = `host ns1 192.0.2.53
record eu NS ns1.eu ns.example.net.
host ns1.eu 192.0.2.1 2001:db8::1
record sec NS ns1
record sec DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
alias w www.eu
mail @ 10 ns1.eu ns1`

// TestReferral: what is at and below a delegation is referred, without AA; its DS is answered.
func TestReferral(t *testing.T) {
	const (
		eu  = "NOERROR | | eu.example.org. NS eu.example.org. NS | ns1.eu.example.org. A ns1.eu.example.org. AAAA"
		sec = "NOERROR | | sec.example.org. NS | ns1.example.org. A"
		soa = "NOERROR aa | | example.org. SOA |"
	)
	s := newServer(t, delegated, nil, "example.org.")
	for question, want := range map[string]string{
		"eu.example.org. NS": eu, "eu.example.org. A": eu, "EU.example.org. ANY": eu, "a.b.eu.example.org. TXT": eu,
		"ns1.eu.example.org. A": eu, "ns1.eu.example.org. MX": eu, `a\.b.eu.example.org. A`: eu, "x.eu.example.org. DS": eu,
		"eu.example.org. DS": soa, "sec.example.org. NS": sec, "x.sec.example.org. A": sec,
		"sec.example.org. DS":  "NOERROR aa | sec.example.org. DS | |",
		"neu.example.org. A":   "NXDOMAIN aa | | example.org. SOA |",
		`x\.eu.example.org. A`: "NXDOMAIN aa | | example.org. SOA |",
		"ns1.example.org. A":   "NOERROR aa | ns1.example.org. A | |",
		"w.example.org. A":     "NOERROR aa | w.example.org. CNAME | |",
	} {
		if _, res, err := ask(t, s, query(question)); err != nil || brief(res) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", question, err, brief(res), want)
		}
	}
}

// TestReferralFallthrough: below fallthrough the next plugin may have records of a zone, but not of a delegated one.
func TestReferralFallthrough(t *testing.T) {
	next := &following{answer: new(dns.Msg)}
	s := serverOf(t, delegated, next, Config{Zones: definition.Zones{"example.org."},
		Authoritative: definition.Zones{"example.org."}, Fallthrough: definition.Zones{"example.org."}})
	for question, asked := range map[string]int{"x.eu.example.org. A": 0, "x.example.org. A": 1} {
		next.asked = 0
		if _, res, err := ask(t, s, query(question)); err != nil || next.asked != asked {
			t.Errorf("%s: asked %d times, want %d: %v, %v", question, next.asked, asked, err, res)
		}
	}
}

// TestReferralGlue: addresses without which a delegation is of no use set TC where they do not fit, others do not.
func TestReferralGlue(t *testing.T) {
	var text strings.Builder
	text.WriteString("record eu NS")
	for i := range 6 {
		fmt.Fprintf(&text, " a%d in%d.eu", i, i)
	}
	for i := range 6 {
		fmt.Fprintf(&text, "\nhost in%d.eu 192.0.2.1 2001:db8::1\nhost a%d 192.0.2.1 2001:db8::2", i, i)
	}
	s := newServer(t, text.String(), nil, "example.org.")
	s.chain.caches = true // which must not limit what is needed
	cut, whole := 0, 0
	for size := dns.MinMsgSize; size < 1500; size += 20 {
		m := query("x.eu.example.org. A")
		m.SetEdns0(uint16(size), false)
		_, res, err := ask(t, s, m)
		if err != nil || len(res.Ns) != 12 {
			t.Fatalf("%v, %v", err, res)
		}
		inside := inDomain("eu.example.org.", res.Extra)
		if res.Truncated != (inside < 12) {
			t.Errorf("%d octets: TC %v with %d of 12 addresses in the zone", size, res.Truncated, inside)
		}
		if res.Truncated {
			cut++
		} else if len(res.Extra) < 24 {
			whole++
		}
		if n := res.Len() + bareOptLen; n > size {
			t.Errorf("%d octets where %d fit", n, size)
		}
	}
	if cut == 0 || whole == 0 || counted(s.config.TrimmedGlue) == 0 {
		t.Errorf("%d with TC, %d without glue that may be left out; counted %v", cut, whole, counted(s.config.TrimmedGlue))
	}
}

// TestReferralSigned: a referral has signed DS records, or a signed NSEC record of the delegation, and nothing else that is
// signed. It is written past dnssec where that is the plugin before.
func TestReferralSigned(t *testing.T) {
	const glue = " | ns1.eu.example.org. A ns1.eu.example.org. AAAA"
	for _, tc := range []struct {
		name, question string
		zone           signs
		past           bool
		want           string
	}{
		{"no DS", "a.eu.example.org. A", "example.org.", true,
			"NOERROR | | eu.example.org. NS eu.example.org. NS eu.example.org. NSEC eu.example.org. RRSIG" + glue},
		{"DS", "a.sec.example.org. A", "example.org.", true,
			"NOERROR | | sec.example.org. NS sec.example.org. DS sec.example.org. RRSIG |"},
		{"another plugin between, no DS", "a.eu.example.org. A", "example.org.", false,
			"NOERROR | | eu.example.org. NS eu.example.org. NS" + glue},
		{"another plugin between, DS", "a.sec.example.org. A", "example.org.", false,
			"NOERROR | | sec.example.org. NS sec.example.org. DS | ns1.example.org. A"},
		{"an exchange below a delegation", "example.org. MX", "example.org.", false,
			"NOERROR aa | example.org. MX example.org. MX | | ns1.example.org. A"},
		{"a zone that is not signed", "a.sec.example.org. A", "example.net.", true,
			"NOERROR | | sec.example.org. NS | ns1.example.org. A"},
	} {
		s := newServer(t, delegated, nil, "example.org.")
		s.chain.signer = tc.zone
		rec := dnstest.NewRecorder(&test.ResponseWriter{})
		m := query(tc.question)
		m.SetEdns0(4096, true)
		var w dns.ResponseWriter = rec
		if tc.past { // writing to it would panic: it has no plugin
			w = &dnssec.ResponseWriter{ResponseWriter: rec}
			if tc.zone == "example.net." {
				w = rec
			}
		}
		if _, err := plugin.NextOrFailure("dnssec", s, t.Context(), w, m); err != nil {
			t.Fatal(err)
		}
		if got := brief(rec.Msg); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}
