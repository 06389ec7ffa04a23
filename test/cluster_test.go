package test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
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

// hang makes a member hang with all its connections until resume. Meanwhile the client
// of the cluster asks the others.
func (c *cluster) hang(m *rig.Member) error {
	c.Client.SetEndpoints(slices.DeleteFunc(c.URLs(), func(url string) bool { return url == m.URL })...)
	return m.Signal(syscall.SIGSTOP)
}

// resume ends what hang has begun.
func (c *cluster) resume(m *rig.Member) error {
	c.Client.SetEndpoints(c.URLs()...)
	return m.Signal(syscall.SIGCONT)
}

// replace puts a new member without data in place of one.
func (c *cluster) replace(m *rig.Member) error {
	m.Kill()
	peer := "http://127.0.0.1:" + freePort(c.t)
	err := c.Call(func(ctx context.Context, client *clientv3.Client) error {
		list, err := client.MemberList(ctx)
		if err != nil {
			return err
		}
		for _, known := range list.Members {
			switch {
			case slices.Contains(known.PeerURLs, peer):
				return nil
			case known.Name == m.Name:
				_, err = client.MemberRemove(ctx, known.ID)
			}
		}
		if err == nil {
			_, err = client.MemberAdd(ctx, []string{peer})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("replace a member: %w", err)
	}
	name := m.Name + "-new"
	m.Initial = strings.Replace(m.Initial, m.Name+"="+m.Peer, name+"="+peer, 1)
	m.Name, m.Peer, m.State = name, peer, "existing"
	return m.Start()
}

// TestCluster: what can be done with a cluster.
func TestCluster(t *testing.T) {
	c := startCluster(t)
	put := func(text string) int64 { return c.do(clientv3.OpPut("key", text)) }
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first := put("1")
	for _, m := range c.Members { // one of which leads
		m.Kill()
		put("2")
		ok(m.Start())
		ok(m.Ready())
		ok(c.hang(m))
		put("3")
		ok(c.resume(m))
	}
	ok(c.replace(c.Members[2]))
	ok(c.Members[2].Ready())
	c.Members[0].Kill()
	if r := put("4"); r < first+7 {
		t.Errorf("revision %d, want at least %d", r, first+7)
	}
}
