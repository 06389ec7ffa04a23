package etcd

import (
	"context"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/skydns"
)

// leases are how many seconds leases were granted for, as far as that was asked. It never changes for a lease.
type leases struct {
	mu      sync.Mutex
	granted map[clientv3.LeaseID]int64
}

const (
	leasesAtOnce = 32      // that are asked for; one takes a round trip
	mostLeases   = 1 << 17 // that are remembered
)

// fragmentsOf returns what keys have, in their order. In a tree that includes for how long leases of keys were granted,
// which is one more request for each new lease.
func (e *Source) fragmentsOf(ctx context.Context, client *clientv3.Client, kvs []*mvccpb.KeyValue) ([]change.Fragment, error) {
	fragments := make([]change.Fragment, len(kvs))
	for i, kv := range kvs {
		fragments[i] = fragmentOf(kv)
	}
	if e.Tree == nil {
		return fragments, nil
	}
	if err := e.leases.ask(ctx, client, kvs); err != nil {
		return nil, err
	}
	for i, kv := range kvs {
		fragments[i].Text = skydns.WithLease(e.leases.of(kv), fragments[i].Text)
	}
	return fragments, nil
}

// of returns the seconds of the lease of a key: 0 if it has none, or one that has ended.
func (l *leases) of(kv *mvccpb.KeyValue) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.granted[clientv3.LeaseID(kv.Lease)]
}

// ask asks for the leases of keys that are not known yet.
func (l *leases) ask(ctx context.Context, client *clientv3.Client, kvs []*mvccpb.KeyValue) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, leasesAtOnce)
	var asking sync.WaitGroup
	for _, id := range l.unknown(kvs) {
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			if r, err := client.TimeToLive(ctx, id); err != nil {
				cancel(err)
			} else {
				l.note(id, r.GrantedTTL)
			}
		})
	}
	asking.Wait()
	return context.Cause(ctx)
}

func (l *leases) unknown(kvs []*mvccpb.KeyValue) (ids []clientv3.LeaseID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.granted == nil || len(l.granted) > mostLeases {
		l.granted = make(map[clientv3.LeaseID]int64)
	}
	asked := make(map[clientv3.LeaseID]bool)
	for _, kv := range kvs {
		id := clientv3.LeaseID(kv.Lease)
		if _, known := l.granted[id]; id != clientv3.NoLease && !known && !asked[id] {
			asked[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

func (l *leases) note(id clientv3.LeaseID, seconds int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.granted[id] = seconds
}
