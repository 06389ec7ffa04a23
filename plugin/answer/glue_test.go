package answer

import (
	"slices"
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
