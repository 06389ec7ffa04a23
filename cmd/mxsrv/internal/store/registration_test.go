package store

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/test/rig"
)

// A running registration.
type running struct {
	journal
	*Registration
	end   context.CancelFunc
	ended chan string
}

// register runs a registration of /mxsrv/web1.
func register(t *testing.T, m member, text string, adjust func(*Registration)) *running {
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

// TestRegister: it is put under a lease, comes back when it is deleted, and is withdrawn at the end.
func TestRegister(t *testing.T) {
	m := newMember(t)
	var registered atomic.Int32
	r := register(t, m, "host web1 192.0.2.1", func(r *Registration) { r.Registered = func() { registered.Add(1) } })
	r.await(t, "/mxsrv/web1 is registered, revision 2, under lease ", " of 2s")
	m.wantText(t, "/mxsrv/web1", "host web1 192.0.2.1\n")
	m.remove(t, "/mxsrv/web1")
	r.await(t, "/mxsrv/web1 is registered, revision 4", "")
	m.put(t, "/mxsrv/web1", "host web1 192.0.2.9\n")
	r.await(t, "/mxsrv/web1 was put without a lease: waiting until it is free", "")
	m.remove(t, "/mxsrv/web1")
	r.await(t, "/mxsrv/web1 is registered, revision 7", "")
	r.stop(t, "withdrawn true, error <nil>")
	r.await(t, "/mxsrv/web1 is withdrawn, revision 8", "")
	m.wantText(t, "/mxsrv/web1", "")
	if n := registered.Load(); n != 1 {
		t.Errorf("Registered was called %d times", n)
	}
}

// TestHealth: it is in etcd only while the instance is healthy.
func TestHealth(t *testing.T) {
	m := newMember(t)
	var healthy atomic.Bool
	changed := make(chan struct{})
	r := register(t, m, "host web1 192.0.2.1", func(r *Registration) { r.Healthy, r.HealthChanged = healthy.Load, changed })
	changed <- struct{}{} // it has looked, and is not healthy
	m.wantText(t, "/mxsrv/web1", "")
	for _, revision := range []int{2, 4} {
		healthy.Store(true)
		changed <- struct{}{}
		r.await(t, fmt.Sprint("/mxsrv/web1 is registered, revision ", revision), "")
		healthy.Store(false)
		changed <- struct{}{}
		r.await(t, fmt.Sprint("/mxsrv/web1 is withdrawn, revision ", revision+1), "")
		m.wantText(t, "/mxsrv/web1", "")
	}
	r.stop(t, "withdrawn true, error <nil>")
}

// TestContend: with the same text the later instance takes the key, with another text it waits, unless it is forced.
func TestContend(t *testing.T) {
	m := newMember(t)
	one := register(t, m, "host web1 192.0.2.1", nil)
	one.await(t, "/mxsrv/web1 is registered", "")
	two := register(t, m, "host web1 192.0.2.2", nil)
	two.await(t, "/mxsrv/web1 is held by another instance, under lease ", ": waiting until it is free")
	m.wantText(t, "/mxsrv/web1", "host web1 192.0.2.1\n")
	three := register(t, m, "host web1 192.0.2.1", nil)
	three.await(t, "/mxsrv/web1 is registered", "")
	one.await(t, "/mxsrv/web1 is held by another instance", "")
	four := register(t, m, "host web1 192.0.2.4", func(r *Registration) { r.Force = true })
	four.await(t, "/mxsrv/web1 is registered", "")
	three.await(t, "/mxsrv/web1 is held by another instance", "")
	m.wantText(t, "/mxsrv/web1", "host web1 192.0.2.4\n")
	five := register(t, m, "host web1 192.0.2.5", func(r *Registration) { r.Force = true })
	five.await(t, "/mxsrv/web1 is registered", "")
	four.await(t, "/mxsrv/web1 is held by another instance", "") // Force is for the start
	m.wantText(t, "/mxsrv/web1", "host web1 192.0.2.5\n")
	for _, r := range []*running{one, three, four, five} {
		r.stop(t, "withdrawn true, error <nil>")
	}
	two.await(t, "/mxsrv/web1 is registered", "")
	m.wantText(t, "/mxsrv/web1", "host web1 192.0.2.2\n")
	two.stop(t, "withdrawn true, error <nil>")
}

// TestLeaseLost: after an outage longer than the TTL the fragment is put under another lease, and if it cannot be
// withdrawn that is reported.
func TestLeaseLost(t *testing.T) {
	m := newMember(t)
	r := register(t, m, "host web1 192.0.2.1", nil)
	r.await(t, "/mxsrv/web1 is registered, revision 2", "")
	m.Kill()
	r.await(t, "etcd "+m.Addr()+": ", ": trying again")
	m.restart(t)
	r.await(t, "/mxsrv/web1 is registered, revision 3", "")
	m.wantText(t, "/mxsrv/web1", "host web1 192.0.2.1\n")
	m.Kill()
	r.await(t, "etcd "+m.Addr()+": ", ": trying again")
	r.stop(t, "withdrawn false, error <nil>")
}

// TestSilence: if etcd falls silent between the put and the watch of the key, the registration tries again, and ends
// when it is to end.
func TestSilence(t *testing.T) {
	m := newMember(t)
	proxy := rig.ProxyTo(t, m.Addr())
	r := register(t, m, "host web1 192.0.2.1", func(r *Registration) {
		r.Store.Config = etcd.New(proxy.Address())
		r.Store.Timeout = 500 * time.Millisecond
		note := r.Note
		r.Note = func(format string, args ...any) {
			if strings.Contains(format, "is registered") {
				proxy.Silence()
			}
			note(format, args...)
		}
	})
	r.await(t, "/mxsrv/web1 is registered", "")
	r.await(t, "etcd "+proxy.Address()+": ", ": trying again")
	r.stop(t, "withdrawn false, error <nil>")
}

// TestRefused: without permission a registration ends, unless it is to go on trying.
func TestRefused(t *testing.T) {
	m := newMember(t)
	auth(t, m)
	r := register(t, m, "host web1 192.0.2.1", nil)
	if got, want := <-r.ended, "withdrawn false, error etcd "+m.Addr()+" asks for a user: write credentials into the Corefile, or --user"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	persistent := register(t, m, "host web1 192.0.2.1", func(r *Registration) { r.Persistent = true })
	persistent.await(t, "etcd "+m.Addr()+" asks for a user: write credentials into the Corefile, or --user: trying again", "")
	persistent.stop(t, "withdrawn true, error <nil>")
}

// auth makes etcd ask for a user.
func auth(t *testing.T, m member) {
	t.Helper()
	for _, call := range []func(context.Context, *clientv3.Client) error{
		func(ctx context.Context, c *clientv3.Client) error {
			_, err := c.UserAdd(ctx, "root", "root")
			return err
		},
		func(ctx context.Context, c *clientv3.Client) error {
			_, err := c.UserGrantRole(ctx, "root", "root")
			return err
		},
		func(ctx context.Context, c *clientv3.Client) error { _, err := c.AuthEnable(ctx); return err },
	} {
		if err := m.Call(call); err != nil {
			t.Fatal(err)
		}
	}
}
