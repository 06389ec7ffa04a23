package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	Name, Peer     string // Peer: its URL for other members
	Initial, State string // what it is told of the cluster
	dir            string // of its data
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
		m := &Member{URL: client, Name: fmt.Sprint("m", i), Peer: peer, dir: dir, State: "new", flags: flags}
		c.Members, initial = append(c.Members, m), append(initial, m.Name+"="+peer)
	}
	soon := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, MaxDelay: 200 * time.Millisecond}
	client, err := clientv3.New(clientv3.Config{Endpoints: c.URLs(), Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon})}})
	if err != nil {
		return nil, err
	}
	c.Client = client
	for _, m := range c.Members {
		m.Initial = strings.Join(initial, ",")
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
	flags := []string{"--name", m.Name, "--data-dir", filepath.Join(m.dir, m.Name), "--logger", "zap", "--unsafe-no-fsync",
		"--heartbeat-interval", "50", "--election-timeout", "500",
		"--listen-client-urls", m.URL, "--advertise-client-urls", m.URL,
		"--listen-peer-urls", m.Peer, "--initial-advertise-peer-urls", m.Peer,
		"--initial-cluster", m.Initial, "--initial-cluster-state", m.State}
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

// URLs returns where clients find the members.
func (c *Cluster) URLs() (urls []string) {
	for _, m := range c.Members {
		urls = append(urls, m.URL)
	}
	return urls
}

func freeURL(scheme string) (string, error) {
	port, err := FreePort()
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port), err
}
