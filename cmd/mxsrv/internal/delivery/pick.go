package delivery

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/miekg/dns"
)

// Order returns the targets of a service in the order in which one client tries them: by ascending priority, and within
// one as RFC 2782 says under "Weight". "Unordered" targets are put into a row, those with weight 0 first; a number from
// 0 to the sum of their weights is drawn; the first target whose running sum reaches the number is next; and again with
// those that are left.
//
// Three things that the RFC leaves open are settled so that nobody is favoured:
//
//   - Without weight 0 in the row, the number starts at 1. A 0 would be the share of whoever comes first in the row, of
//     which the RFC says that it may be in "any order". So 6 and 4 are 60:40, as in Go's net.LookupSRV.
//   - With weight 0 in the row, 0 is the share of one of these, 1 in 1 + the sum of all weights: the "very small chance
//     of being selected". net.LookupSRV gives them none.
//   - Targets with weight 0 come into the row in random order, so that they share if there are no others. net.LookupSRV
//     does not shuffle them.
func Order(srv []*dns.SRV, rnd *rand.Rand) []*dns.SRV {
	order := slices.Clone(srv)
	rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	slices.SortStableFunc(order, func(a, b *dns.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(min(a.Weight, 1), min(b.Weight, 1)))
	})
	for rest := order; len(rest) > 1; rest = rest[1:] {
		end := slices.IndexFunc(rest, func(s *dns.SRV) bool { return s.Priority != rest[0].Priority })
		if end < 0 {
			end = len(rest)
		}
		i := next(rest[:end], rnd)
		chosen := rest[i]
		copy(rest[1:i+1], rest[:i]) // the rest stays in its order, weight 0 first
		rest[0] = chosen
	}
	return order
}

// next selects from targets of equal priority, those with weight 0 first.
func next(row []*dns.SRV, rnd *rand.Rand) int {
	sum := 0
	for _, srv := range row {
		sum += int(srv.Weight)
	}
	number := 0
	switch {
	case len(row) == 1: // no choice
	case row[0].Weight > 0:
		number = 1 + rnd.IntN(sum)
	case sum > 0:
		number = rnd.IntN(sum + 1)
	}
	for i, srv := range row {
		if number -= int(srv.Weight); number <= 0 {
			return i
		}
	}
	return len(row) - 1
}

// Pick has n clients order the targets of a service, and returns how many find each of them first among those that are
// up. The result is parallel to srv.
func Pick(
	srv []*dns.SRV, n int, up func(*dns.SRV) bool, order func([]*dns.SRV, *rand.Rand) []*dns.SRV, rnd *rand.Rand,
) []int {
	counts := make([]int, len(srv))
	for range n {
		order := order(srv, rnd)
		if i := slices.IndexFunc(order, up); i >= 0 {
			counts[slices.Index(srv, order[i])]++
		}
	}
	return counts
}

// Shares returns the share of each target among those of its priority, 0 to 1, that its weight promises: what [Pick]
// comes to in the long run, for the lowest priority of which a target is up. The result is parallel to srv.
func Shares(srv []*dns.SRV, up func(*dns.SRV) bool) []float64 {
	shares := make([]float64, len(srv))
	for i, s := range srv {
		if up(s) {
			shares[i] = weigh(srv, s.Priority, up).share(s.Weight)
		}
	}
	return shares
}

// A balance is the targets of a priority as they count for shares. Targets with a weight that are down do not count:
// whoever draws one draws again, with the same odds among the others.
type balance struct {
	sum   float64 // of the weights that are up
	zeros float64 // how many with weight 0 are up
	down  float64 // how many with weight 0 are down
}

func weigh(srv []*dns.SRV, priority uint16, up func(*dns.SRV) bool) balance {
	var b balance
	for _, s := range srv {
		switch {
		case s.Priority != priority:
		case up(s) && s.Weight > 0:
			b.sum += float64(s.Weight)
		case up(s):
			b.zeros++
		case s.Weight == 0:
			b.down++
		}
	}
	return b
}

// share returns the share of one target that is up. The number 0 selects one of all targets with weight 0, and the client
// draws again if that is down.
func (b balance) share(weight uint16) float64 {
	zero := 0.0 // of all targets with weight 0 that are up
	for down := 0.0; b.zeros > 0 && down <= b.down; down++ {
		zero = (b.zeros + down*zero) / (b.zeros + down) / (1 + b.sum)
	}
	if weight == 0 {
		return zero / b.zeros
	}
	return (1 - zero) * float64(weight) / b.sum
}
