package answer

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/dnssec"
	"github.com/coredns/coredns/plugin/pkg/cache"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// seeded returns a shuffler whose orders are the same each time.
func seeded(seed uint64) *shuffler {
	s := new(shuffler)
	s.random.Seed(seed, seed)
	return s
}

// weights declares a service whose targets t0, t1 and so on have a host each; there is a host t for each "PRIORITY WEIGHT".
func weights(targets ...string) string {
	var b strings.Builder
	b.WriteString("service _s._tcp {\n")
	for i, numbers := range targets {
		fmt.Fprintf(&b, "%s 1 t%d\n", numbers, i)
	}
	b.WriteString("}\n")
	for i := range targets {
		fmt.Fprintf(&b, "host t%d 192.0.2.%d\n", i, i)
	}
	return b.String()
}

// forty are targets with weights from 1 to 40, and one with 1000.
func forty() (targets []string) {
	for i := range 39 {
		targets = append(targets, fmt.Sprintf("0 %d", 1+i))
	}
	return append(targets, "0 1000")
}

// shareTests are sets of targets, as "PRIORITY WEIGHT", and the chance of each to be the first in an answer.
var shareTests = []struct {
	name    string
	targets []string
	want    func(i int) float64
}{
	{"6:4", []string{"0 6", "0 4"}, func(i int) float64 { return []float64{.6, .4}[i] }},
	{"1:1:1", []string{"0 1", "0 1", "0 1"}, func(int) float64 { return 1. / 3 }},
	{"0 beside others", []string{"0 0", "0 3", "0 1", "0 0"}, func(i int) float64 { return []float64{0, .75, .25, 0}[i] }},
	{"all 0", []string{"0 0", "0 0", "0 0", "0 0", "0 0"}, func(int) float64 { return .2 }},
	{"forty", forty(), func(i int) float64 { return []float64{float64(i+1) / 1780, 1000. / 1780}[i/39] }},
	{"two priorities", []string{"5 60", "5 1", "1 65535", "1 65535"}, func(i int) float64 { return []float64{0, 0, .5, .5}[i] }},
}

// checkShares fails if counts of many answers are further from what is wanted than some standard deviations.
func checkShares(t *testing.T, counts map[string]int, names int, deviations float64, want func(i int) float64) {
	t.Helper()
	n := 0
	for _, count := range counts {
		n += count
	}
	for i := range names {
		got, share := counts[fmt.Sprintf("t%d.example.org.", i)], want(i)
		deviation := math.Sqrt(float64(n) * share * (1 - share))
		if math.Abs(float64(got)-float64(n)*share) > deviations*deviation {
			t.Errorf("t%d is the first %d times in %d, want %.0f +- %.0f", i, got, n, float64(n)*share, deviations*deviation)
		}
	}
}

// TestShares: who is the first in 100,000 answers.
func TestShares(t *testing.T) {
	for _, tc := range shareTests {
		t.Run(tc.name, func(t *testing.T) {
			_, a := newServer(t, weights(tc.targets...), nil).table.Lookup("_s._tcp.example.org.", dns.TypeSRV)
			s, room, first := seeded(19), make([]dns.RR, len(a.RRs)+len(a.Glue)), map[string]int{}
			for range 100000 {
				rrs, _ := s.order(&a, room)
				first[targetOf(rrs[0])]++
			}
			checkShares(t, first, len(tc.targets), 3, tc.want)
		})
	}
}

// TestOrders: each order of a set comes as often as draws without replacement give it.
func TestOrders(t *testing.T) {
	for _, targets := range [][]string{{"0 6", "0 3", "0 1"}, {"0 0", "0 2", "0 1", "0 0"}, {"0 7", "0 7", "0 7", "1 9", "1 1"}} {
		_, a := newServer(t, weights(targets...), nil).table.Lookup("_s._tcp.example.org.", dns.TypeSRV)
		const n = 100000
		s, room, counts := seeded(20), make([]dns.RR, len(a.RRs)+len(a.Glue)), map[string]int{}
		for range n {
			rrs, _ := s.order(&a, room)
			counts[words(rrs)]++
		}
		total := 0.0
		for order, want := range chances(a.RRs) {
			total += want
			if deviation := math.Sqrt(n * want * (1 - want)); math.Abs(float64(counts[order])-n*want) > 4*deviation {
				t.Errorf("%q: %s %d times, want %.0f", targets, order, counts[order], n*want)
			}
			delete(counts, order)
		}
		if len(counts) > 0 || math.Abs(total-1) > 1e-9 {
			t.Errorf("%q: orders that cannot be: %v; all together %v", targets, slices.Collect(maps.Keys(counts)), total)
		}
	}
}

func targetOf(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.SRV:
		return rr.Target
	case *dns.MX:
		return rr.Mx
	}
	return ""
}

// words writes the targets of records.
func words(rrs []dns.RR) string {
	var names []string
	for _, rr := range rrs {
		names = append(names, strings.TrimSuffix(targetOf(rr), ".example.org."))
	}
	return strings.Join(names, " ")
}

// chances returns the chance of each order of records.
func chances(rrs []dns.RR) map[string]float64 {
	all := map[string]float64{}
	if len(rrs) == 0 {
		return map[string]float64{"": 1}
	}
	sum, n := 0.0, 0.0
	lowest := slices.MinFunc(rrs, func(a, b dns.RR) int { return int(a.(*dns.SRV).Priority) - int(b.(*dns.SRV).Priority) }).(*dns.SRV).Priority
	for _, rr := range rrs {
		if srv := rr.(*dns.SRV); srv.Priority == lowest {
			sum, n = sum+float64(srv.Weight), n+1
		}
	}
	for i, rr := range rrs {
		srv, chance := rr.(*dns.SRV), 1/n
		if sum > 0 {
			chance = float64(srv.Weight) / sum
		}
		if srv.Priority != lowest || chance == 0 {
			continue
		}
		for rest, c := range chances(slices.Delete(slices.Clone(rrs), i, i+1)) {
			all[strings.TrimSuffix(words(rrs[i:i+1])+" "+rest, " ")] += chance * c
		}
	}
	return all
}

// TestBelow: numbers that share random bits are random.
func TestBelow(t *testing.T) {
	s, counts := seeded(3), map[[3]uint64]int{}
	const n = 300000
	for range n {
		counts[[3]uint64{s.below(3), s.below(5), s.below(2)}]++
	}
	want := float64(n) / 30
	for three, count := range counts {
		if math.Abs(float64(count)-want) > 4*math.Sqrt(want) {
			t.Errorf("%v: %d times, want %.0f", three, count, want)
		}
	}
	if len(counts) != 30 {
		t.Errorf("%d of 30", len(counts))
	}
}

// inOrder fails if an answer is in no order that it may be in: all records once, aliases first, priorities ascending,
// weight 0 after all others of its priority, and glue once, whole RRsets in the order of the targets.
func inOrder(t *testing.T, a table.Answer, rrs, glue []dns.RR) {
	t.Helper()
	text := func(rrs []dns.RR) []string {
		var all []string
		for _, rr := range rrs {
			all = append(all, strings.Replace(rr.String(), ".\t", "\t", 1)) // without the root as owner
		}
		return all
	}
	sorted := func(rrs []dns.RR) []string { return slices.Sorted(slices.Values(text(rrs))) }
	if !slices.Equal(sorted(rrs), sorted(a.RRs)) {
		t.Fatalf("records %q, want those of %q", text(rrs), text(a.RRs))
	}
	rank := func(rr dns.RR) int {
		switch rr := rr.(type) {
		case *dns.CNAME:
			return -1
		case *dns.SRV:
			return 2*int(rr.Priority) + max(0, 1-int(rr.Weight))
		case *dns.MX:
			return int(rr.Preference)
		}
		return 0
	}
	if !slices.IsSortedFunc(rrs, func(a, b dns.RR) int { return rank(a) - rank(b) }) {
		t.Fatalf("%q", text(rrs))
	}
	var want []dns.RR
	seen := map[string]bool{}
	for _, rr := range rrs {
		for _, g := range a.Glue {
			if g.Header().Name == targetOf(rr) && !seen[targetOf(rr)] {
				want = append(want, g)
			}
		}
		seen[targetOf(rr)] = true
	}
	left := want // what does not fit is left out
	for _, g := range glue {
		for len(left) > 0 && left[0].String() != g.String() {
			left = left[1:]
		}
		if len(left) == 0 {
			t.Fatalf("glue %q, want in the order of %q", text(glue), text(want))
		}
		left = left[1:]
	}
}

// TestInOrder: random sets, in all forms of replies.
func TestInOrder(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		questions := []string{"example.org. MX", "_s._tcp.example.org. SRV", "h1.example.org. A", "h1.example.org. AAAA",
			"alias.example.org. SRV", "www.example.org. A", "d70.example.org. MX"}
		definitions := "alias alias _s._tcp\nalias www h1\n"
		for i := range 6 {
			definitions += fmt.Sprintf("host h%d 192.0.2.%d\n", i, i)
			for range rnd.IntN(5) {
				definitions += fmt.Sprintf("host h%d 192.0.2.%d 2001:db8::%d\n", i, 10+rnd.IntN(200), rnd.IntN(100))
			}
		}
		var many strings.Builder
		for i := range 80 {
			fmt.Fprintf(&many, " d%d", i)
		}
		for range 2 + rnd.IntN(12) { // h6 and more are not declared
			definitions += fmt.Sprintf("service _s._tcp %d %d %d h%d\n", rnd.IntN(2), rnd.IntN(3)*rnd.IntN(9), 1+rnd.IntN(2), rnd.IntN(9))
			definitions += fmt.Sprintf("mail @ %s %d h%d\n", many.String(), rnd.IntN(2), rnd.IntN(9))
		}
		h := newServer(t, definitions, nil)
		for _, chain := range []packing{asFirst, never} {
			h.chain.packing = chain
			for _, question := range questions {
				for _, size := range []uint16{512, 4096} {
					r, c := query(question).SetEdns0(size, false), newClient(t, false)
					workload{}.ask(t, h, c, r)
					m := c.message(t)
					_, a := h.table.Lookup(r.Question[0].Name, r.Question[0].Qtype)
					glue := slices.DeleteFunc(m.Extra, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
					if !m.Truncated {
						inOrder(t, a, m.Answer, glue)
					}
					if size == 4096 && len(glue) < len(a.Glue) {
						t.Fatalf("glue %v", glue)
					}
				}
			}
		}
	}
}

// TestOrderOf: which answers have a new order each time, and which have none.
func TestOrderOf(t *testing.T) {
	const hosts = "host h1 192.0.2.1 192.0.2.2 192.0.2.3\nhost h2 192.0.2.4\n"
	for _, tc := range []struct {
		name, definitions, question string
		want                        int // orders
	}{
		{"service", hosts + "service _s._tcp 0 0 1 h1 h2", "_s._tcp.example.org. SRV", 2},
		{"alias of a service", hosts + "service _s._tcp 0 0 1 h1 h2\nalias a _s._tcp", "a.example.org. SRV", 2},
		{"service, fixed", hosts + "service _s._tcp 0 0 1 h1 h2 {\norder fixed\n}", "_s._tcp.example.org. SRV", 1},
		{"alias of a service, fixed", hosts + "service _s._tcp 0 0 1 h1 h2 {\norder fixed\n}\nalias a _s._tcp", "a.example.org. SRV", 1},
		{"service, all fixed", hosts + "order fixed\nservice _s._tcp 0 0 1 h1 h2", "_s._tcp.example.org. SRV", 1},
		{"service, ANY", hosts + "service _s._tcp 0 0 1 h1 h2", "_s._tcp.example.org. ANY", 1},
		{"mail domain", hosts + "mail @ 10 h1 h2", "example.org. MX", 2},
		{"mail domain, two preferences", hosts + "mail @ 10 h1 20 h2", "example.org. MX", 1},
		{"mail domain, fixed", hosts + "mail @ 10 h1 h2 {\norder fixed\n}", "example.org. MX", 1},
		{"many mail domains", hosts + "mail @ {a..z} 10 h1 h2", "x7.example.org. MX", 2},
		{"many mail domains, fixed", hosts + "mail @ {a..z} 10 h1 h2 {\norder fixed\n}", "x7.example.org. MX", 1},
		{"some of many, fixed", hosts + "mail {a..z} 10 h1 h2\nmail @ 10 h1 h2 {\norder fixed\n}", "example.org. MX", 1},
		{"what srv publishes", hosts + "mail @ 10 h1 h2 {\nsrv\n}", "_smtp._tcp.example.org. SRV", 2},
		{"what srv publishes, fixed", hosts + "mail @ 10 h1 h2 {\nsrv\norder fixed\n}", "_smtp._tcp.example.org. SRV", 1},
		{"host", hosts, "h1.example.org. A", 3},
		{"alias of a host", hosts + "alias a h1", "a.example.org. A", 3},
		{"host with one address", hosts, "h2.example.org. A", 1},
		{"host, fixed", hosts + "host h1 192.0.2.1 {\norder fixed\n}", "h1.example.org. A", 1},
		{"host, ANY", hosts, "h1.example.org. ANY", 1},
		{"wildcard", "host *.w 192.0.2.1 192.0.2.2", "x.w.example.org. A", 2},
		{"wildcard, fixed", "host *.w 192.0.2.1 192.0.2.2 {\norder fixed\n}", "x.w.example.org. A", 1},
		{"wildcard, ANY", "host *.w 192.0.2.1 192.0.2.2", "x.w.example.org. ANY", 1},
		{"alias of a wildcard", "host *.w 192.0.2.1 192.0.2.2\nalias a x.w", "a.example.org. A", 2},
		{"wildcard alias of a service", hosts + "service _s._tcp 0 0 1 h1 h2\nalias *.w _s._tcp", "x.w.example.org. SRV", 2},
	} {
		var many strings.Builder
		for i := range 70 {
			fmt.Fprintf(&many, "x%d ", i)
		}
		h := newServer(t, strings.ReplaceAll(tc.definitions, "{a..z}", many.String()), nil, "example.org.")
		for _, chain := range []packing{asFirst, never} {
			h.chain.packing = chain
			orders, c := map[string]bool{}, newClient(t, false)
			for range 100 { // one order of three is missing once in 10^17
				workload{}.ask(t, h, c, query(tc.question))
				orders[fmt.Sprint(c.message(t).Answer)] = true
			}
			if len(orders) != tc.want {
				t.Errorf("%s: %d orders, want %d: %v", tc.name, len(orders), tc.want, slices.Collect(maps.Keys(orders)))
			}
		}
	}
}

// TestOrderAfterDenials: what a denial leaves in a pooled reply does not decide what is drawn after it.
func TestOrderAfterDenials(t *testing.T) {
	h := newServer(t, weights("0 1", "0 1"), nil)
	const n = 2000
	first := 0
	for range n {
		ask(t, h, query("no.example.org. URI"))
		_, m, _ := ask(t, h, query("_s._tcp.example.org. SRV"))
		if strings.Contains(m.Answer[0].String(), "t0.") {
			first++
		}
	}
	if math.Abs(float64(first-n/2)) > 6*math.Sqrt(n)/2 {
		t.Errorf("the first of two is first in %d of %d answers", first, n)
	}
}

// TestOrderShared: no reply changes what others have, or has memory that another will have.
func TestOrderShared(t *testing.T) {
	h := newServer(t, weights("0 1", "0 1", "0 1"), nil)
	_, a := h.table.Lookup("_s._tcp.example.org.", dns.TypeSRV)
	before := slices.Concat(a.RRs, a.Glue)
	_, kept, _ := ask(t, h, query("_s._tcp.example.org. SRV"))
	text := kept.String()
	for range 100 {
		_, m, _ := ask(t, h, query("_s._tcp.example.org. SRV"))
		m.Answer, m.Extra = append(m.Answer, a.RRs[0]), append(m.Extra, a.RRs[0])
	}
	if kept.String() != text || !slices.Equal(slices.Concat(a.RRs, a.Glue), before) {
		t.Error("a message has changed, or the table")
	}
}

// TestOrderAllocs: a new order costs no allocation, packed or not.
func TestOrderAllocs(t *testing.T) {
	for _, n := range []int{2, 6, 40, 64} {
		for _, packing := range []packing{asFirst, never} {
			allocs := func(order string) float64 {
				l := workload{definitions: "order " + order + "\n" + service(n), question: "_ldap._tcp.example.org. SRV", edns: 4096}
				h, r, w := l.handler(t), l.query(), newClient(t, false)
				h.chain.packing = packing
				return testing.AllocsPerRun(100, func() { l.ask(t, h, w, r) })
			}
			if got, want := allocs("weighted"), allocs("fixed"); got > want+remade {
				t.Errorf("%d targets, %v: %v allocations, want the %v of the fixed order", n, packing, got, want)
			}
		}
	}
}

// dnssecPlugin is the real one, with a key for a zone.
type dnssecPlugin struct {
	*dnssec.Dnssec
	key   *dns.DNSKEY
	cache *cache.Cache[[]dns.RR]
}

func (d dnssecPlugin) setNext(next plugin.Handler) { d.Next = next }

func newDnssec(t *testing.T, zone string) dnssecPlugin {
	t.Helper()
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	private, err := key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	for suffix, text := range map[string]string{".key": key.String() + "\n", ".private": key.PrivateKeyString(private)} {
		if err := os.WriteFile(file+suffix, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := dnssec.ParseKeyFile(file+".key", file+".private")
	if err != nil {
		t.Fatal(err)
	}
	c := cache.New[[]dns.RR](10000)
	d := dnssec.New([]string{zone}, []*dnssec.DNSKEY{parsed}, false, nil, c)
	return dnssecPlugin{&d, key, c}
}

// TestOrderSigned: signed answers come in all orders, each valid, with addresses in the order of their targets,
// and dnssec keeps one signature of an RRset.
func TestOrderSigned(t *testing.T) {
	definitions := weights("0 6", "0 4", "5 1") + "alias a _s._tcp\nmail @ 10 t0 t1\nhost h 192.0.2.1 192.0.2.2"
	for _, tc := range []struct {
		name      string
		between   []plugin.Handler
		question  string
		rrsets    int // with glue
		orders    int
		sixToFour bool
	}{
		{"service", nil, "_s._tcp.example.org. SRV", 4, 2, true},
		{"alias", nil, "a.example.org. SRV", 5, 2, true},
		{"mail domain", nil, "example.org. MX", 3, 2, false},
		{"host", nil, "h.example.org. A", 1, 2, false},
		{"after another plugin", plugins("minimal"), "_s._tcp.example.org. SRV", 4, 2, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDnssec(t, "example.org.")
			s := newServer(t, definitions, nil, "example.org.")
			for _, b := range tc.between {
				b.(*before).wrap = func(w dns.ResponseWriter) dns.ResponseWriter { return seeing{w} }
			}
			core, c := s.after(t, append([]plugin.Handler{d}, tc.between...)...), newClient(t, false)
			start := d.cache.Len()
			const n = 1000
			orders, first := map[string]int{}, 0
			for range n {
				core.ServeDNS(t.Context(), c.ResponseWriter, query(tc.question).SetEdns0(4096, true))
				m := c.message(t)
				signed := verify(t, d.key, slices.Concat(m.Answer, m.Extra))
				if signed != tc.rrsets {
					t.Fatalf("%d signed RRsets, want %d:\n%v", signed, tc.rrsets, m)
				}
				if targets, glue := pointed(m); len(targets) > 0 && !slices.Equal(targets, glue) {
					t.Fatalf("targets %v, addresses of %v", targets, glue)
				}
				order := answerOf(m)
				if orders[order]++; strings.Contains(order, "t0.") && strings.Index(order, "t0.") < strings.Index(order, "t1.") {
					first++
				}
			}
			if entries := d.cache.Len() - start; len(orders) != tc.orders || entries != tc.rrsets {
				t.Errorf("%d orders, want %d; %d signatures are kept, want %d", len(orders), tc.orders, entries, tc.rrsets)
			}
			if deviation := math.Sqrt(n * .6 * .4); tc.sixToFour && math.Abs(float64(first)-.6*n) > 6*deviation {
				t.Errorf("t0 is the first %d times of %d", first, n)
			}
		})
	}
}

// pointed returns the targets of an answer, and the owners of the addresses that come with it.
func pointed(m *dns.Msg) (targets, glue []string) {
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		if target := targetOf(rr); target != "" {
			targets = append(targets, target)
		} else if rr.Header().Rrtype == dns.TypeA {
			glue = append(glue, rr.Header().Name)
		}
	}
	return targets, glue
}

// answerOf writes the Answer section without signatures.
func answerOf(m *dns.Msg) string {
	var b strings.Builder
	for _, rr := range m.Answer {
		if rr.Header().Rrtype != dns.TypeRRSIG {
			b.WriteString(rr.String() + "\n")
		}
	}
	return b.String()
}

// verify checks the signatures of all RRsets among records, and returns how many there are.
func verify(t *testing.T, key *dns.DNSKEY, rrs []dns.RR) (signed int) {
	t.Helper()
	type set struct {
		name   string
		rrtype uint16
	}
	sets, sigs := map[set][]dns.RR{}, map[set]*dns.RRSIG{}
	for _, rr := range rrs {
		switch rr := rr.(type) {
		case *dns.OPT:
		case *dns.RRSIG:
			sigs[set{rr.Hdr.Name, rr.TypeCovered}] = rr
		default:
			k := set{rr.Header().Name, rr.Header().Rrtype}
			sets[k] = append(sets[k], rr)
		}
	}
	for k, rrset := range sets {
		if sig := sigs[k]; sig == nil || sig.Verify(key, rrset) != nil {
			t.Fatalf("%v is not signed: %v", k, sig)
		}
		signed++
	}
	return signed
}
