package delivery

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// targets makes SRV records of "PRIORITY WEIGHT", on hosts a, b, c and so on. The second result says which have no "!"
// behind them.
func targets(t *testing.T, text string) ([]*dns.SRV, func(*dns.SRV) bool) {
	t.Helper()
	var srv []*dns.SRV
	down := map[string]bool{}
	for i, field := range strings.Split(text, ", ") {
		host := string(rune('a'+i)) + ".example.com."
		rr, err := dns.NewRR("_x._tcp.example.com. SRV " + strings.TrimSuffix(field, "!") + " 1 " + host)
		if err != nil {
			t.Fatal(err)
		}
		srv = append(srv, rr.(*dns.SRV))
		down[host] = strings.HasSuffix(field, "!")
	}
	return srv, func(s *dns.SRV) bool { return !down[s.Target] }
}

// reading is RFC 2782 to the letter: the chance of each target to be the first that is up, if the unordered ones with
// weight 0 are put first and the others are in the order given, "in any order".
func reading(unordered []*dns.SRV, up func(*dns.SRV) bool) map[*dns.SRV]float64 {
	slices.SortStableFunc(unordered, func(a, b *dns.SRV) int { return int(min(a.Weight, 1)) - int(min(b.Weight, 1)) })
	sum := 0
	for _, s := range unordered {
		sum += int(s.Weight)
	}
	chance := map[*dns.SRV]float64{}
	for number := 0; number <= sum; number++ { // "between 0 and the sum computed (inclusive)"
		running := 0
		for i, s := range unordered {
			if running += int(s.Weight); running < number {
				continue
			}
			if up(s) {
				chance[s] += 1 / float64(sum+1)
			} else {
				rest := slices.Delete(slices.Clone(unordered), i, i+1)
				for next, c := range reading(rest, up) {
					chance[next] += c / float64(sum+1)
				}
			}
			break
		}
	}
	return chance
}

// arrangements calls f with all orders of some targets.
func arrangements(srv []*dns.SRV, done int, f func([]*dns.SRV)) {
	if done == len(srv) {
		f(slices.Clone(srv))
	}
	for i := done; i < len(srv); i++ {
		srv[done], srv[i] = srv[i], srv[done]
		arrangements(srv, done+1, f)
		srv[done], srv[i] = srv[i], srv[done]
	}
}

// TestSharesByTheLetter holds the promised shares against RFC 2782. Where weight 0 is in play, the average over "any
// order" is exact; where it is not, the order has a say in it, and the share is within what the orders give.
func TestSharesByTheLetter(t *testing.T) {
	for _, text := range []string{
		"0 6, 0 4", "0 1, 0 2, 0 3", "0 100, 0 1", "0 5", "0 6, 0 4!", "0 1, 0 2!, 0 3",
		"0 0", "0 0, 0 0", "0 0, 0 10", "0 0, 0 1, 0 0", "0 0, 0 6, 0 4", "0 0, 0 0, 0 0, 0 7, 0 3",
		"0 0!, 0 10", "0 0, 0 10!", "0 0!, 0 0, 0 1", "0 0!, 0 0!, 0 0, 0 3, 0 2!, 0 1",
	} {
		t.Run(text, func(t *testing.T) {
			srv, up := targets(t, text)
			n, mean, low, high := 0.0, map[*dns.SRV]float64{}, map[*dns.SRV]float64{}, map[*dns.SRV]float64{}
			arrangements(slices.Clone(srv), 0, func(order []*dns.SRV) {
				n++
				chance := reading(order, up)
				for _, s := range srv {
					mean[s] += chance[s]
					high[s] = max(high[s], chance[s])
					if c, ok := low[s]; !ok || chance[s] < c {
						low[s] = chance[s]
					}
				}
			})
			zeroUp := slices.ContainsFunc(srv, func(s *dns.SRV) bool { return s.Weight == 0 && up(s) })
			total := 0.0
			for i, share := range Shares(srv, up) {
				s, exact := srv[i], mean[srv[i]]/n
				total += share
				if share < low[s]-1e-9 || share > high[s]+1e-9 {
					t.Errorf("share of %s is %v, want %v to %v", s.Target, share, low[s], high[s])
				}
				if zeroUp && math.Abs(share-exact) > 1e-9 {
					t.Errorf("share of %s is %v, want %v", s.Target, share, exact)
				}
			}
			if math.Abs(total-1) > 1e-9 {
				t.Errorf("all shares are %v together, want 1", total)
			}
		})
	}
}

// fits fails if counts are further than three standard deviations from shares.
func fits(t *testing.T, counts []int, shares []float64, n, deviations float64) {
	t.Helper()
	for i, share := range shares {
		want, deviation := n*share, math.Sqrt(n*share*(1-share))
		if math.Abs(float64(counts[i])-want) > deviations*deviation {
			t.Errorf("%d of %v for target %d, want %.0f +- %.0f", counts[i], n, i, want, deviations*deviation)
		}
	}
}

func TestPick(t *testing.T) {
	for _, text := range []string{
		"0 6, 0 4", "0 1, 0 1, 0 1", "0 100, 0 1", "0 65535, 0 65535", "0 0, 0 0, 0 0", "0 0, 0 1", "0 0, 0 0, 0 5, 0 5",
		"10 3, 10 1, 20 1, 20 2", "0 6!, 0 4", "0 6!, 0 4, 0 0", "0 0!, 0 0, 0 1", "0 1!, 5 7, 5 3", "0 5",
	} {
		t.Run(text, func(t *testing.T) {
			const n = 10000
			srv, up := targets(t, text)
			counts := Pick(srv, n, up, Order, rand.New(rand.NewPCG(2782, 1)))
			shares, first := Shares(srv, up), slices.IndexFunc(srv, up)
			for i, s := range srv {
				if s.Priority != srv[first].Priority {
					shares[i] = 0
				}
			}
			fits(t, counts, shares, n, 3)
		})
	}
}

// TestOrder: every target comes once, by ascending priority, whatever the chance, and what was given stays as it was.
func TestOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var fields []string
		for range 1 + rnd.IntN(8) {
			fields = append(fields, fmt.Sprintf("%d %d", rnd.IntN(3), rnd.IntN(3)*rnd.IntN(30000)))
		}
		srv, _ := targets(t, strings.Join(fields, ", "))
		before := slices.Clone(srv)
		order := Order(srv, rnd)
		if !slices.Equal(srv, before) {
			t.Fatalf("%v: the argument has changed", fields)
		}
		seen := map[*dns.SRV]bool{}
		for i, s := range order {
			if seen[s] || i > 0 && s.Priority < order[i-1].Priority {
				t.Fatalf("%v: %v", fields, order)
			}
			seen[s] = true
		}
		if len(seen) != len(srv) {
			t.Fatalf("%v: %d of %d targets", fields, len(seen), len(srv))
		}
	}
	if got := Order(nil, rnd); len(got) != 0 {
		t.Errorf("%v of no targets", got)
	}
}

// chanceOf is the chance of a whole order by weights alone, none of which is 0.
func chanceOf(order []*dns.SRV) float64 {
	sum, chance := 0.0, 1.0
	for _, s := range order {
		sum += float64(s.Weight)
	}
	for _, s := range order {
		chance *= float64(s.Weight) / sum
		sum -= float64(s.Weight)
	}
	return chance
}

// TestOrderAsGo: whole orders come as often as those of net.LookupSRV, whose random numbers cannot be fixed: six
// deviations are missed once in 10^8 runs.
func TestOrderAsGo(t *testing.T) {
	const n = 4000
	srv, _ := targets(t, "0 1, 0 2, 0 4")
	var shares []float64
	place := map[string]int{}
	arrangements(slices.Clone(srv), 0, func(order []*dns.SRV) {
		place[hosts(order)] = len(shares)
		shares = append(shares, chanceOf(order))
	})
	ours, gos := make([]int, len(shares)), make([]int, len(shares))
	rnd := rand.New(rand.NewPCG(3, 4))
	resolver := serve(t, srv)
	for range n {
		ours[place[hosts(Order(srv, rnd))]]++
		_, found, err := resolver.LookupSRV(t.Context(), "", "", "_x._tcp.example.com.")
		if err != nil {
			t.Fatal(err)
		}
		order := ""
		for _, s := range found {
			order += s.Target
		}
		gos[place[order]]++
	}
	fits(t, ours, shares, n, 3)
	fits(t, gos, shares, n, 6)
}

func hosts(srv []*dns.SRV) string {
	all := ""
	for _, s := range srv {
		all += s.Target
	}
	return all
}

// serve answers every question with some records, and returns Go's resolver on it.
func serve(t *testing.T, srv []*dns.SRV) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		for _, s := range srv {
			m.Answer = append(m.Answer, s)
		}
		w.WriteMsg(m)
	})}
	go server.ActivateAndServe()
	t.Cleanup(func() { server.Shutdown() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
