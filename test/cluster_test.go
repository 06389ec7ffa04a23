package test

import (
	"context"
	"errors"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A cluster is an etcd of three members. Servers reach them by proxies that can be cut,
// and the test directly.
type cluster struct {
	*rig.Cluster
	t       *testing.T
	proxies []*rig.Proxy
}

// startCluster starts a cluster. It is stopped when the test ends.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Cluster: rig.Etcd(t, 3), t: t}
	for _, m := range c.Members {
		c.proxies = append(c.proxies, rig.ProxyTo(t, m.Addr()))
	}
	return c
}

// start starts members that are down.
func (c *cluster) start(members ...*rig.Member) {
	c.t.Helper()
	for _, m := range members {
		if err := m.Start(); err != nil {
			c.t.Fatal(err)
		}
	}
}

// endpoints are where servers find the members.
func (c *cluster) endpoints() string {
	var words []string
	for _, p := range c.proxies {
		words = append(words, p.Address())
	}
	return strings.Join(words, " ")
}

// try makes a call until it succeeds.
func (c *cluster) try(what string, call func(context.Context, *clientv3.Client) error) {
	c.t.Helper()
	if err := c.Call(call); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

// do makes operations in one transaction, and returns its revision. Those may be
// made more than once.
func (c *cluster) do(ops ...clientv3.Op) (revision int64) {
	c.t.Helper()
	return c.Do(c.t, ops...)
}

func put(key, text string) clientv3.Op { return clientv3.OpPut("/mxsrv/"+key, text) }
func del(key string) clientv3.Op       { return clientv3.OpDelete("/mxsrv/" + key) }

// leader returns the member that leads.
func (c *cluster) leader() (leader *rig.Member) {
	c.t.Helper()
	c.try("who leads", func(ctx context.Context, client *clientv3.Client) error {
		for _, m := range c.Members {
			if !m.Up {
				continue
			}
			s, err := client.Status(ctx, m.URL)
			if err == nil && s.Leader == s.Header.MemberId {
				leader = m
				return nil
			}
		}
		return errors.New("nobody")
	})
	return leader
}
