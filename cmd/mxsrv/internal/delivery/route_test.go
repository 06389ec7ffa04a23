package delivery

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// zone is DNS in these tests. Names below example.net. are elsewhere.
const zone = `
$ORIGIN example.com.
$TTL 300
@          MX 20 mx3
@          MX 10 mx1
@          MX 30 mx.example.net.
@          MX 20 mx2
mx1        A 192.0.2.10
mx1        AAAA 2001:db8::10
mx2        A 192.0.2.20
mx3        A 192.0.2.30
alias      CNAME @
twice      CNAME alias
out        CNAME mail.example.net.
away       CNAME example.org.
loop       CNAME pool
pool       CNAME loop
noreply    MX 0 .
www        A 192.0.2.80
nothing    TXT "neither MX nor address"
self       MX 10 mx2
numbers    MX 10 multi
numbers    MX 20 other
multi      A 192.0.2.20
multi      A 192.0.2.21
other      A 192.0.2.22
mixed      MX 0 .
mixed      MX 10 mx1
ghost      MX 10 gone
ghost      MX 20 textonly
ghost      MX 30 mx1
allghost   MX 10 gone
textonly   TXT "no address"
chained    MX 10 mxalias
mxalias    CNAME mx1
v6         MX 10 six
six        AAAA 2001:db8::6
laterhost  MX 10 broken.example.com.
laterhost  MX 20 mx1
example.org. MX 10 mx1
`

// ask answers from zone, as a server that follows aliases within it.
func ask(t *testing.T) Lookup {
	t.Helper()
	var all []dns.RR
	z := dns.NewZoneParser(strings.NewReader(zone), "", "")
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		all = append(all, rr)
	}
	if z.Err() != nil {
		t.Fatal(z.Err())
	}
	var answer func(name string, qtype uint16) Answer
	answer = func(name string, qtype uint16) Answer {
		switch {
		case strings.HasSuffix(name, "example.net."):
			return Answer{Status: Elsewhere}
		case strings.HasPrefix(name, "broken."):
			return Answer{Status: Failed}
		}
		a := Answer{Status: NoName}
		for _, rr := range all {
			if rr.Header().Name != name {
				continue
			}
			if a.Status == NoName {
				a.Status = NoData
			}
			if c, ok := rr.(*dns.CNAME); ok && strings.HasSuffix(c.Target, "example.com.") && !strings.Contains(name, "oo") {
				a = answer(c.Target, qtype)
				a.RRs = append([]dns.RR{rr}, a.RRs...)
			} else if ok || rr.Header().Rrtype == qtype {
				a.Status = Found
				a.RRs = append(a.RRs, rr)
			}
		}
		return a
	}
	return answer
}

// brief writes a plan in a line: exchanges by group, what is dropped, and the result.
func brief(p *Plan) string {
	var b strings.Builder
	for _, group := range Groups(p.Attempts) {
		for i, e := range group {
			if b.WriteString(strings.TrimSuffix(e.Name, ".example.com")); e.Down {
				b.WriteString("!")
			}
			if i < len(group)-1 {
				b.WriteString("=")
			}
		}
		b.WriteString(" ")
	}
	for _, d := range p.Dropped {
		b.WriteString("-" + strings.TrimSuffix(d.Name, ".example.com") + " ")
	}
	return b.String() + "> " + p.String()
}

func TestRoute(t *testing.T) {
	for _, test := range []struct {
		about, domain, from, down string
		want, explanation         string
	}{
		{"nothing is down", "example.com", "", "",
			"mx1 mx2=mx3 mx.example.net > delivered to mx1.example.com",
			"mx1.example.com has the lowest preference, 10"},
		{"the first is down", "example.com", "", "mx1",
			"mx1! mx2=mx3 mx.example.net > delivered to mx2.example.com or mx3.example.com",
			"mx1.example.com is down; of what is left, mx2.example.com and mx3.example.com have the lowest preference, 20, and are tried in random order"},
		{"one of two equals is down", "example.com", "", "mx1 mx3",
			"mx1! mx2=mx3! mx.example.net > delivered to mx2.example.com",
			"mx1.example.com and mx3.example.com are down; of what is left, mx2.example.com has the lowest preference, 20"},
		{"ours are down", "example.com", "", "mx1 mx2 mx3",
			"mx1! mx2!=mx3! mx.example.net > delivered to mx.example.net",
			"mx1.example.com, mx2.example.com and mx3.example.com are down; of what is left, mx.example.net has the lowest preference, 30"},
		{"all are down", "example.com", "", "mx1 mx2 mx3 mx.example.net",
			"mx1! mx2!=mx3! mx.example.net! > waits in the queue of the sender",
			"mx1.example.com, mx2.example.com, mx3.example.com and mx.example.net are down: the mail stays in the queue and is tried again, for 4 to 5 days (RFC 5321 §4.5.4.1)"},
		{"from an exchange in the middle", "example.com", "mx2.example.com", "",
			"mx1 -mx2 -mx3 -mx.example.net > delivered to mx1.example.com",
			"mx1.example.com has the lowest preference, 10"},
		{"from an exchange in the middle, the first down", "example.com", "MX2.Example.Com.", "mx1",
			"mx1! -mx2 -mx3 -mx.example.net > waits in the queue of the sender",
			"mx1.example.com is down, and the sender, an exchange of preference 20 itself, may try only lower ones: the mail stays in the queue and is tried again, for 4 to 5 days (RFC 5321 §4.5.4.1)"},
		{"from the last exchange", "example.com", "mx.example.net", "mx1",
			"mx1! mx2=mx3 -mx.example.net > delivered to mx2.example.com or mx3.example.com",
			"mx1.example.com is down; of what is left, mx2.example.com and mx3.example.com have the lowest preference, 20, and are tried in random order"},
		{"from the first exchange", "example.com", "mx1.example.com", "",
			"-mx1 -mx2 -mx3 -mx.example.net > bounces, 5.4.6",
			"the sender is the best exchange of example.com itself, and only it is left: a configuration error, unless mx1.example.com delivers mail for example.com to its mailboxes (RFC 5321 §5.1)"},
		{"from the only exchange", "self.example.com", "mx2.example.com", "",
			"-mx2 > bounces, 5.4.6",
			"the sender is the best exchange of self.example.com itself, and only it is left: a configuration error, unless mx2.example.com delivers mail for self.example.com to its mailboxes (RFC 5321 §5.1)"},
		{"from a host with an address of an exchange", "numbers.example.com", "mx2.example.com", "",
			"-multi -other > bounces, 5.4.6",
			"the sender is the best exchange of numbers.example.com itself, and only it is left: a configuration error, unless multi.example.com delivers mail for numbers.example.com to its mailboxes (RFC 5321 §5.1)"},
		{"null MX", "noreply.example.com", "", "", "> bounces, 5.1.10",
			"noreply.example.com takes no mail: it has a null MX (RFC 7505)"},
		{"null MX beside an exchange", "mixed.example.com", "", "", "mx1 -. > delivered to mx1.example.com",
			"mx1.example.com has the lowest preference, 10"},
		{"implicit MX", "www.example.com", "", "", "www > delivered to www.example.com",
			"www.example.com has no MX records, so its own address takes the mail (RFC 5321 §5.1)"},
		{"implicit MX, down", "www.example.com", "", "www", "www! > waits in the queue of the sender",
			"www.example.com is down: the mail stays in the queue and is tried again, for 4 to 5 days (RFC 5321 §4.5.4.1)"},
		{"implicit MX is the sender", "www.example.com", "www.example.com", "", "-www > bounces, 5.4.6",
			"the sender is the best exchange of www.example.com itself, and only it is left: a configuration error, unless www.example.com delivers mail for www.example.com to its mailboxes (RFC 5321 §5.1)"},
		{"neither MX nor address", "nothing.example.com", "", "", "> bounces, 5.4.4",
			"nothing.example.com has neither MX records nor an address (RFC 5321 §5.1)"},
		{"no such domain", "nosuch.example.com", "", "", "> bounces, 5.1.2",
			"there is no domain nosuch.example.com (RFC 5321 §5.1)"},
		{"alias", "Alias.example.com.", "", "", "mx1 mx2=mx3 mx.example.net > delivered to mx1.example.com",
			"mx1.example.com has the lowest preference, 10"},
		{"alias of an alias", "twice.example.com", "", "", "mx1 mx2=mx3 mx.example.net > delivered to mx1.example.com",
			"mx1.example.com has the lowest preference, 10"},
		{"alias that the answer does not follow", "away.example.com", "", "", "mx1 > delivered to mx1.example.com",
			"mx1.example.com has the lowest preference, 10"},
		{"alias loop", "loop.example.com", "", "", "> bounces, 5.4.4",
			"loop.example.com is an alias of an alias and so on, without end"},
		{"alias of a domain elsewhere", "out.example.com", "", "", "> unknown",
			"mail.example.net is in none of the zones that these answers are about"},
		{"DNS is down", "broken.example.com", "", "", "> waits in the queue of the sender",
			"DNS has no answer for broken.example.com now: the mail stays in the queue, and DNS is asked again (RFC 5321 §5.1)"},
		{"DNS of an exchange is down", "laterhost.example.com", "", "", "broken! mx1 > delivered to mx1.example.com",
			"broken.example.com is down; of what is left, mx1.example.com has the lowest preference, 20"},
		{"exchanges without address", "ghost.example.com", "", "", "mx1 -gone -textonly > delivered to mx1.example.com",
			"mx1.example.com has the lowest preference, 30"},
		{"no exchange has an address", "allghost.example.com", "", "", "-gone > bounces, 5.4.4",
			"no exchange of allghost.example.com has an address (RFC 5321 §5.1)"},
		{"exchange that is an alias", "chained.example.com", "", "", "mxalias > delivered to mxalias.example.com",
			"mxalias.example.com has the lowest preference, 10"},
		{"only IPv6", "v6.example.com", "", "", "six > delivered to six.example.com",
			"six.example.com has the lowest preference, 10"},
	} {
		t.Run(test.about, func(t *testing.T) {
			down := func(h Host) bool {
				return slices.Contains(strings.Fields(test.down), strings.TrimSuffix(h.Name, ".example.com"))
			}
			p := Route(test.domain, ask(t), Sender{Host: test.from, Down: down})
			if got := brief(p); got != test.want {
				t.Errorf("%s\nwant\n%s", got, test.want)
			}
			if p.Explanation != test.explanation {
				t.Errorf("%q\nwant\n%q", p.Explanation, test.explanation)
			}
		})
	}
}

func TestRouteDetails(t *testing.T) {
	p := Route("Twice.example.com", ask(t), Sender{Host: "mx2.example.com"})
	if got := strings.Join(p.Aliases, " "); p.Domain != "twice.example.com" || got != "alias.example.com example.com" {
		t.Errorf("%s is an alias of %q, want alias.example.com, then example.com", p.Domain, got)
	}
	want := []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")}
	if got := p.MX[0].Addrs; !slices.Equal(got, want) {
		t.Errorf("addresses of %s: %v, want %v", p.MX[0].Name, got, want)
	}
	var why []string
	for _, d := range p.Dropped {
		why = append(why, d.Why)
	}
	if got := strings.Join(why, "; "); got != "it is the sender itself; its preference is that of the sender, 20; its preference is above that of the sender, 20" {
		t.Errorf("dropped because %s", got)
	}
	if p = Route("www.example.com", ask(t), Sender{}); !p.Implicit {
		t.Error("the address of www.example.com is not called an implicit MX")
	}
}

// TestRouteHolds: whatever the exchanges, the sender and what is down, the rules of RFC 5321 §5.1 hold in the plan.
func TestRouteHolds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5321, 1))
	for range 5000 {
		var mx []dns.RR
		for range 1 + rnd.IntN(6) {
			mx = append(mx, &dns.MX{Hdr: dns.RR_Header{Name: "example.com.", Rrtype: dns.TypeMX}, Preference: uint16(rnd.IntN(4)), Mx: fmt.Sprintf("mx%d.example.com.", rnd.IntN(6))})
		}
		look := func(name string, qtype uint16) Answer {
			switch {
			case qtype == dns.TypeMX:
				return Answer{Status: Found, RRs: mx}
			case qtype == dns.TypeA && name != "mx5.example.com.":
				a := &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA}, A: net.IPv4(192, 0, 2, name[2])}
				return Answer{Status: Found, RRs: []dns.RR{a}}
			}
			return Answer{Status: NoData}
		}
		self, dead := fmt.Sprintf("mx%d.example.com", rnd.IntN(9)), rnd.IntN(64)
		p := Route("example.com", look, Sender{Host: self, Down: func(h Host) bool { return dead>>(h.Name[2]-'0')&1 == 1 }})
		if wrong := breach(p, self); wrong != "" {
			t.Fatalf("%v from %s: %s\n%+v", mx, self, wrong, p)
		}
	}
}

// breach says which rule a plan breaks.
func breach(p *Plan, self string) string {
	preference := 1 << 16 // of the sender
	for _, e := range p.MX {
		if e.Name == self {
			preference = min(preference, int(e.Preference))
		}
	}
	var up []Exchange // of the lowest preference that there is
	for _, e := range p.Attempts {
		switch {
		case int(e.Preference) >= preference:
			return e.Name + " is tried, which is no better than the sender"
		case len(e.Addrs) == 0:
			return e.Name + " is tried, which has no address"
		case !e.Down && (len(up) == 0 || up[0].Preference == e.Preference):
			up = append(up, e)
		}
	}
	sorted := slices.IsSortedFunc(p.Attempts, func(a, b Exchange) int { return int(a.Preference) - int(b.Preference) })
	switch {
	case !sorted:
		return "attempts are not by preference"
	case len(p.Attempts)+len(p.Dropped) != len(p.MX):
		return "an exchange is neither tried nor dropped"
	case !slices.Equal(names(p.To), names(up)):
		return "it is not delivered to the best that are up"
	case (p.Result == Delivered) != (len(up) > 0) || (p.Result == Bounces) != (len(p.Attempts) == 0):
		return "it does not end as it should"
	}
	return ""
}
