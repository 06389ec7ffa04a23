package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// A running registration.
type running struct {
	journal
	*Registration
	end   context.CancelFunc
	ended chan string
}

// register runs a registration of /mxsrv/web1.
func register(t *testing.T, m *member, text string, adjust func(*Registration)) *running {
	t.Helper()
	r := &running{make(journal, 100), nil, nil, make(chan string, 1)}
	r.Registration = &Registration{
		Store: m.store(), Fragment: change.Fragment{Key: "/mxsrv/web1", Text: text + "\n"}, TTL: 2 * time.Second,
		Note: func(format string, args ...any) { r.journal <- fmt.Sprintf(format, args...) },
	}
	if adjust != nil {
		adjust(r.Registration)
	}
	var ctx context.Context
	ctx, r.end = context.WithCancel(t.Context())
	go func() {
		withdrawn, err := r.Run(ctx)
		r.ended <- fmt.Sprint("withdrawn ", withdrawn, ", error ", err)
	}()
	return r
}

// stop ends a registration, and checks how.
func (r *running) stop(t *testing.T, want string) {
	t.Helper()
	r.end()
	if got := <-r.ended; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func wantText(t *testing.T, c *clientv3.Client, want string) {
	t.Helper()
	r, err := c.Get(t.Context(), "/mxsrv/web1")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, kv := range r.Kvs {
		got = string(kv.Value)
	}
	if got != want {
		t.Errorf("etcd has %q, want %q", got, want)
	}
}

// TestRegister: it is put under a lease, comes back when it is deleted, and is withdrawn at the end.
func TestRegister(t *testing.T) {
	m := newMember(t)
	client := m.client()
	var registered atomic.Int32
	r := register(t, m, "host web1 192.0.2.1", func(r *Registration) { r.Registered = func() { registered.Add(1) } })
	r.await(t, "/mxsrv/web1 is registered, revision 2, under lease ", " of 2s")
	wantText(t, client, "host web1 192.0.2.1\n")
	if _, err := client.Delete(t.Context(), "/mxsrv/web1"); err != nil {
		t.Fatal(err)
	}
	r.await(t, "/mxsrv/web1 is registered, revision 4", "")
	put(t, client, "/mxsrv/web1", "host web1 192.0.2.9\n")
	r.await(t, "/mxsrv/web1 was put without a lease: waiting until it is free", "")
	if _, err := client.Delete(t.Context(), "/mxsrv/web1"); err != nil {
		t.Fatal(err)
	}
	r.await(t, "/mxsrv/web1 is registered, revision 7", "")
	r.stop(t, "withdrawn true, error <nil>")
	r.await(t, "/mxsrv/web1 is withdrawn, revision 8", "")
	wantText(t, client, "")
	if n := registered.Load(); n != 1 {
		t.Errorf("Registered was called %d times", n)
	}
}

// TestHealth: it is in etcd only while the instance is healthy.
func TestHealth(t *testing.T) {
	m := newMember(t)
	client := m.client()
	var healthy atomic.Bool
	changed := make(chan struct{})
	r := register(t, m, "host web1 192.0.2.1", func(r *Registration) { r.Healthy, r.HealthChanged = healthy.Load, changed })
	changed <- struct{}{} // it has looked, and is not healthy
	wantText(t, client, "")
	for _, revision := range []int{2, 4} {
		healthy.Store(true)
		changed <- struct{}{}
		r.await(t, fmt.Sprint("/mxsrv/web1 is registered, revision ", revision), "")
		healthy.Store(false)
		changed <- struct{}{}
		r.await(t, fmt.Sprint("/mxsrv/web1 is withdrawn, revision ", revision+1), "")
		wantText(t, client, "")
	}
	r.stop(t, "withdrawn true, error <nil>")
}

// TestContend: with the same text the later instance takes the key, with another text it waits, unless it is forced.
func TestContend(t *testing.T) {
	m := newMember(t)
	client := m.client()
	one := register(t, m, "host web1 192.0.2.1", nil)
	one.await(t, "/mxsrv/web1 is registered", "")
	two := register(t, m, "host web1 192.0.2.2", nil)
	two.await(t, "/mxsrv/web1 is held by another instance, under lease ", ": waiting until it is free")
	wantText(t, client, "host web1 192.0.2.1\n")
	three := register(t, m, "host web1 192.0.2.1", nil)
	three.await(t, "/mxsrv/web1 is registered", "")
	one.await(t, "/mxsrv/web1 is held by another instance", "")
	four := register(t, m, "host web1 192.0.2.4", func(r *Registration) { r.Force = true })
	four.await(t, "/mxsrv/web1 is registered", "")
	three.await(t, "/mxsrv/web1 is held by another instance", "")
	wantText(t, client, "host web1 192.0.2.4\n")
	one.stop(t, "withdrawn true, error <nil>")
	three.stop(t, "withdrawn true, error <nil>")
	four.stop(t, "withdrawn true, error <nil>")
	two.await(t, "/mxsrv/web1 is registered", "")
	wantText(t, client, "host web1 192.0.2.2\n")
	two.stop(t, "withdrawn true, error <nil>")
}

// TestLeaseLost: after an outage longer than the TTL the fragment is put under another lease, and if it cannot be
// withdrawn that is reported.
func TestLeaseLost(t *testing.T) {
	m := newMember(t)
	r := register(t, m, "host web1 192.0.2.1", nil)
	r.await(t, "/mxsrv/web1 is registered, revision 2", "")
	m.kill()
	r.await(t, "etcd "+m.addr+": ", ": trying again")
	m.start()
	r.await(t, "/mxsrv/web1 is registered, revision 3", "")
	wantText(t, m.client(), "host web1 192.0.2.1\n")
	m.kill()
	r.await(t, "etcd "+m.addr+": ", ": trying again")
	r.stop(t, "withdrawn false, error <nil>")
}

// TestRefused: without permission a registration ends, unless it is to go on trying.
func TestRefused(t *testing.T) {
	m := newMember(t)
	auth(t, m.client())
	r := register(t, m, "host web1 192.0.2.1", nil)
	if got, want := <-r.ended, "withdrawn false, error etcd "+m.addr+" asks for a user: write --user"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	persistent := register(t, m, "host web1 192.0.2.1", func(r *Registration) { r.Persistent = true })
	persistent.await(t, "etcd "+m.addr+" asks for a user: write --user: trying again", "")
	persistent.stop(t, "withdrawn true, error <nil>")
}

// auth makes etcd ask for a user.
func auth(t *testing.T, c *clientv3.Client) {
	t.Helper()
	_, err := c.UserAdd(t.Context(), "root", "root")
	if err == nil {
		_, err = c.UserGrantRole(t.Context(), "root", "root")
	}
	if err == nil {
		_, err = c.AuthEnable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}
