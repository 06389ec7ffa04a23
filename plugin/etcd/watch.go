package etcd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// receive receives what changes below the prefix from a revision on until the stream ends, and returns why. It calls
// add with whole revisions.
func (e *Source) receive(ctx context.Context, client *clientv3.Client, from int64, add func(...step)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return e.Config.Watch(ctx, client, Watch{from, e.connected, func(events []*mvccpb.Event) {
		steps, err := e.stepsOf(ctx, client, events)
		if err != nil {
			cancel(err)
			return
		}
		add(steps...)
	}})
}

// A Watch is what [Config.Watch] reports, and from which revision on.
type Watch struct {
	From    int64
	Started func()                // a member has accepted the watch
	Changed func([]*mvccpb.Event) // those of whole revisions
}

// Watch watches what is below the prefix, over one stream to one member, until the stream or ctx ends, and returns why.
//
// The watcher of clientv3 goes on at another member when a stream ends, and says nothing of it; it also opens streams
// again and again without a deadline. Here the end is the end: an outage is seen when it begins, and what comes after
// it is a list, which is right even if the cluster is another. A member that is silent for the time of a request is
// taken for cut off.
func (c *Config) Watch(ctx context.Context, client *clientv3.Client, w Watch) error {
	ctx, cancel := context.WithCancelCause(clientv3.WithRequireLeader(ctx))
	var pinging sync.WaitGroup
	defer pinging.Wait()
	defer cancel(nil)
	silence := time.AfterFunc(c.Timeout, func() { cancel(context.DeadlineExceeded) })
	defer silence.Stop()
	stream, err := c.create(ctx, client, w.From)
	for err == nil {
		var r *etcdserverpb.WatchResponse
		if r, err = stream.Recv(); err != nil {
			break
		}
		silence.Reset(c.Timeout)
		switch {
		case r.Canceled:
			err = canceled(r)
		case r.Created:
			w.Started()
			pinging.Go(func() { c.ping(ctx, stream) })
		case len(r.Events) > 0:
			w.Changed(r.Events)
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// create asks for the watch.
func (c *Config) create(
	ctx context.Context, client *clientv3.Client, from int64,
) (etcdserverpb.Watch_WatchClient, error) {
	remote := etcdserverpb.NewWatchClient(client.ActiveConnection())
	stream, err := remote.Watch(ctx, grpc.MaxCallRecvMsgSize(math.MaxInt32)) // a transaction may be large
	if err != nil {
		return nil, err
	}
	return stream, stream.Send(&etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_CreateRequest{
		CreateRequest: &etcdserverpb.WatchCreateRequest{
			Key: []byte(c.Prefix), RangeEnd: []byte(clientv3.GetPrefixRangeEnd(c.Prefix)), StartRevision: from,
		},
	}})
}

// ping asks again and again for an answer, so that a member that is cut off without
// a word is noticed: gRPC does so every ten seconds at most.
func (c *Config) ping(ctx context.Context, stream etcdserverpb.Watch_WatchClient) {
	progress := &etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_ProgressRequest{
		ProgressRequest: &etcdserverpb.WatchProgressRequest{},
	}}
	tick := time.NewTicker(c.Timeout / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if stream.Send(progress) != nil {
				return // it is for Recv to say why
			}
		}
	}
}

// canceled returns why a member has ended a watch.
func canceled(r *etcdserverpb.WatchResponse) error {
	if r.CompactRevision != 0 {
		return fmt.Errorf("what was before revision %d is compacted", r.CompactRevision)
	}
	return errors.New(r.CancelReason)
}

// stepsOf returns what events do, revision by revision.
func (e *Source) stepsOf(ctx context.Context, client *clientv3.Client, events []*mvccpb.Event) (steps []step, _ error) {
	kvs := make([]*mvccpb.KeyValue, len(events))
	for i, event := range events {
		kvs[i] = event.Kv
	}
	fragments, err := e.fragmentsOf(ctx, client, kvs)
	if err != nil {
		return nil, err
	}
	for i, event := range events {
		if fragments[i].Key == e.Config.Key(markName) {
			continue
		}
		if last := len(steps) - 1; last < 0 || steps[last].revision != event.Kv.ModRevision {
			steps = append(steps, step{revision: event.Kv.ModRevision})
		}
		s := &steps[len(steps)-1]
		s.edits = append(s.edits, change.Edit{Fragment: fragments[i], Gone: event.Type == mvccpb.DELETE})
	}
	return steps, nil
}
