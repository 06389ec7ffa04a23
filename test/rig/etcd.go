package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A Cluster is an etcd of its own on loopback, and a client of it, which does not use TLS.
type Cluster struct {
	*Client
	Members []*Member
}

// A Member is a member of a cluster.
type Member struct {
	*Process
	URL            string // of its clients
	Up             bool
	name, peer     string // peer: its URL for other members
	dir            string // of its data
	initial, state string // what it is told of the cluster
	flags          []string
}

// StartEtcd starts a cluster of some members with further flags, its data in a directory,
// and returns when all are ready. With --cert-file, members have https URLs.
func StartEtcd(dir string, members int, flags ...string) (*Cluster, error) {
	scheme := "http"
	if slices.Contains(flags, "--cert-file") {
		scheme = "https"
	}
	c := new(Cluster)
	var initial []string
	for i := range members {
		client, err := FreePort()
		peer, err2 := FreePort()
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
		m := &Member{name: fmt.Sprint("m", i), state: "new", dir: dir, flags: flags,
			URL: fmt.Sprintf("%s://127.0.0.1:%d", scheme, client), peer: fmt.Sprintf("http://127.0.0.1:%d", peer)}
		c.Members, initial = append(c.Members, m), append(initial, m.name+"="+m.peer)
	}
	var err error
	for _, m := range c.Members {
		m.initial = strings.Join(initial, ",")
		err = errors.Join(err, m.Start())
	}
	for _, m := range c.Members {
		if err == nil {
			err = m.Ready()
		}
	}
	if err == nil {
		c.Client, err = Dial(c.urls(nil)...)
	}
	if err != nil {
		c.Stop()
	}
	return c, err
}

// Etcd starts a cluster, which ends with the test. Without etcd the test is skipped.
func Etcd(t testing.TB, members int, flags ...string) *Cluster {
	t.Helper()
	Peer(t, "etcd")
	c, err := StartEtcd(t.TempDir(), members, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

// Stop kills all members.
func (c *Cluster) Stop() {
	if c.Client != nil {
		c.Close()
	}
	for _, m := range c.Members {
		m.Kill()
	}
}

// Start starts a member that is down, as it was, and does not wait until it is ready.
func (m *Member) Start() (err error) {
	m.Process, err = Start(exec.Command("etcd", append([]string{"--name", m.name, "--data-dir", filepath.Join(m.dir, m.name),
		"--logger", "zap", "--unsafe-no-fsync", "--heartbeat-interval", "50", "--election-timeout", "500",
		"--listen-client-urls", m.URL, "--advertise-client-urls", m.URL,
		"--listen-peer-urls", m.peer, "--initial-advertise-peer-urls", m.peer,
		"--initial-cluster", m.initial, "--initial-cluster-state", m.state}, m.flags...)...))
	m.Up = err == nil
	return err
}

// Ready waits until a member serves clients, for which the cluster needs a leader.
func (m *Member) Ready() error { return m.Await("serving client traffic", Limit) }

// Kill kills a member, and waits until it has ended.
func (m *Member) Kill() {
	if m.Up {
		m.Process.Kill()
		m.Up = false
	}
}

// Addr is where clients find the member, HOST:PORT.
func (m *Member) Addr() string {
	_, addr, _ := strings.Cut(m.URL, "://")
	return addr
}

// Hang makes a member hang with all its connections until Continue. Meanwhile the client
// of the cluster asks the others.
func (c *Cluster) Hang(m *Member) error {
	c.SetEndpoints(c.urls(m)...)
	return m.Signal(syscall.SIGSTOP)
}

// Continue ends what Hang has begun.
func (c *Cluster) Continue(m *Member) error {
	c.SetEndpoints(c.urls(nil)...)
	return m.Signal(syscall.SIGCONT)
}

// urls returns where members other than one are.
func (c *Cluster) urls(but *Member) (urls []string) {
	for _, m := range c.Members {
		if m != but {
			urls = append(urls, m.URL)
		}
	}
	return urls
}

// Leader returns the member that leads.
func (c *Cluster) Leader() (leader *Member, err error) {
	err = c.Call("who leads", func(ctx context.Context, client *clientv3.Client) error {
		for _, m := range c.Members {
			if !m.Up {
				continue
			}
			if s, err := client.Status(ctx, m.URL); err == nil && s.Leader == s.Header.MemberId {
				leader = m
				return nil
			}
		}
		return errors.New("nobody")
	})
	return leader, err
}

// Replace puts a new member without data in place of one.
func (c *Cluster) Replace(m *Member) error {
	m.Kill()
	port, err := FreePort()
	if err != nil {
		return err
	}
	name, peer := m.name+"-new", fmt.Sprintf("http://127.0.0.1:%d", port)
	err = c.Call("replace a member", func(ctx context.Context, client *clientv3.Client) error {
		list, err := client.MemberList(ctx)
		if err != nil {
			return err
		}
		for _, known := range list.Members {
			switch {
			case slices.Contains(known.PeerURLs, peer):
				return nil
			case known.Name == m.name:
				_, err = client.MemberRemove(ctx, known.ID)
			}
		}
		if err == nil {
			_, err = client.MemberAdd(ctx, []string{peer})
		}
		return err
	})
	if err != nil {
		return err
	}
	m.initial = strings.Replace(m.initial, m.name+"="+m.peer, name+"="+peer, 1)
	m.name, m.peer, m.state = name, peer, "existing"
	return m.Start()
}
