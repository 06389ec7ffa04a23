package etcd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// deadline is how long a test waits for what must come.
const deadline = 20 * time.Second

// A member is an etcd of its own, on loopback.
type member struct {
	t       *testing.T
	args    []string
	url     string // of its clients
	process *exec.Cmd
	client  *clientv3.Client // of the test
}

// startEtcd starts a cluster of one. It is stopped when the test ends.
func startEtcd(t *testing.T, args ...string) *member {
	t.Helper()
	path, err := exec.LookPath("etcd")
	if err != nil && os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
		t.Fatal("etcd is not installed")
	}
	if err != nil {
		t.Skip("etcd is not installed")
	}
	m := &member{t: t, url: "http://" + freeAddr(t)}
	for _, a := range args {
		if a == "--cert-file" {
			m.url = "https://" + strings.TrimPrefix(m.url, "http://")
		}
	}
	peer := "http://" + freeAddr(t)
	m.args = append([]string{path, "--name", "m", "--data-dir", filepath.Join(t.TempDir(), "m"), "--logger", "zap", "--log-level", "error",
		"--heartbeat-interval", "20", "--election-timeout", "200",
		"--listen-client-urls", m.url, "--advertise-client-urls", m.url, "--listen-peer-urls", peer,
		"--initial-advertise-peer-urls", peer, "--initial-cluster", "m=" + peer}, args...)
	t.Cleanup(m.kill)
	m.start()
	return m
}

func (m *member) start() {
	m.t.Helper()
	m.process = exec.Command(m.args[0], m.args[1:]...)
	m.process.Stderr = m.t.Output()
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *member) kill() {
	if m.process != nil {
		m.process.Process.Kill()
		m.process.Wait()
		m.process = nil
	}
}

// as returns a client of a user.
func (m *member) as(user, password string) *clientv3.Client {
	m.t.Helper()
	c := New(m.url)
	c.Username, c.Password = user, password
	return m.dial(c)
}

func (m *member) dial(c *Config) *clientv3.Client {
	m.t.Helper()
	client, err := c.Dial()
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { client.Close() })
	return client
}

// do makes operations in one transaction, and returns its revision.
func (m *member) do(ops ...clientv3.Op) int64 {
	m.t.Helper()
	if m.client == nil {
		m.client = m.as("", "")
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), deadline)
	defer cancel()
	for {
		r, err := m.client.Txn(ctx).Then(ops...).Commit()
		if err == nil {
			return r.Header.Revision
		}
		if status.Code(err) != codes.Unavailable || !sleep(ctx, 10*time.Millisecond) { // it has just been started
			m.t.Fatal(err)
		}
	}
}

func put(key, text string) clientv3.Op { return clientv3.OpPut("/mxsrv/"+key, text) }
func del(key string) clientv3.Op       { return clientv3.OpDelete("/mxsrv/" + key) }

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// said collects what a source logs.
type saidLines struct {
	mu    sync.Mutex
	lines []string
	t     *testing.T
}

func (s *saidLines) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, text)
	s.t.Log(text)
}

// has reports whether a line was logged that has all words.
func (s *saidLines) has(words ...string) bool { return s.count(words...) > 0 }

func (s *saidLines) count(words ...string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(l, w) }) {
			n++
		}
	}
	return n
}

// A follower is a source in etcd that runs, and what it has delivered.
type follower struct {
	*Source
	t          *testing.T
	said       *saidLines
	deliveries chan *change.Content
	stop       func()

	texts    map[string]string // of the fragments, by key without the prefix; nil: nothing was delivered
	created  map[string]int64
	revision int64
	edits    int // in the last delivery
}

// sourceIn returns a source that finds etcd at an address.
func sourceIn(t *testing.T, endpoint string) *follower {
	said := &saidLines{t: t}
	e := &Source{Config: New(endpoint), Zones: definition.Zones{"example.org."}, Info: said.add, Warn: said.add}
	e.Config.Timeout = 2 * time.Second
	return &follower{Source: e, t: t, said: said, deliveries: make(chan *change.Content), stop: func() {}}
}

// follow loads the source and runs it, until the test ends or stop is called.
func (f *follower) follow() *follower {
	f.t.Helper()
	f.take(f.Load())
	f.run()
	return f
}

func (f *follower) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan bool)
	go func() {
		defer close(ended)
		f.Run(ctx, func(c *change.Content) {
			select {
			case f.deliveries <- c:
			case <-ctx.Done():
			}
		})
	}()
	f.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(deadline):
			f.t.Error("Run does not end")
		}
	})
	f.t.Cleanup(f.stop)
}

// take makes the edits of a delivery.
func (f *follower) take(c *change.Content) {
	f.t.Helper()
	if c == nil {
		return
	}
	if f.texts == nil {
		f.texts, f.created = map[string]string{}, map[string]int64{}
	}
	seen := map[string]bool{}
	for _, e := range c.Edits {
		key := strings.TrimPrefix(e.Key, f.Config.Prefix)
		if seen[key] {
			f.t.Errorf("%s is edited twice in a delivery", key)
		}
		seen[key] = true
		_, there := f.texts[key]
		switch {
		case e.Gone && !there:
			f.t.Errorf("%s is gone that never was", key)
		case e.Gone:
			delete(f.texts, key)
			delete(f.created, key)
		default:
			f.texts[key], f.created[key] = e.Text, e.Created
		}
	}
	f.revision, f.edits = c.Revision, len(c.Edits)
}

// next waits for a delivery.
func (f *follower) next() *change.Content {
	f.t.Helper()
	select {
	case c := <-f.deliveries:
		f.take(c)
		return c
	case <-time.After(deadline):
		f.t.Fatalf("no delivery; there is %v of revision %d", f.texts, f.revision)
	}
	return nil
}

// until waits for deliveries until one has a revision, and compares what there is
// then, as words KEY=TEXT sorted by key.
func (f *follower) until(revision int64, want string) {
	f.t.Helper()
	for f.revision < revision {
		f.next()
	}
	f.want(revision, want)
}

func (f *follower) want(revision int64, want string) {
	f.t.Helper()
	if got := f.String(); got != want || f.revision != revision {
		f.t.Errorf("there is %q of revision %d, want %q of %d", got, f.revision, want, revision)
	}
}

func (f *follower) String() string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(f.texts)) {
		words = append(words, key+"="+f.texts[key])
	}
	return strings.Join(words, " ")
}

// eventually waits until something is so that no delivery tells of.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	for !so() {
		if !sleep(ctx, 5*time.Millisecond) {
			t.Fatalf("it never is so: %s", what)
		}
	}
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
	whole  wireState = iota
	cut              // connections end
	silent           // what is sent is swallowed
)

func wireTo(t *testing.T, m *member) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, to, _ := strings.Cut(m.url, "://")
	w := &wire{to: to, listener: l, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); w.set(cut) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *wire) addr() string { return w.listener.Addr().String() }

// lead makes the wire lead to another member.
func (w *wire) lead(to *member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, w.to, _ = strings.Cut(to.url, "://")
}

func (w *wire) set(s wireState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = s
	if s != silent { // what has lost octets must not go on
		for c := range w.conns {
			c.Close()
			delete(w.conns, c)
		}
	}
}

// add returns whether a connection may be.
func (w *wire) add(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = w.state != cut
	if w.state == cut {
		c.Close()
		delete(w.conns, c)
	}
	return w.state != cut
}

func (w *wire) carry(client net.Conn) {
	w.mu.Lock()
	to := w.to
	w.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if err != nil {
		client.Close()
		return
	}
	if !w.add(client) || !w.add(server) {
		client.Close()
		server.Close()
		return
	}
	go w.pump(client, server)
	w.pump(server, client)
}

func (w *wire) pump(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		w.mu.Lock()
		swallow := w.state == silent
		w.mu.Unlock()
		if swallow {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// certificates makes a CA and a certificate for 127.0.0.1, and writes ca.pem, cert.pem
// and key.pem.
func certificates(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file := func(name, kind string, der []byte) {
		t.Helper()
		ok(os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	ok(err)
	file("ca.pem", "CERTIFICATE", caDER)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "root"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, cert, ca, key.Public(), caKey)
	ok(err)
	file("cert.pem", "CERTIFICATE", der)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	ok(err)
	file("key.pem", "PRIVATE KEY", keyDER)
	return dir
}

func text(n int) string { return fmt.Sprintf("t%d", n) }
