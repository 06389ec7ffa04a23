package webhook

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/test/rig"
)

func put(key, value string) clientv3.Op { return clientv3.OpPut(key, value) }

// TestOutage: while etcd is away, calls end in time with a status after which ExternalDNS tries again; then all is
// well.
func TestOutage(t *testing.T) {
	c := rig.Etcd(t, 1)
	proxy := rig.ProxyTo(t, c.Members[0].Addr())
	r := providerAt(t, c, proxy.Address())
	r.Store.Timeout = 300 * time.Millisecond
	www := endpoint("www.example.org", "A", "192.0.2.1")
	wantAway := func(when string) {
		t.Helper()
		for _, call := range []struct{ method, path, body string }{
			{"GET", "/records", ""}, {"POST", "/adjustendpoints", encode(t, []Endpoint{www})},
			{"POST", "/records", encode(t, Changes{Delete: []Endpoint{www}})},
		} {
			if status, body := r.call(t, call.method, call.path, call.body); status != 503 || !strings.Contains(body, "etcd "+proxy.Address()) {
				t.Errorf("%s, %s %s: %d %s", when, call.method, call.path, status, body)
			}
		}
		if status, _ := r.call(t, "GET", "/", ""); status != 200 {
			t.Errorf("%s the negotiation has status %d", when, status)
		}
		if status, body := get(r.Status(), "/readyz"); status != 503 || strings.Contains(body, proxy.Address()) {
			t.Errorf("%s it is ready: %d %s", when, status, body)
		}
		if status, _ := get(r.Status(), "/healthz"); status != 200 {
			t.Errorf("%s it is not healthy: %d", when, status)
		}
	}
	back := func() bool {
		status, _ := r.call(t, "POST", "/records", encode(t, Changes{Create: []Endpoint{www}}))
		return status == 204
	}
	proxy.Cut()
	wantAway("at the start")
	proxy.Restore()
	rig.Eventually(t, "etcd is reached", back)
	proxy.Silence()
	wantAway("silent")
	proxy.Restore()
	rig.Eventually(t, "etcd is reached again", back)
	if got := r.records(t); encode(t, got) != encode(t, []Endpoint{www}) {
		t.Errorf("there is %s", encode(t, got))
	}
	if status, _ := get(r.Status(), "/readyz"); status != 200 {
		t.Errorf("it is not ready: %d", status)
	}
}

func get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

// TestCredentials: a user that etcd does not know, or who may not write, ends no loop of ExternalDNS for ever.
func TestCredentials(t *testing.T) {
	c := rig.Etcd(t, 1, "--auth-token", "simple")
	for _, do := range []func() error{
		func() error { _, err := c.Client.UserAdd(t.Context(), "root", "r"); return err },
		func() error { _, err := c.Client.UserGrantRole(t.Context(), "root", "root"); return err },
		func() error { _, err := c.Client.UserAdd(t.Context(), "reader", "x"); return err },
		func() error { _, err := c.Client.RoleAdd(t.Context(), "reader"); return err },
		func() error {
			_, err := c.Client.RoleGrantPermission(t.Context(), "reader", "/mxsrv/", "/mxsrv0", clientv3.PermissionType(clientv3.PermRead))
			return err
		},
		func() error { _, err := c.Client.UserGrantRole(t.Context(), "reader", "reader"); return err },
		func() error { _, err := c.Client.UserAdd(t.Context(), "writer", "y"); return err },
		func() error { _, err := c.Client.RoleAdd(t.Context(), "writer"); return err },
		func() error {
			_, err := c.Client.RoleGrantPermission(t.Context(), "writer", "/mxsrv/external-dns/", "/mxsrv/external-dns0", clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := c.Client.UserGrantRole(t.Context(), "writer", "reader"); return err },
		func() error { _, err := c.Client.UserGrantRole(t.Context(), "writer", "writer"); return err },
		func() error { _, err := c.Client.AuthEnable(t.Context()); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	r := providerAt(t, c, c.Members[0].Addr())
	changes := encode(t, Changes{Create: []Endpoint{endpoint("www.example.org", "A", "192.0.2.1")}})
	for _, user := range []struct{ name, password, want string }{
		{"", "", "asks for a user"},
		{"reader", "wrong", "authentication failed"},
		{"reader", "x", `user "reader" has no permission`},
	} {
		r.Store.Username, r.Store.Password = user.name, user.password
		if status, body := r.call(t, "POST", "/records", changes); status != 503 || !strings.Contains(body, user.want) || strings.Contains(body, "wrong") {
			t.Errorf("user %q, %q: %d %s", user.name, user.password, status, body)
		}
	}
	if got := r.records(t); len(got) != 0 {
		t.Errorf("there is %s", encode(t, got))
	}
	w := providerAt(t, c, c.Members[0].Addr())
	w.Store.Username, w.Store.Password = "writer", "y"
	if status, body := w.call(t, "POST", "/records", changes); status != 204 {
		t.Errorf("who may write in the folder alone, and read: %d %s", status, body)
	}
}

// TestChangedMeanwhile: of a change that another makes impossible nothing is written, and the next loop makes it.
func TestChangedMeanwhile(t *testing.T) {
	r := provider(t)
	www, ftp := endpoint("www.example.org", "A", "192.0.2.1"), endpoint("ftp.example.org", "A", "192.0.2.1")
	c, err := r.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one, _ := r.change(c, "www.example.org.", []Endpoint{www})
	two, _ := r.change(c, "ftp.example.org.", []Endpoint{ftp})
	r.apply(t, Changes{Create: []Endpoint{ftp}})
	before := encode(t, r.keys(t))
	if err := r.commit([]store.Change{*one, *two}, nil); err != errChanged || statusOf(nil, err) != 503 {
		t.Errorf("%v", err)
	}
	if after := encode(t, r.keys(t)); after != before {
		t.Errorf("there is %s", after)
	}
	r.apply(t, Changes{Create: []Endpoint{www, ftp}})
	if got := r.records(t); len(got) != 2 {
		t.Errorf("there is %s", encode(t, got))
	}
}

// TestAtOnce: changes that come at once are made one after the other.
func TestAtOnce(t *testing.T) {
	r := provider(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			e := endpoint("www.example.org", "TXT", fmt.Sprint(i))
			e.SetIdentifier = fmt.Sprint(i)
			r.apply(t, Changes{Create: []Endpoint{e}})
		})
	}
	all.Wait()
	if got := r.records(t); len(got) != 20 {
		t.Errorf("there is %s", encode(t, got))
	}
}

// TestParts: a transaction has room for what is in it, and a name is with the records that say whose it is.
func TestParts(t *testing.T) {
	var changes []store.Change
	group := map[string]string{}
	for i := range 101 {
		name := fmt.Sprintf("n%03d", i)
		for _, key := range []string{name, "owner-" + name} {
			f := change.Fragment{Key: key, Text: "x"}
			if i == 99 {
				f.Text = strings.Repeat("x", mostOctets/2)
			}
			changes, group[key] = append(changes, store.Change{Edit: change.Edit{Fragment: f}}), name
		}
	}
	var sizes []int
	for _, part := range parts(changes, func(c store.Change) string { return group[c.Key] }) {
		sizes = append(sizes, len(part))
		there := map[string]int{}
		for _, c := range part {
			there[group[c.Key]]++
		}
		for name, n := range there {
			if n != 2 {
				t.Errorf("%s has %d of 2 in its part", name, n)
			}
		}
	}
	if got := fmt.Sprint(sizes); got != "[100 98 2 2]" {
		t.Errorf("parts of %s changes", got)
	}
}
