package etcd

import (
	"context"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// TestEtcd: a list, and what then happens below the prefix.
func TestEtcd(t *testing.T) {
	m := startEtcd(t)
	m.do(put("a", "1"), put("b", "1"), clientv3.OpPut("/mxsrv2/x", "no"), clientv3.OpPut("/mxsrv", "no"))
	r := m.do(put("b", "2"))
	f := sourceIn(t, m.URL).follow()
	f.want(r, "a=1 b=2")
	if f.created["b"] != r-1 {
		t.Errorf("b came to be at %d, want %d", f.created["b"], r-1)
	}
	if f.edits != 2 {
		t.Errorf("%d edits were loaded, want 2", f.edits)
	}

	f.until(m.do(put("c", "1")), "a=1 b=2 c=1")
	f.until(m.do(del("a")), "b=2 c=1")
	f.until(m.do(put("", "rubbish \xff\x00"), put("c", "2"), put("d", "1")), "=rubbish \xff\x00 b=2 c=2 d=1")
	f.until(m.do(del("d"), del("")), "b=2 c=2")
	m.do(clientv3.OpPut("/elsewhere", "1"))

	r = m.do(put("c", "2")) // the same again
	f.until(r, "b=2 c=2")
	if f.edits != 0 {
		t.Errorf("%d edits for what has not changed, want only the revision", f.edits)
	}

	m.do(del("c"))
	created := m.do(put("c", "2"))
	for f.revision < created {
		f.next()
	}
	f.want(created, "b=2 c=2")
	if f.created["c"] != created {
		t.Errorf("c came to be at %d, want %d: it was deleted in between", f.created["c"], created)
	}
	if s := f.Status(); !s.Connected || s.Revision != created || s.Since.IsZero() {
		t.Errorf("status %+v, want connected, of revision %d", s, created)
	}
	f.stop()
	if f.Status().Connected {
		t.Error("it is connected after its end")
	}
}

// TestEtcdTransaction: of a transaction nothing is delivered without the rest.
func TestEtcdTransaction(t *testing.T) {
	m := startEtcd(t, "--max-txn-ops", "2000")
	f := sourceIn(t, m.URL).follow()
	for n := range 5 {
		var ops []clientv3.Op
		for key := range 1500 {
			ops = append(ops, put(text(key), text(n)))
		}
		r := m.do(ops...)
		for f.revision < r {
			f.next()
			for key := range 1500 {
				if f.texts[text(key)] != f.texts[text(0)] {
					t.Fatalf("key %d is %s while the first is %s", key, f.texts[text(key)], f.texts[text(0)])
				}
			}
		}
	}
}

// TestEtcdLease: what a lease holds goes with it.
func TestEtcdLease(t *testing.T) {
	m := startEtcd(t)
	m.do(put("b", "1"))
	var lease clientv3.LeaseID
	m.call(func(ctx context.Context, client *clientv3.Client) error {
		granted, err := client.Grant(ctx, 3600)
		if err == nil {
			lease = granted.ID
		}
		return err
	})
	r := m.do(clientv3.OpPut("/mxsrv/a", "1", clientv3.WithLease(lease)))
	f := sourceIn(t, m.URL).follow()
	f.want(r, "a=1 b=1")
	m.call(func(ctx context.Context, client *clientv3.Client) error {
		return unless(rpctypes.ErrLeaseNotFound)(client.Revoke(ctx, lease))
	})
	f.until(r+1, "b=1")
}

// TestEtcdPages: a list of more keys than fit one answer, of one revision.
func TestEtcdPages(t *testing.T) {
	m := startEtcd(t, "--max-txn-ops", "2000")
	var r int64
	for n := range 3 {
		var ops []clientv3.Op
		for key := range 1500 {
			ops = append(ops, put(text(10000*n+key), "1"))
		}
		r = m.do(ops...)
	}
	f := sourceIn(t, m.URL)
	f.take(f.Load())
	if len(f.texts) != 4500 || f.revision != r {
		t.Errorf("%d keys of revision %d, want 4500 of %d", len(f.texts), f.revision, r)
	}
}

// TestEtcdNone: what has no keys is known nevertheless.
func TestEtcdNone(t *testing.T) {
	m := startEtcd(t)
	c := sourceIn(t, m.URL).Load()
	if c == nil || len(c.Edits) > 0 || c.Revision == 0 {
		t.Errorf("loaded %+v, want content without edits", c)
	}
}

// TestEtcdOldMark: the key that older versions write is no fragment, and nothing is written.
func TestEtcdOldMark(t *testing.T) {
	m := startEtcd(t)
	m.do(put("a", "1"))
	r := m.do(put(markName, "# written by an older version"))
	f := sourceIn(t, m.URL).follow()
	f.want(r, "a=1")
	m.do(put(markName, "host evil 192.0.2.66"))
	r = m.do(put("b", "1"), put(markName, "# again"))
	f.next()
	f.want(r, "a=1 b=1")
	m.do(del(markName))
	r = m.do(del("b"))
	f.next()
	f.want(r, "a=1")
	f.take(f.Load())
	f.want(r, "a=1") // which is the revision of etcd
}

// TestEtcdSteps: what comes together is delivered revision by revision, if that is little.
func TestEtcdSteps(t *testing.T) {
	m := startEtcd(t)
	f := sourceIn(t, m.URL).follow()
	r := m.do(put("a", "1"))
	for n := range fewSteps - 1 {
		m.do(put(text(n), "1"), put("last", text(n)))
	}
	f.until(r, "a=1")
	for n := range fewSteps - 1 {
		f.next()
		if got := f.texts["last"]; got != text(n) || f.revision != r+int64(n)+1 {
			t.Errorf("%s of revision %d, want %s of %d", got, f.revision, text(n), r+int64(n)+1)
		}
	}
}

// TestEtcdSlow: where a delivery takes long, those that wait are delivered together.
func TestEtcdSlow(t *testing.T) {
	m := startEtcd(t)
	f := sourceIn(t, m.URL).follow()
	var r int64
	for n := range fewSteps - 1 {
		r = m.do(put("a", text(n)))
	}
	deliveries := 0
	for ; f.revision < r; deliveries++ {
		time.Sleep(2 * longestRest)
		f.next()
	}
	if deliveries > fewSteps/2 {
		t.Errorf("%d slow deliveries of %d changes", deliveries, fewSteps-1)
	}
	f.want(r, "a="+text(fewSteps-2))
}

// TestEtcdCut: a connection that is cut while things change.
func TestEtcdCut(t *testing.T) {
	m := startEtcd(t)
	w := rig.ProxyTo(t, m.Addr())
	r := m.do(put("a", "1"), put("b", "1"), put("c", "1"))
	f := sourceIn(t, w.Address()).follow()
	f.want(r, "a=1 b=1 c=1")
	rig.Eventually(t, "the watch is there", func() bool { return f.Status().Connected })
	w.Cut()
	rig.Eventually(t, "the loss is noticed", func() bool { return !f.Status().Connected })
	m.do(put("b", "2"), put("d", "1"))
	m.do(del("a"), del("c"))
	r = m.do(put("c", "1"))
	m.compact(r)
	w.Restore()
	f.next()
	f.want(r, "b=2 c=1 d=1")
	if f.edits != 4 || f.created["c"] != r {
		t.Errorf("%d edits and c created at %d, want 4 and %d", f.edits, f.created["c"], r)
	}
	f.until(m.do(put("e", "1")), "b=2 c=1 d=1 e=1")
	if f.said.count("watch lost: ", "answers go on as of revision") != 1 || !f.said.has("back after ") {
		t.Errorf("said %q", f.said.lines)
	}
}

// TestEtcdCompacted: compaction between the list and the watch.
func TestEtcdCompacted(t *testing.T) {
	m := startEtcd(t)
	m.do(put("a", "1"))
	f := sourceIn(t, m.URL)
	f.take(f.Load())
	m.do(put("a", "2"))
	r := m.do(put("a", "3"))
	m.compact(r)
	f.run()
	f.until(r, "a=3")
	if !f.said.has("watch lost: what was before revision ", " is compacted") {
		t.Errorf("said %q", f.said.lines)
	}
}

// TestEtcdSilent: a peer that is cut off without a word.
func TestEtcdSilent(t *testing.T) {
	t.Parallel()
	m := startEtcd(t)
	w := rig.ProxyTo(t, m.Addr())
	m.do(put("a", "1"))
	f := sourceIn(t, w.Address())
	f.Config.Timeout = 2 * time.Second
	f.follow()
	rig.Eventually(t, "the watch is there", func() bool { return f.Status().Connected })
	sleep(t.Context(), 3*f.Config.Timeout) // it is quiet, but answers
	w.Silence()
	rig.Eventually(t, "the loss is noticed", func() bool { return !f.Status().Connected })
	r := m.do(put("a", "2"))
	w.Restore()
	f.until(r, "a=2")
	if f.said.count("watch lost: ") != 1 || !f.said.has("watch lost: no answer within 2s") {
		t.Errorf("said %q", f.said.lines)
	}
}

// TestEtcdRestart: etcd is stopped and started.
func TestEtcdRestart(t *testing.T) {
	m := startEtcd(t)
	r := m.do(put("a", "1"))
	before := runtime.NumGoroutine()
	f := sourceIn(t, m.URL).follow()
	f.want(r, "a=1")
	for n := range 3 {
		m.Kill()
		rig.Eventually(t, "the loss is noticed", func() bool { return !f.Status().Connected })
		m.start()
		f.until(m.do(put("a", text(n))), "a="+text(n))
	}
	f.stop()
	rig.Eventually(t, "nothing is left of the clients", func() bool { return runtime.NumGoroutine() <= before })
}

// TestEtcdAway: etcd is away when it is loaded: nothing is known, then it is there.
func TestEtcdAway(t *testing.T) {
	m := startEtcd(t)
	r := m.do(put("a", "1"))
	m.Kill()
	f := sourceIn(t, m.URL)
	f.Config.Timeout = 200e6
	f.follow()
	if f.texts != nil {
		t.Fatalf("loaded %v, want nothing", f.texts)
	}
	if s := f.Status(); s.Connected || s.Revision != 0 {
		t.Errorf("status %+v, want none", s)
	}
	rig.Eventually(t, "the reason is said", func() bool {
		return f.said.has("etcd "+m.Addr()+"/mxsrv/: dial tcp ", ": connection refused")
	})
	m.start()
	f.until(r, "a=1")
	if f.said.has("answers go on") {
		t.Errorf("said %q", f.said.lines)
	}
}

// TestEtcdReload: a source that is loaded while etcd is away knows what another of
// its place knows, and nothing of other places.
func TestEtcdReload(t *testing.T) {
	m := startEtcd(t)
	old := sourceIn(t, m.URL).follow()
	r := m.do(put("a", "1"))
	old.until(r, "a=1")
	m.Kill()
	rig.Eventually(t, "the loss is noticed", func() bool { return !old.Status().Connected })

	elsewhere := sourceIn(t, m.URL)
	elsewhere.Config.SetPrefix("/other")
	elsewhere.Config.Timeout = 200e6
	if c := elsewhere.Load(); c != nil {
		t.Errorf("loaded %+v of another place", c)
	}
	f := sourceIn(t, m.URL).follow()
	f.want(r, "a=1")
	old.stop()
	m.start()
	r = m.do(put("b", "1"))
	f.until(r, "a=1 b=1")
	old.want(r-1, "a=1")
}

// TestEtcdSnapshot: a server that starts while etcd is away knows what it did before.
func TestEtcdSnapshot(t *testing.T) {
	m := startEtcd(t)
	path := filepath.Join(t.TempDir(), "snapshot")
	before := sourceIn(t, m.URL)
	before.Snapshot = path
	before.follow()
	before.until(m.do(put("a", "1"), put("b", "\xff\"\n")), "a=1 b=\xff\"\n")
	r := m.do(put("c", "1"))
	before.until(r, "a=1 b=\xff\"\n c=1")
	before.stop()
	m.Kill()

	w := rig.ProxyTo(t, m.Addr()) // another place: this process does not know what was there before
	f := sourceIn(t, w.Address())
	f.Snapshot = path
	f.follow()
	f.want(r, "a=1 b=\xff\"\n c=1")
	if !f.said.has("3 fragments of revision ", " from snapshot "+path+", ", "s old") {
		t.Errorf("said %q", f.said.lines)
	}
	m.start()
	r = m.do(del("b"), put("c", "2"))
	f.until(r, "a=1 c=2")
	if f.edits != 2 {
		t.Errorf("%d edits against the snapshot, want 2", f.edits)
	}
	rig.Eventually(t, "the snapshot follows", func() bool {
		s, err := readSnapshot(path, f.Config.Prefix)
		return err == nil && s.revision == r && len(s.fragments) == 2
	})
}

// TestEtcdNew: a cluster that was set up anew begins with low revisions; what is
// delivered does not fall.
func TestEtcdNew(t *testing.T) {
	m, other := startEtcd(t), startEtcd(t)
	var r int64
	for n := range 20 {
		r = m.do(put("a", text(n)))
	}
	w := rig.ProxyTo(t, m.Addr())
	f := sourceIn(t, w.Address()).follow()
	other.do(put("b", "1"))
	w.Cut()
	w.Retarget(other.Addr())
	w.Restore()
	f.next()
	f.want(r, "b=1")
	if !f.said.has("etcd was set up anew") {
		t.Errorf("said %q", f.said.lines)
	}
	other.do(put("b", "2"))
	f.next()
	f.want(r, "b=2")
}

// TestEtcdCredentials: a user who may read the prefix, and whose tokens end.
func TestEtcdCredentials(t *testing.T) {
	t.Parallel()
	m := startEtcd(t, "--auth-token", "simple", "--auth-token-ttl", "1")
	r := m.do(put("a", "1"))
	m.addUsers()
	conf := New(m.URL)
	conf.Username, conf.Password = "root", "secret"
	root := dial(t, conf)

	f := sourceIn(t, m.URL)
	f.Config.Username, f.Config.Password = "dns", "secret"
	f.follow()
	f.want(r, "a=1")
	for n := range 3 {
		m.expireTokens()
		f.until(root("a", text(n)), "a="+text(n))
	}
	m.Kill()
	rig.Eventually(t, "the loss is noticed", func() bool { return !f.Status().Connected })
	m.start()
	rig.Eventually(t, "it is back", func() bool { return f.Status().Connected })

	wrong := sourceIn(t, rig.ProxyTo(t, m.Addr()).Address())
	wrong.Config.Username, wrong.Config.Password, wrong.Config.Timeout = "dns", "guessed", 300e6
	if c := wrong.Load(); c != nil {
		t.Errorf("loaded %v with a wrong password", c)
	}
	wrong.Config.Timeout = f.Config.Timeout // in which it is refused, however busy etcd is
	wrong.run()
	rig.Eventually(t, "the refusal is said", func() bool { return wrong.said.has("authentication failed") })
}

// TestEtcdNoUsers: a user, where etcd asks for none.
func TestEtcdNoUsers(t *testing.T) {
	m := startEtcd(t)
	r := m.do(put("a", "1"))
	f := sourceIn(t, m.URL)
	f.Config.Username, f.Config.Password = "dns", "secret"
	f.follow()
	f.want(r, "a=1")
	f.until(m.do(put("a", "2")), "a=2")
}

// TestEtcdTLS: certificates of both sides.
func TestEtcdTLS(t *testing.T) {
	dir := certificates(t)
	ca, cert, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	m := startEtcd(t, "--cert-file", cert, "--key-file", key, "--trusted-ca-file", ca, "--client-cert-auth")
	f := sourceIn(t, m.Addr())
	if err := f.Config.SetTLS(cert, key, ca); err != nil {
		t.Fatal(err)
	}
	r := dial(t, f.Config)("a", "1")
	f.follow()
	f.want(r, "a=1")

	nameless := sourceIn(t, rig.ProxyTo(t, m.Addr()).Address())
	nameless.Config.Timeout = 300e6
	if err := nameless.Config.SetTLS(ca); err != nil {
		t.Fatal(err)
	}
	if c := nameless.Load(); c != nil {
		t.Errorf("loaded %v without a certificate", c)
	}
}

// TestEtcdBusy: what comes while a delivery is not taken comes together in the next.
func TestEtcdBusy(t *testing.T) {
	m := startEtcd(t)
	f := sourceIn(t, m.URL).follow()
	var r int64
	for n := range 1000 {
		r = m.do(put(text(n%100), text(n)))
	}
	deliveries := 0
	for f.revision < r {
		f.next()
		deliveries++
	}
	if len(f.texts) != 100 || f.texts[text(7)] != text(907) {
		t.Errorf("there are %d fragments, and one is %s; want 100, and t907", len(f.texts), f.texts[text(7)])
	}
	if deliveries > 10 { // one waits to be taken, and some have just come
		t.Errorf("1000 changes were %d deliveries", deliveries)
	}
}
