package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func sameRRset(a, b dns.RR) bool {
	return a.Header().Name == b.Header().Name && a.Header().Rrtype == b.Header().Rrtype
}

// sealed is how many octets a signature takes.
const sealed = 100

// TestRoom: whatever is added to a message later, it fits the client, and glue is left out for that.
func TestRoom(t *testing.T) {
	glueRRsets := func(m *dns.Msg) (n int) {
		for i, rr := range m.Extra {
			if i == 0 || !sameRRset(m.Extra[i-1], rr) {
				n++
			}
		}
		return n
	}
	for _, tc := range []struct {
		name, more, question string
		query                func(m *dns.Msg, size int)
		chain                chain
		later                func(m *dns.Msg) int // octets
	}{
		{"EDNS", "", "example.org. MX", func(m *dns.Msg, size int) { m.SetEdns0(uint16(size), false) }, chain{},
			func(*dns.Msg) int { return bareOptLen }},
		{"NSID", "", "example.org. MX", func(m *dns.Msg, size int) {
			m.SetEdns0(uint16(size), false).IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_NSID{Code: dns.EDNS0NSID}}
		}, chain{}, func(*dns.Msg) int { return bareOptLen + 4 + 255 }},
		{"signatures", "", "example.org. MX", func(m *dns.Msg, size int) { m.SetEdns0(uint16(size), true) }, chain{signature: sealed},
			func(m *dns.Msg) int { return bareOptLen + sealed*(1+glueRRsets(m)) }},
		{"signatures of an alias", "alias www @\n", "www.example.org. MX", func(m *dns.Msg, size int) { m.SetEdns0(uint16(size), true) }, chain{signature: sealed},
			func(m *dns.Msg) int { return bareOptLen + sealed*(2+glueRRsets(m)) }},
	} {
		s, trimmed := newServer(t, sixExchanges()+tc.more, nil), false
		s.chain = tc.chain
		for size := dns.MinMsgSize + 300; size < 1800; size += 3 {
			m := query(tc.question)
			tc.query(m, size)
			_, res, err := ask(t, s, m)
			if err != nil || len(res.Answer) < 6 {
				t.Fatalf("%s: %v, %v", tc.name, res, err)
			}
			res.Compress = true
			if n := res.Len() + tc.later(res); n > size {
				t.Errorf("%s, %d octets: %d in the end, with %d addresses", tc.name, size, n, len(res.Extra))
			}
			trimmed = trimmed || len(res.Extra) > 0 && len(res.Extra) < 36
		}
		if !trimmed || counted(s.config.TrimmedGlue) == 0 {
			t.Errorf("%s: glue was never left out, or not counted", tc.name)
		}
	}
}

// TestRoomInCache: what cache keeps fits clients of 512 octets who ask in mixed case, with EDNS.
func TestRoomInCache(t *testing.T) {
	names := ""
	for i := range 60 {
		names += " " + strings.Repeat("a", i+1)
	}
	s := newServer(t, strings.Replace(sixExchanges(), "mail @", "mail"+names, 1), nil)
	s.chain.caches = true
	for name := range strings.FieldsSeq(names) {
		plain, edns := query(name+".example.org. MX"), query(name+".example.org. MX")
		for _, m := range []*dns.Msg{plain, edns.SetEdns0(4096, false)} {
			_, res, err := ask(t, s, m)
			if err != nil || len(res.Extra) == 0 {
				t.Fatalf("%s: %v, %v", name, res, err)
			}
			res.Compress = true
			res.Question[0].Name = strings.ToUpper(res.Question[0].Name)
			if n := res.Len() + bareOptLen; n > dns.MinMsgSize {
				t.Errorf("%s: %d octets in mixed case, with EDNS", name, n)
			}
		}
	}
}
