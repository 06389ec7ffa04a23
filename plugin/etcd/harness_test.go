package etcd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Tests{M: m}.Run()) }

// A member is an etcd of its own, and the one member of it.
type member struct {
	*rig.Cluster
	*rig.Member
	t *testing.T
}

// startEtcd starts a cluster of one. It is stopped when the test ends.
func startEtcd(t *testing.T, args ...string) *member {
	t.Helper()
	c := rig.Etcd(t, 1, args...)
	return &member{c, c.Members[0], t}
}

func (m *member) start() {
	m.t.Helper()
	if err := m.Member.Start(); err != nil {
		m.t.Fatal(err)
	}
}

// do makes operations in one transaction, and returns its revision.
func (m *member) do(ops ...clientv3.Op) int64 {
	m.t.Helper()
	return m.Do(m.t, ops...)
}

// call makes a call until it succeeds.
func (m *member) call(call func(context.Context, *clientv3.Client) error) {
	m.t.Helper()
	if err := m.Call(call); err != nil {
		m.t.Fatal(err)
	}
}

// unless returns what makes some errors of a call none: an attempt before it that was given
// up has done what there was to do.
func unless(done ...error) func(any, error) error {
	return func(_ any, err error) error {
		if slices.ContainsFunc(done, func(e error) bool { return errors.Is(err, e) }) {
			return nil
		}
		return err
	}
}

// compact makes etcd forget what was before a revision.
func (m *member) compact(revision int64) {
	m.t.Helper()
	m.call(func(ctx context.Context, client *clientv3.Client) error {
		return unless(rpctypes.ErrCompacted)(client.Compact(ctx, revision, clientv3.WithCompactPhysical()))
	})
}

// addUsers makes etcd ask for a user: root, or dns, who may read the definitions.
func (m *member) addUsers() {
	m.t.Helper()
	ok := unless(rpctypes.ErrUserAlreadyExist, rpctypes.ErrRoleAlreadyExist, rpctypes.ErrUserEmpty)
	m.call(func(ctx context.Context, c *clientv3.Client) error { return ok(c.RoleAdd(ctx, "dns")) })
	m.call(func(ctx context.Context, c *clientv3.Client) error {
		end := clientv3.GetPrefixRangeEnd("/mxsrv/")
		return ok(c.RoleGrantPermission(ctx, "dns", "/mxsrv/", end, clientv3.PermissionType(clientv3.PermRead)))
	})
	for _, name := range []string{"root", "dns"} {
		m.call(func(ctx context.Context, c *clientv3.Client) error { return ok(c.UserAdd(ctx, name, "secret")) })
		m.call(func(ctx context.Context, c *clientv3.Client) error { return ok(c.RoleAdd(ctx, name)) })
		m.call(func(ctx context.Context, c *clientv3.Client) error { return ok(c.UserGrantRole(ctx, name, name)) })
	}
	m.call(func(ctx context.Context, c *clientv3.Client) error { return ok(c.AuthEnable(ctx)) })
}

// expireTokens waits until all tokens have expired that nobody uses. To ask whether one
// has expired is to use it.
func (m *member) expireTokens() {
	m.t.Helper()
	conn, err := grpc.NewClient(m.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(m.t.Context(), rig.Limit)
	defer cancel()
	r, err := pb.NewAuthClient(conn).Authenticate(ctx, &pb.AuthenticateRequest{Name: "dns", Password: "secret"})
	if err != nil {
		m.t.Fatal(err)
	}
	ctx = metadata.AppendToOutgoingContext(ctx, rpctypes.TokenFieldNameGRPC, r.Token)
	for err == nil && sleep(ctx, 2*time.Second) { // etcd looks every second which have
		_, err = pb.NewKVClient(conn).Range(ctx, &pb.RangeRequest{Key: []byte("/mxsrv/a")})
	}
	if !errors.Is(rpctypes.Error(err), rpctypes.ErrInvalidAuthToken) {
		m.t.Fatal(err)
	}
}

// dial returns what puts a text with a client of its own, and returns the revision.
func dial(t *testing.T, c *Config) (put func(key, text string) int64) {
	t.Helper()
	client, err := clientv3.New(c.Client())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return func(key, text string) int64 {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), rig.Limit)
		defer cancel()
		r, err := client.Put(ctx, "/mxsrv/"+key, text)
		if err != nil {
			t.Fatal(err)
		}
		return r.Header.Revision
	}
}

func put(key, text string) clientv3.Op { return clientv3.OpPut("/mxsrv/"+key, text) }
func del(key string) clientv3.Op       { return clientv3.OpDelete("/mxsrv/" + key) }

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
	e.Config.Timeout = 10 * time.Second
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
		case <-time.After(rig.Limit):
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
	case <-time.After(rig.Limit):
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
