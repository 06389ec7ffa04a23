package delivery

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/miekg/dns"
)

// TestClients: how often each target is the first that is up.
func TestClients(t *testing.T) {
	for _, tc := range []struct {
		client, targets string
		want            []float64
	}{
		{"first", "0 6, 0 4", []float64{.6, .4}},
		{"first", "0 6!, 0 3, 0 1", []float64{0, .75, .25}},
		{"first", "0 0, 0 6, 0 4", []float64{0, .6, .4}},
		{"first", "0 0, 0 6!, 0 4!", []float64{1, 0, 0}},
		{"first", "0 0, 0 0", []float64{.5, .5}},
		{"first", "5 9, 1 1, 1 3", []float64{0, .25, .75}},
		{"haproxy", "0 6, 0 4", []float64{.5, .5}},
		{"haproxy", "0 768, 0 512", []float64{.6, .4}},
		{"haproxy", "0 768, 0 512!", []float64{1, 0}},
		{"haproxy", "0 65535, 0 1", []float64{256. / 257, 1. / 257}},
		{"haproxy", "0 0, 9 7", []float64{0, 1}},
		{"haproxy", "0 0, 0 0", []float64{0, 0}},
		// As Exim 4.96 was seen to do.
		{"exim", "0 6, 0 4", []float64{0, 1}},
		{"exim", "0 768, 0 512", []float64{0, 1}},
		{"exim", "0 1, 0 2, 0 7", []float64{.5, .5, 0}},
		{"exim", "0 6, 0 4, 1 1", []float64{6. / 11, 5. / 11, 0}},
		{"exim", "0 1500, 1 10", []float64{0, 1}},
		{"exim", "0 6, 0 4!, 1 1", []float64{1, 0, 0}},
	} {
		t.Run(tc.client+" "+tc.targets, func(t *testing.T) {
			srv, up := targets(t, tc.targets)
			const n = 20000
			counts := Pick(srv, n, up, named(t, tc.client).Order, rand.New(rand.NewPCG(3, 4)))
			fits(t, counts, tc.want, n, 4)
		})
	}
}

func named(t *testing.T, name string) Client {
	t.Helper()
	for _, c := range Clients {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no client %s", name)
	return Client{}
}

// TestEximSecond: the second draw of Exim takes sums for weights.
func TestEximSecond(t *testing.T) {
	srv, _ := targets(t, "0 1, 0 2, 0 3, 9 1")
	rnd, seconds := rand.New(rand.NewPCG(5, 6)), map[string]int{}
	const n = 60000
	for range n {
		if order := exim(srv, rnd); order[0] == srv[2] {
			seconds[order[1].Target]++
		}
	}
	// The sums are 1, 3 and 6, so c is drawn by 4, 5 and 6 of 0 to 6; then a has 1 and b has 3, and a is drawn by 0 and 1
	// of 0 to 4.
	all := seconds["a.example.com."] + seconds["b.example.com."]
	fits(t, []int{all, n - all}, []float64{3. / 7, 4. / 7}, n, 4)
	fits(t, []int{seconds["a.example.com."], seconds["b.example.com."]}, []float64{2. / 5, 3. / 5}, float64(all), 4)
}

// TestEximOnce: Exim has each host once, with the lowest of its priorities.
func TestEximOnce(t *testing.T) {
	srv, _ := targets(t, "5 1, 3 1, 4 1")
	srv[1].Target, srv[2].Target = srv[0].Target, srv[0].Target
	if order := exim(srv, rand.New(rand.NewPCG(7, 8))); fmt.Sprint(order) != fmt.Sprint([]*dns.SRV{srv[1]}) {
		t.Errorf("%v", order)
	}
}
