package answer

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// A shuffler puts the records of answers in new orders. It allocates nothing once it has had an answer as large, and is
// for one answer at a time.
//
// The order of SRV records is the one that RFC 2782 wants of clients, so that those that take what comes first share
// the load as the weights say: MIT Kerberos, and most scripts. The RFC draws a number from 0 to the sum of the weights,
// with which 6 and 4 are 0.64 and 0.36, or 0.55 and 0.45 the other way round; here it is below the sum.
type shuffler struct {
	random rand.PCG
	rest   uint64 // random bits, of which at least so many are good:
	spare  int
	slots  []table.Slot
	sent   []bool // by index of its first address: the glue has the host already; if records have the same target
}

func newShuffler() (s shuffler) {
	s.random.Seed(rand.Uint64(), rand.Uint64())
	return s
}

// order returns the records and the glue of an answer in an order that they may be sent in. They are those of the
// answer itself, or are put into room, which is as long as both. The slices are full to their capacity.
//
//go:noinline
func (s *shuffler) order(a *table.Answer, room []dns.RR) (rrs, glue []dns.RR) {
	switch n := len(a.RRs); a.Order {
	case table.Canonical:
		return a.RRs, a.Glue
	case table.Rotated:
		return s.rotate(a.RRs, room[:n:n]), a.Glue
	default:
		s.slots = append(s.slots[:0], a.Slots...)
		s.draw()
		rrs, glue = room[:n:n], room[n:n+len(a.Glue):n+len(a.Glue)]
		aliases := n - len(a.Slots)
		copy(rrs, a.RRs[:aliases])
		from, to := a.RRs[aliases:], rrs[aliases:]
		for i := range s.slots {
			to[i] = from[s.slots[i].Record]
		}
		s.orderGlue(a, glue)
		return rrs, glue
	}
}

// rotate puts addresses into a slice as long, after the CNAME records that lead to them, if any.
func (s *shuffler) rotate(rrs, to []dns.RR) []dns.RR {
	if _, alias := rrs[0].(*dns.CNAME); alias {
		to[0] = rrs[0]
		s.rotate(rrs[1:], to[1:])
		return to
	}
	n := s.below(uint64(len(rrs)))
	copy(to[copy(to, rrs[n:]):], rrs)
	return to
}

// draw puts the slots of each priority in a new order.
func (s *shuffler) draw() {
	for rest := s.slots; len(rest) > 1; {
		n, sum, heaviest := 0, uint64(0), uint64(0)
		for priority := rest[0].Priority; n < len(rest) && rest[n].Priority == priority; n++ {
			weight := uint64(rest[n].Weight)
			sum, heaviest = sum+weight, max(heaviest, weight)
		}
		if sum == uint64(n)*heaviest {
			sum = 0 // all are equal
		}
		s.drawFrom(rest[:n], sum, heaviest)
		rest = rest[n:]
	}
}

// drawFrom draws one slot after the other, each with a chance of its weight in the sum of those that are left. If the
// sum is 0, all have the same.
func (s *shuffler) drawFrom(left []table.Slot, sum, heaviest uint64) {
	for ; len(left) > 1; left = left[1:] {
		var i uint64
		if sum == 0 {
			i = s.below(uint64(len(left)))
		} else {
			i = s.weighted(left, sum, heaviest)
			sum -= uint64(left[i].Weight)
		}
		left[0], left[i] = left[i], left[0]
	}
}

// weighted draws one of the slots, each with a chance of its weight in the sum. Of many, any is taken with a chance of
// its weight in the heaviest, which mostly takes a try or two; only then are the weights added up.
func (s *shuffler) weighted(left []table.Slot, sum, heaviest uint64) (i uint64) {
	const many, tries = 4, 3
	if len(left) > many {
		for range tries {
			i, rest := bits.Mul64(s.random.Uint64(), uint64(len(left)))
			if chance, _ := bits.Mul64(rest, heaviest); chance < uint64(left[i].Weight) {
				return i
			}
		}
	}
	for n := s.below(sum); n >= uint64(left[i].Weight); i++ {
		n -= uint64(left[i].Weight)
	}
	return i
}

// below returns a random number from 0 to n-1. All have the same chance, but for one in 2^32. What a draw leaves of 64
// random bits is as random, and serves the next.
func (s *shuffler) below(n uint64) (number uint64) {
	const enough = 32
	if s.spare -= bits.Len64(n); s.spare < enough {
		s.rest, s.spare = s.random.Uint64(), 64-bits.Len64(n)
	}
	number, s.rest = bits.Mul64(s.rest, n)
	return number
}

// orderGlue puts the glue of an answer in the order of the slots into a slice as long, the addresses of each host once.
func (s *shuffler) orderGlue(a *table.Answer, to []dns.RR) {
	repeating := a.Order == table.DrawnRepeating
	if repeating {
		s.sent = append(s.sent[:0], make([]bool, len(a.Glue))...)
	}
	n := 0
	for i := range s.slots {
		from, end := s.slots[i].Glue, s.slots[i].GlueEnd
		if repeating && from < end {
			if s.sent[from] {
				continue
			}
			s.sent[from] = true
		}
		for ; from < end; from++ {
			to[n] = a.Glue[from]
			n++
		}
	}
}

// dnssec keeps signatures by the text of an RRset, one record after the other: of each order it would make another. So
// it sees the canonical order, and the one that was drawn is made afterwards, by the writer that dnssec writes to. What
// cache then keeps has been drawn, too.

// aroundSigner puts a handler around dnssec, if that is what a plugin makes.
func aroundSigner(p plugin.Plugin) plugin.Plugin {
	return func(next plugin.Handler) plugin.Handler {
		h := p(next)
		if s, ok := h.(signer); ok {
			return &orderingSigner{h, s}
		}
		return h
	}
}

// An orderingSigner is dnssec, with a writer that puts signed records in order.
type orderingSigner struct {
	plugin.Handler
	signer
}

func (s *orderingSigner) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if wantsSignatures(r) {
		ordering := &orderingWriter{ResponseWriter: w}
		ctx, w = context.WithValue(ctx, orderingKey{}, ordering), ordering
	}
	return s.Handler.ServeDNS(ctx, w, r)
}

type orderingKey struct{}

// An orderingWriter writes the records that a message has before their signatures in the order in which they were
// drawn.
type orderingWriter struct {
	dns.ResponseWriter
	signed, drawn []dns.RR
}

// afterSigning has the records of an answer that is signed written in the order in which they were drawn.
func afterSigning(ctx context.Context, signed, drawn []dns.RR) {
	if w, ok := ctx.Value(orderingKey{}).(*orderingWriter); ok {
		w.signed, w.drawn = signed, drawn
	}
}

// WriteMsg implements dns.ResponseWriter.
func (w *orderingWriter) WriteMsg(m *dns.Msg) error {
	if n := len(w.drawn); n > 0 && len(m.Answer) >= n && slices.Equal(m.Answer[:n], w.signed) {
		m.Answer = slices.Concat(w.drawn, m.Answer[n:])
	}
	return w.ResponseWriter.WriteMsg(m)
}
