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

	c.do(put("attack", "mail x 0 mail.attacker.example.\nhost mx1.example.org. 203.0.113.66\nhost own 192.0.2.66"))
	same(t, servers, "own.example.org A", "192.0.2.66")
	same(t, servers, "x.example.org MX", "true\nx.example.org. 3600 in mx 10 mx1.example.org.")
	same(t, servers, "mx1.example.org A", "true\nmx1.example.org. 3600 in a 192.0.2.1")

	var lease *clientv3.LeaseGrantResponse
	c.try("lease", func(ctx context.Context, client *clientv3.Client) (err error) {
		lease, err = client.Grant(ctx, 3600)
		return err
	})
	c.do(clientv3.OpPut("/mxsrv/leased/a", "service _pool._tcp 0 0 1 mx1", clientv3.WithLease(lease.ID)))
	c.do(put("leased/b", "service _pool._tcp 0 0 1 mx2"))
	same(t, servers, "_pool._tcp.example.org SRV", "0 0 1 mx1.example.org.\n_pool._tcp.example.org. 3600 in srv 0 0 1 mx2.example.org.")
	c.try("revocation", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Revoke(ctx, lease.ID)
		return err
	})
	same(t, servers, "_pool._tcp.example.org SRV", "true\n_pool._tcp.example.org. 3600 in srv 0 0 1 mx2.example.org.")
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

// twoZones is registered with a second zone.
var twoZones = strings.Replace(registered, "example.org:1053 {", "example.org:1053 example.net:1053 {", 1)

// TestEtcdSerials: the serial of a zone is that of the last revision that has changed its content, the same on each
// server; it stays over restarts, and never falls. Nothing is written to etcd.
func TestEtcdSerials(t *testing.T) {
	c := startCluster(t)
	c.do(put("h", "host h 192.0.2.1"))
	corefile := fmt.Sprintf(twoZones, c.endpoints())
	servers := []*server{start(t, t.TempDir(), corefile), start(t, t.TempDir(), corefile)}
	r := rand.New(rand.NewPCG(3, 4))
	content := func() string {
		all := zoneOf(t, servers[0], "example.org.")
		return strings.Join(texts(all[1:len(all)-1]), "\n")
	}
	changed, stayed := 0, 0
	want, before := serialOf(t, servers[0], "example.org"), content()
	for n := range 50 {
		revision := uint32(3_000_000_000 + edit(c, r, n))
		last := uint32(3_000_000_000 + c.do(put("marker", "host marker.example.net. "+version(uint32(n)))))
		for i, s := range servers {
			what := fmt.Sprintf("change %d: server %d has the marker", n, i)
			eventually(t, s, what, func() bool { return serialOf(t, s, "example.net") == last })
		}
		if now := content(); now != before {
			want, before = revision, now
			changed++
		} else {
			stayed++
		}
		if n%10 == 9 {
			c.do(put("last", ""))
			c.do(del("last"))                      // is in no list
			c.do(clientv3.OpPut("/elsewhere", "")) // makes no serial
			servers[n/10%2].restart(t)
		}
		for i, s := range servers {
			if got, net := serialOf(t, s, "example.org"), serialOf(t, s, "example.net"); got != want || net != last {
				t.Errorf("change %d: server %d has serials %d and %d, want %d and %d", n, i, got, net, want, last)
			}
		}
	}
	if changed < 10 || stayed < 5 {
		t.Errorf("%d changes of the content, and %d of something else: too few show anything", changed, stayed)
	}
	if a, b := hostsIn(zoneOf(t, servers[0], "example.org.")), hostsIn(zoneOf(t, servers[1], "example.org.")); !slices.Equal(a, b) {
		t.Errorf("servers have\n%v\nand\n%v", a, b)
	}
	revision := c.do(put("marker", "host marker.example.net. "+version(99)))
	for _, s := range servers {
		s.restart(t)
		eventually(t, s, "it is back", func() bool { return serialOf(t, s, "example.net") == uint32(3_000_000_000+revision) })
	}
	if r := c.do(del("marker")); r != revision+1 {
		t.Errorf("revision %d after %d: somebody writes to etcd", r, revision)
	}
}
