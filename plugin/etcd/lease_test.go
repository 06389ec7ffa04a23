package etcd

import (
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/skydns"
)

// TestTreeLease: keys of a tree say for how long their leases were granted, when they are listed and when they change;
// fragments do not.
func TestTreeLease(t *testing.T) {
	m := startEtcd(t)
	lease := func(seconds int64) clientv3.OpOption {
		t.Helper()
		r, err := m.Client.Grant(t.Context(), seconds)
		if err != nil {
			t.Fatal(err)
		}
		return clientv3.WithLease(r.ID)
	}
	long, short := lease(1000), lease(500)
	r := m.do(clientv3.OpPut("/mxsrv/a", "1", long), clientv3.OpPut("/mxsrv/b", "1", long), put("c", "1"))
	f, fragments := sourceIn(t, m.URL), sourceIn(t, m.URL)
	f.Tree = func() change.Tree { return skydns.New("/mxsrv/", nil) }
	f.follow().want(r, "a=lease 1000\n1 b=lease 1000\n1 c=1")
	fragments.follow().want(r, "a=1 b=1 c=1")
	if edits, err := f.List(t.Context()); err != nil || len(edits) != 3 || edits[0].Text != "lease 1000\n1" {
		t.Errorf("%v %v", edits, err)
	}
	f.until(m.do(clientv3.OpPut("/mxsrv/a", "2", short), put("b", "2")), "a=lease 500\n2 b=2 c=1")
	f.until(m.do(clientv3.OpPut("/mxsrv/c", "2", long)), "a=lease 500\n2 b=2 c=lease 1000\n2")
	f.until(m.do(put("c", "lease 9\n3")), "a=lease 500\n2 b=2 c=lease 0\nlease 9\n3") // a value that looks like that
	if n := len(f.leases.granted); n != 2 {
		t.Errorf("%d leases are known, want 2", n)
	}
	f.stop()
}
