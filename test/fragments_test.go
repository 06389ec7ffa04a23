package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// same waits until servers give an answer.
func same(t *testing.T, servers []*server, question, want string) {
	t.Helper()
	for i, s := range servers {
		eventually(t, s, fmt.Sprintf("server %d: %s is %q", i, question, want), func() bool {
			return strings.Contains(strings.ReplaceAll(answers(s, question), "\t", " "), want)
		})
	}
}

// startTwo starts two servers of one cluster.
func startTwo(t *testing.T, c *cluster) []*server {
	t.Helper()
	corefile := fmt.Sprintf(registered, c.endpoints())
	return []*server{start(t, t.TempDir(), corefile), start(t, t.TempDir(), corefile)}
}

// TestEtcdFragments: fragments that are wrong, alone or together, are excluded
// alone, and the same on each server.
func TestEtcdFragments(t *testing.T) {
	c := startCluster(t)
	c.do(put("mx1", "host mx1 192.0.2.1"), put("mx2", "host mx2 192.0.2.2"))
	c.do(put("wrong", "host wrong 192.0.2"))
	c.do(put("good", "mail good 10 mx1"))
	servers := startTwo(t, c)
	same(t, servers, "good.example.org MX", "NOERROR aa true\ngood.example.org. 3600 in mx 10 mx1.example.org.")
	same(t, servers, "wrong.example.org A", "NXDOMAIN")
	for i, s := range servers {
		if log := s.String(); strings.Count(log, `etcd:/mxsrv/wrong:1: `) != 1 || !strings.Contains(log, `"192.0.2" is not an address`) {
			t.Errorf("server %d does not say once what is wrong\n%s", i, log)
		}
	}

	c.do(put("wrong", "host wrong 192.0.2.3"))
	same(t, servers, "wrong.example.org A", "192.0.2.3")

	c.do(put("elder", "mail x 10 mx1"))
	c.do(put("younger", "mail x none"))
	same(t, servers, "x.example.org MX", "10 mx1.example.org.")
	c.do(put("elder", "mail x 20 mx2")) // it stays the elder one
	same(t, servers, "x.example.org MX", "20 mx2.example.org.")
	servers[1].restart(t)
	same(t, servers, "x.example.org MX", "20 mx2.example.org.")
	c.do(del("elder"))
	same(t, servers, "x.example.org MX", "0 .")
	c.do(put("elder", "mail x 10 mx1")) // now it is the younger one
	same(t, servers, "good.example.org MX", "10 mx1.example.org.")
	c.do(put("after", "host after 192.0.2.9"))
	same(t, servers, "after.example.org A", "192.0.2.9")
	same(t, servers, "x.example.org MX", "0 .")
	c.do(del("younger"))
	same(t, servers, "x.example.org MX", "10 mx1.example.org.")

	var lease *clientv3.LeaseGrantResponse
	c.try("lease", func(ctx context.Context, client *clientv3.Client) (err error) {
		lease, err = client.Grant(ctx, 3600)
		return err
	})
	c.do(clientv3.OpPut("/mxsrv/leased/a", "mail pool 10 mx1", clientv3.WithLease(lease.ID)))
	c.do(put("leased/b", "mail pool 10 mx2"))
	same(t, servers, "pool.example.org MX", "10 mx1.example.org.\npool.example.org. 3600 in mx 10 mx2.example.org.")
	c.try("revocation", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Revoke(ctx, lease.ID)
		return err
	})
	same(t, servers, "pool.example.org MX", "true\npool.example.org. 3600 in mx 10 mx2.example.org.")
}

// edit makes a random change, some of which change nothing that is served.
func edit(c *cluster, r *rand.Rand, n int) int64 {
	key := fmt.Sprint("k", r.IntN(5))
	switch r.IntN(6) {
	case 0:
		return c.do(del(key), put("deleted", fmt.Sprint("# ", n)))
	case 1:
		return c.do(put(key, "hots "+key))
	case 2:
		return c.do(put(key, "mail x none"))
	case 3:
		return c.do(put(key, "mail x 10 h"), put("k9", "# the same again"))
	default:
		return c.do(put(key, "host "+key+" "+version(uint32(n))))
	}
}

// TestEtcdSerials: the serial is the same on each server at each revision, whether it
// was there all the time or has just started, and it never falls.
func TestEtcdSerials(t *testing.T) {
	c := startCluster(t)
	c.do(put("h", "host h 192.0.2.1"))
	servers := startTwo(t, c)
	r := rand.New(rand.NewPCG(3, 4))
	last := make([]uint32, len(servers))
	serial := func(i int) uint32 {
		now := serialOf(t, servers[i])
		if now < last[i] {
			t.Errorf("server %d: serial %d after %d", i, now, last[i])
		}
		last[i] = now
		return now
	}
	for n := range 50 {
		revision := edit(c, r, n)
		if n%10 == 9 {
			c.do(put("last", ""))
			c.do(del("last"))                      // is in no list
			c.do(clientv3.OpPut("/elsewhere", "")) // makes no serial
			servers[n/10%2].restart(t)
			revision = 0 // it has made a revision of its own
		}
		eventually(t, servers[0], fmt.Sprintf("change %d: the serial of both is that of revision %d", n, revision), func() bool {
			a, b := serial(0), serial(1)
			return a == b && (revision == 0 || a == uint32(3_000_000_000+revision))
		})
	}
	if a, b := transferHosts(servers[0]), transferHosts(servers[1]); !slices.Equal(a, b) {
		t.Errorf("servers have\n%v\nand\n%v", a, b)
	}
}
