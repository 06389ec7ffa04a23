package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/wire"
)

// TestTrim: at each size there is every RRset of glue that fits after those before
// it, as miekg/dns measures the message, and with room for a signature of each.
func TestTrim(t *testing.T) {
	for _, l := range workloads() {
		h, r := l.handler(t), l.query()
		q := r.Question[0]
		_, a := h.table.Lookup(canonical(q.Name), q.Qtype)
		if len(a.Glue) == 0 {
			continue
		}
		for size := dns.MinMsgSize; size < 2*dns.MinMsgSize; size++ {
			for _, each := range []int{0, 96} {
				got, want := newMessage(r), newMessage(r)
				got.Answer, want.Answer, want.Compress = a.RRs, a.RRs, true
				got.Extra = new(wire.Packer).Fit(&wire.Message{Question: q, Answer: a.RRs, Glue: a.Glue, Size: size}, each)
				signatures := 0
				for i, end := 0, 0; i < len(a.Glue); i = end {
					for end = i; end < len(a.Glue) && sameRRset(a.Glue[i], a.Glue[end]); end++ {
					}
					before := want.Extra
					want.Extra = slices.Concat(before, a.Glue[i:end])
					if want.Len()+signatures+each > size {
						want.Extra = before
					} else {
						signatures += each
					}
				}
				if !slices.Equal(got.Extra, want.Extra) || cap(got.Extra) != len(got.Extra) {
					t.Fatalf("%s, %d octets, %d for a signature: %d addresses of room for %d, want %d",
						l.name, size, each, len(got.Extra), cap(got.Extra), len(want.Extra))
				}
			}
		}
	}
}

func sameRRset(a, b dns.RR) bool {
	return a.Header().Name == b.Header().Name && a.Header().Rrtype == b.Header().Rrtype
}

// sealed is dnssec, as far as it takes room.
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
		if !trimmed {
			t.Errorf("%s: glue was never left out", tc.name)
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
		m := query(name+".example.org. MX").SetEdns0(4096, false)
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
