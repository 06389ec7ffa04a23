package test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// A cluster is an etcd of three members on loopback. Servers reach them by wires
// that can be cut, and the test directly.
type cluster struct {
	t       *testing.T
	members [3]*member
	client  *clientv3.Client
}

type member struct {
	name, peers, clients string // URLs that it listens on
	initial, state       string // what it is told of the cluster
	dir                  string
	process              *exec.Cmd // nil: it is down
	wire                 *wire
}

// startCluster starts a cluster. It is stopped when the test ends.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	peer(t, "etcd")
	c := &cluster{t: t}
	var initial, endpoints []string
	for i := range c.members {
		m := &member{name: fmt.Sprint("m", i), state: "new", dir: t.TempDir(),
			peers: "http://127.0.0.1:" + freePort(t), clients: "http://127.0.0.1:" + freePort(t)}
		m.wire = wireTo(t, strings.TrimPrefix(m.clients, "http://"))
		initial, endpoints = append(initial, m.name+"="+m.peers), append(endpoints, m.clients)
		c.members[i] = m
		t.Cleanup(m.kill)
	}
	for _, m := range c.members {
		m.initial = strings.Join(initial, ",")
		m.start(t)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: time.Second, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	c.client = client
	return c
}

func (m *member) start(t *testing.T) {
	t.Helper()
	m.process = exec.Command(peer(t, "etcd"), "--name", m.name, "--data-dir", filepath.Join(m.dir, "data"),
		"--logger", "zap", "--log-level", "fatal", "--heartbeat-interval", "50", "--election-timeout", "500",
		"--listen-client-urls", m.clients, "--advertise-client-urls", m.clients,
		"--listen-peer-urls", m.peers, "--initial-advertise-peer-urls", m.peers,
		"--initial-cluster", m.initial, "--initial-cluster-state", m.state)
	m.process.Stderr = t.Output()
	if err := m.process.Start(); err != nil {
		t.Fatal(err)
	}
}

func (m *member) kill() {
	if m.process != nil {
		m.process.Process.Kill()
		m.process.Wait()
		m.process = nil
	}
}

// hang makes a member hang, with all its connections, or go on. Meanwhile the
// client of the test asks the others.
func (c *cluster) hang(m *member, hangs bool) {
	c.t.Helper()
	sig := syscall.SIGCONT
	var others []string
	for _, other := range c.members {
		if !hangs || other != m {
			others = append(others, other.clients)
		}
	}
	if hangs {
		sig = syscall.SIGSTOP
	}
	if err := m.process.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
	c.client.SetEndpoints(others...)
}

// endpoints are where servers find the members.
func (c *cluster) endpoints() string {
	var words []string
	for _, m := range c.members {
		words = append(words, m.wire.addr())
	}
	return strings.Join(words, " ")
}

func (c *cluster) wires(s wireState) {
	for _, m := range c.members {
		m.wire.set(s)
	}
}

// try makes requests until one succeeds.
func (c *cluster) try(what string, request func(ctx context.Context) error) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		err := request(ctx)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// do makes operations in one transaction, and returns its revision. Those may be
// made more than once.
func (c *cluster) do(ops ...clientv3.Op) (revision int64) {
	c.t.Helper()
	c.try("transaction", func(ctx context.Context) error {
		r, err := c.client.Txn(ctx).Then(ops...).Commit()
		if err == nil {
			revision = r.Header.Revision
		}
		return err
	})
	return revision
}

func put(key, text string) clientv3.Op { return clientv3.OpPut("/mxsrv/"+key, text) }
func del(key string) clientv3.Op       { return clientv3.OpDelete("/mxsrv/" + key) }

// leader returns the member that leads.
func (c *cluster) leader() (leader *member) {
	c.t.Helper()
	c.try("who leads", func(ctx context.Context) error {
		for _, m := range c.members {
			if m.process == nil {
				continue
			}
			s, err := c.client.Status(ctx, m.clients)
			if err == nil && s.Leader == s.Header.MemberId {
				leader = m
				return nil
			}
		}
		return fmt.Errorf("nobody")
	})
	return leader
}

// replace puts a new member without data in place of one.
func (c *cluster) replace(m *member) {
	c.t.Helper()
	m.kill()
	c.try("member list", func(ctx context.Context) error {
		list, err := c.client.MemberList(ctx)
		if err != nil {
			return err
		}
		for _, known := range list.Members {
			if known.Name == m.name {
				_, err = c.client.MemberRemove(ctx, known.ID)
			}
		}
		return err
	})
	peers := "http://127.0.0.1:" + freePort(c.t)
	c.try("member add", func(ctx context.Context) error {
		_, err := c.client.MemberAdd(ctx, []string{peers})
		return err
	})
	name := m.name + "-new"
	m.initial = strings.Replace(m.initial, m.name+"="+m.peers, name+"="+peers, 1)
	m.name, m.peers, m.state, m.dir = name, peers, "existing", c.t.TempDir()
	m.start(c.t)
}

// A wire is a way to a member that can be cut.
type wire struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	state wireState
	conns map[net.Conn]bool
}

type wireState int

const (
	whole wireState = iota
	cut             // connections end
)

func wireTo(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{to: to, listener: l, conns: make(map[net.Conn]bool)}
	t.Cleanup(func() { l.Close(); w.set(cut) })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(client)
		}
	}()
	return w
}

func (w *wire) addr() string { return w.listener.Addr().String() }

func (w *wire) set(s wireState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = s
	for c := range w.conns {
		if s == cut {
			c.Close()
		}
	}
}

// add returns whether a connection may be.
func (w *wire) add(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = true
	return w.state == whole
}

func (w *wire) end(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.Close()
	delete(w.conns, c)
}

func (w *wire) carry(client net.Conn) {
	defer w.end(client)
	server, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer w.end(server)
	if !w.add(client) || !w.add(server) {
		return
	}
	ended := make(chan bool, 2)
	go pump(client, server, ended)
	go pump(server, client, ended)
	<-ended
}

func pump(from, to net.Conn, ended chan<- bool) {
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		if err == nil {
			_, err = to.Write(b[:n])
		}
		if err != nil {
			ended <- true
			return
		}
	}
}
