package delivery

import (
	"math/rand/v2"
	"slices"

	"github.com/miekg/dns"
)

// A Client is a kind of client of services, by what it does with the numbers of SRV records.
type Client struct {
	Name string
	Does string // what it makes of the numbers, as a sentence without its name

	// Order returns the targets that a client tries, in the order in which it does.
	Order func(srv []*dns.SRV, rnd *rand.Rand) []*dns.SRV
}

// Clients are the kinds of clients. The first does what RFC 2782 says.
var Clients = []Client{
	{"rfc2782", "", Order},
	{"haproxy", "takes the targets of all priorities, and a 256th of each weight, rounded up: none has more than 256, and a " +
		"target with weight 0 gets nothing (2.6)", haproxy},
	{"exim", "sorts by 1000 times the priority plus the weight, draws by the last three digits of the weight, and never has " +
		"the last target of all before another of its priority (4.96)", exim},
	{"first", "takes what comes first in the answer, like MIT Kerberos and most scripts", inAnswer},
}

// inAnswer returns targets as an answer in weighted order has them: by ascending priority, and within one drawn by
// weight. Those with weight 0 come after all others of their priority.
func inAnswer(srv []*dns.SRV, rnd *rand.Rand) (order []*dns.SRV) {
	left := slices.Clone(srv)
	slices.SortStableFunc(left, func(a, b *dns.SRV) int { return int(a.Priority) - int(b.Priority) })
	for len(left) > 0 {
		end := slices.IndexFunc(left, func(s *dns.SRV) bool { return s.Priority != left[0].Priority })
		if end < 0 {
			end = len(left)
		}
		order = append(order, drawn(left[:end], func(s *dns.SRV) int { return int(s.Weight) }, rnd)...)
		left = left[end:]
	}
	return order
}

// haproxy returns targets in the order in which the load on each begins, on average: all that have a weight in HAProxy.
func haproxy(srv []*dns.SRV, rnd *rand.Rand) []*dns.SRV {
	const unit = 256
	weighted := slices.DeleteFunc(slices.Clone(srv), func(s *dns.SRV) bool { return s.Weight == 0 })
	return drawn(weighted, func(s *dns.SRV) int { return (int(s.Weight) + unit - 1) / unit }, rnd)
}

// drawn draws one target after the other, with the chance of its weight among those that are left, or with the same if
// all of these have weight 0. It changes the order of srv.
func drawn(srv []*dns.SRV, weight func(*dns.SRV) int, rnd *rand.Rand) []*dns.SRV {
	for left := srv; len(left) > 1; left = left[1:] {
		sum, i := 0, 0
		for _, s := range left {
			sum += weight(s)
		}
		if sum == 0 {
			i = rnd.IntN(len(left))
		} else {
			for n := rnd.IntN(sum); n >= weight(left[i]); i++ {
				n -= weight(left[i])
			}
		}
		left[0], left[i] = left[i], left[0]
	}
	return srv
}

// A key is a target as Exim sorts it.
type key struct {
	*dns.SRV
	sum int // 1000 times the priority plus the weight; later the sum of the weights up to this one
}

// exim returns targets as Exim 4.96 tries them. A host has the lowest of its priorities. Of what it draws with, the sums
// of the weights do not have that of the last target, which so is never drawn before another one of its priority; and
// the next draw takes these sums for weights.
func exim(srv []*dns.SRV, rnd *rand.Rand) []*dns.SRV {
	const perPriority = 1000
	var keys []key
	for _, s := range srv {
		i := slices.IndexFunc(keys, func(k key) bool { return k.Target == s.Target })
		switch {
		case i < 0:
		case keys[i].Priority <= s.Priority:
			continue
		default:
			keys = slices.Delete(keys, i, i+1)
		}
		keys = append(keys, key{s, perPriority*int(s.Priority) + int(s.Weight)})
	}
	slices.SortStableFunc(keys, func(a, b key) int { return a.sum - b.sum })
	for i := range keys {
		sum, last := 0, i
		for ; last < len(keys)-1; last++ {
			sum += keys[last].sum % perPriority
			keys[last].sum = sum
			if keys[last].Priority != keys[last+1].Priority {
				break
			}
		}
		chosen, n := i, rnd.IntN(sum+1)
		for chosen < last && keys[chosen].sum < n {
			chosen++
		}
		first := keys[chosen]
		copy(keys[i+1:], keys[i:chosen])
		keys[i] = first
	}
	order := make([]*dns.SRV, len(keys))
	for i, k := range keys {
		order[i] = k.SRV
	}
	return order
}
