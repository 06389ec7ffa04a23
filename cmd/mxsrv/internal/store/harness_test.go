package store

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// longEnough is how long a test waits for what must come.
const longEnough = time.Minute

// A member is an etcd of its own.
type member struct {
	t          *testing.T
	dir        string
	addr, peer string
	cmd        *exec.Cmd
}

func newMember(t *testing.T) *member {
	t.Helper()
	if _, err := exec.LookPath("etcd"); err != nil {
		if os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
			t.Fatal("etcd is not installed")
		}
		t.Skip("etcd is not installed")
	}
	m := &member{t: t, dir: t.TempDir(), addr: freeAddr(t), peer: freeAddr(t)}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (m *member) start() {
	client, peer := "http://"+m.addr, "http://"+m.peer
	m.cmd = exec.Command("etcd", "--data-dir", m.dir, "--unsafe-no-fsync",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	for until := time.Now().Add(longEnough); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", m.addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(until) {
			m.t.Fatal(err)
		}
	}
}

func (m *member) kill() {
	m.cmd.Process.Kill()
	m.cmd.Wait()
}

func (m *member) store() *Store {
	s := &Store{Config: etcd.New(m.addr), Simulators: []*Simulator{NewSimulator(definition.Zones{"example.org."})}}
	s.Timeout = 2 * time.Second
	return s
}

func (m *member) client() *clientv3.Client {
	m.t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{m.addr}, Logger: zap.NewNop()})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { c.Close() })
	return c
}

// open returns a store in an etcd of its own, and another client of that.
func open(t *testing.T) (*Store, *clientv3.Client) {
	t.Helper()
	m := newMember(t)
	s := m.store()
	if _, _, err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, m.client()
}

// put puts a key, and returns the revision.
func put(t *testing.T, c *clientv3.Client, key, text string, options ...clientv3.OpOption) int64 {
	t.Helper()
	r, err := c.Put(t.Context(), key, text, options...)
	if err != nil {
		t.Fatal(err)
	}
	return r.Header.Revision
}

// A journal is what was reported.
type journal chan string

// await waits until something is reported that starts and ends so.
func (j journal) await(t *testing.T, start, end string) {
	t.Helper()
	timeout := time.After(longEnough)
	var before []string
	for {
		select {
		case got := <-j:
			if strings.HasPrefix(got, start) && strings.HasSuffix(got, end) {
				return
			}
			before = append(before, got)
		case <-timeout:
			t.Fatalf("%s...%s is not reported after %q", start, end, before)
		}
	}
}
