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
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// A Cluster is an etcd of its own on loopback. Its client uses no TLS and is no user.
type Cluster struct {
	Client  *clientv3.Client // whose calls may last for ever: see Call
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
		client, err := freeURL(scheme)
		peer, err2 := freeURL("http")
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
		m := &Member{URL: client, name: fmt.Sprint("m", i), peer: peer, dir: dir, state: "new", flags: flags}
		c.Members, initial = append(c.Members, m), append(initial, m.name+"="+peer)
	}
	soon := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, MaxDelay: 200 * time.Millisecond}
	client, err := clientv3.New(clientv3.Config{Endpoints: c.urls(), Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon})}})
	if err != nil {
		return nil, err
	}
	c.Client = client
	for _, m := range c.Members {
		m.initial = strings.Join(initial, ",")
		err = errors.Join(err, m.Start())
	}
	for _, m := range c.Members {
		if err == nil {
			err = m.Ready()
		}
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
	for _, m := range c.Members {
		m.Kill()
	}
	c.Client.Close()
}

// Start starts a member that is down, as it was, and does not wait until it is ready.
func (m *Member) Start() (err error) {
	flags := []string{"--name", m.name, "--data-dir", filepath.Join(m.dir, m.name), "--logger", "zap", "--unsafe-no-fsync",
		"--heartbeat-interval", "50", "--election-timeout", "500",
		"--listen-client-urls", m.URL, "--advertise-client-urls", m.URL,
		"--listen-peer-urls", m.peer, "--initial-advertise-peer-urls", m.peer,
		"--initial-cluster", m.initial, "--initial-cluster-state", m.state}
	m.Process, err = Start(exec.Command("etcd", append(flags, m.flags...)...))
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

// Addr returns where clients find the member, HOST:PORT.
func (m *Member) Addr() string { return m.URL[strings.Index(m.URL, "://")+3:] }

// Call makes a call until it succeeds, for as long as Limit. An attempt ends after two
// seconds, a third of what etcd waits for a leader that has died; it may have succeeded
// all the same.
func (c *Cluster) Call(call func(context.Context, *clientv3.Client) error) error {
	for deadline := time.Now().Add(Limit); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err := call(ctx, c.Client)
		cancel()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Do makes operations in one transaction, perhaps more than once, and returns its
// revision.
func (c *Cluster) Do(t testing.TB, ops ...clientv3.Op) (revision int64) {
	t.Helper()
	err := c.Call(func(ctx context.Context, client *clientv3.Client) error {
		r, err := client.Txn(ctx).Then(ops...).Commit()
		if err == nil {
			revision = r.Header.Revision
		}
		return err
	})
	if err != nil {
		t.Fatal("transaction: ", err)
	}
	return revision
}

// Hang makes a member hang with all its connections until Continue. Meanwhile the client
// of the cluster asks the others.
func (c *Cluster) Hang(m *Member) error {
	c.Client.SetEndpoints(slices.DeleteFunc(c.urls(), func(url string) bool { return url == m.URL })...)
	return m.Signal(syscall.SIGSTOP)
}

// Continue ends what Hang has begun.
func (c *Cluster) Continue(m *Member) error {
	c.Client.SetEndpoints(c.urls()...)
	return m.Signal(syscall.SIGCONT)
}

// Replace puts a new member without data in place of one.
func (c *Cluster) Replace(m *Member) error {
	m.Kill()
	peer, err := freeURL("http")
	if err != nil {
		return err
	}
	err = c.Call(func(ctx context.Context, client *clientv3.Client) error {
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
		return fmt.Errorf("replace a member: %w", err)
	}
	name := m.name + "-new"
	m.initial = strings.Replace(m.initial, m.name+"="+m.peer, name+"="+peer, 1)
	m.name, m.peer, m.state = name, peer, "existing"
	return m.Start()
}

func (c *Cluster) urls() (urls []string) {
	for _, m := range c.Members {
		urls = append(urls, m.URL)
	}
	return urls
}

func freeURL(scheme string) (string, error) {
	port, err := FreePort()
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port), err
}
