package etcd

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
)

// A compactingKV lists one key on each page, and compacts the revision of a list before its second page, until it has
// done so for some lists.
type compactingKV struct {
	etcdserverpb.UnimplementedKVServer
	compactions int32
	begun       atomic.Int32
}

func (kv *compactingKV) Range(_ context.Context, r *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) {
	first, key := r.Revision == 0, "/mxsrv/b"
	if first {
		kv.begun.Add(1)
		key = "/mxsrv/a"
	} else if kv.begun.Load() <= kv.compactions {
		return nil, rpctypes.ErrGRPCCompacted
	}
	return &etcdserverpb.RangeResponse{
		Header: &etcdserverpb.ResponseHeader{Revision: int64(kv.begun.Load())}, More: first,
		Kvs: []*mvccpb.KeyValue{{Key: []byte(key), Value: []byte("1"), CreateRevision: 1, ModRevision: 1}},
	}, nil
}

// serveKV serves kv until the test ends, and returns where.
func serveKV(t *testing.T, kv etcdserverpb.KVServer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	etcdserverpb.RegisterKVServer(s, kv)
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// TestListCompacted: a list whose revision is compacted before its last page begins anew, later each time.
func TestListCompacted(t *testing.T) {
	t.Parallel()
	kv := &compactingKV{compactions: 4}
	f := sourceIn(t, serveKV(t, kv))
	began := time.Now()
	f.take(f.Load())
	f.want(5, "a=1 b=1")
	// Half of 50, 100, 200 and 400 ms at least, as chance adds to that.
	if took := time.Since(began); took < 375*time.Millisecond {
		t.Errorf("four lists were begun anew within %v, want waits that double from 50 ms on", took)
	}
	if len(f.said.lines) > 0 {
		t.Errorf("logged %q, want nothing", f.said.lines)
	}
}

// TestListCompactedForever: a list that never comes to its end is given up when the time of the load is over.
func TestListCompactedForever(t *testing.T) {
	t.Parallel()
	kv := &compactingKV{compactions: 1 << 30}
	f := sourceIn(t, serveKV(t, kv))
	f.Config.Timeout = 500 * time.Millisecond
	if c := f.Load(); c != nil {
		t.Errorf("loaded %+v, want nothing", c)
	}
	if n := kv.begun.Load(); n > 10 { // the least waits are 25, 50, 100, 200 and then 250 ms
		t.Errorf("%d lists were begun within %v", n, f.Config.Timeout)
	}
}
