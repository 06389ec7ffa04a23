package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// A Registration keeps a fragment in etcd under a lease for as long as it runs and the instance is healthy.
//
// When anything fails, it starts again with a new connection and a new lease, and puts the fragment under this. The old
// lease keeps the fragment until then, so it is not missing in between unless etcd was away for longer than the TTL.
type Registration struct {
	*Store
	Fragment   change.Fragment
	TTL        time.Duration // in whole seconds
	Force      bool          // take the key at the start, whoever has it
	Persistent bool          // go on trying when etcd refuses the user

	Healthy       func() bool     // whether the fragment may be in etcd; nil: always
	HealthChanged <-chan struct{} // is sent to when Healthy returns something else

	Note       func(format string, args ...any) // gets what happens
	Registered func()                           // is called when the fragment is in etcd for the first time; may be nil

	leases  map[clientv3.LeaseID]bool // all that it has had
	holds   bool                      // the fragment is in etcd as far as is known
	started bool                      // the key was read once
	waits   bool                      // another instance holds the key, which was noted
}

// Run keeps the fragment in etcd until ctx ends, and then withdraws it. It returns whether the fragment was withdrawn,
// if not it goes when its lease expires. The error is that etcd refuses the user.
func (r *Registration) Run(ctx context.Context) (withdrawn bool, err error) {
	r.leases = map[clientv3.LeaseID]bool{}
	refused := func(err error) bool {
		return !r.started && !r.Persistent && isAny(err, rpctypes.ErrAuthFailed, rpctypes.ErrPermissionDenied, rpctypes.ErrUserEmpty)
	}
	failed := func(err error) { r.Note("%v: trying again", err) }
	err = r.repeat(ctx, func(ready func()) error { return r.lease(ctx, ready) }, refused, failed)
	if err != nil && ctx.Err() == nil {
		return false, err
	}
	return err == nil || !r.holds, nil
}

// lease keeps the fragment under one lease until something fails or, without an error, until ctx has ended and the
// fragment is withdrawn.
func (r *Registration) lease(ctx context.Context, ready func()) (err error) {
	if err := r.dial(); err != nil {
		return err
	}
	defer r.Close()
	lease, err := r.grant(ctx)
	if err != nil {
		return err
	}
	r.leases[lease] = true
	alive, end := context.WithCancel(context.Background()) // until the fragment is withdrawn
	defer end()
	beats, err := r.client.KeepAlive(alive, lease)
	if err != nil {
		return err
	}
	revision, err := r.update(lease)
	if err != nil {
		return err
	}
	ready()
	if err := r.follow(ctx, lease, beats, r.watch(alive, revision+1)); err != nil {
		return err
	}
	return r.withdraw(lease)
}

func (r *Registration) grant(ctx context.Context) (clientv3.LeaseID, error) {
	ctx, cancel := r.timeout(ctx)
	defer cancel()
	lease, err := r.client.Grant(ctx, int64(r.TTL/time.Second))
	if err != nil {
		return 0, err
	}
	return lease.ID, nil
}

// watch returns the changes of the key from a revision on. The client would wait for the answer to its request as long
// as etcd is away; here the channel is closed after the timeout.
func (r *Registration) watch(ctx context.Context, revision int64) clientv3.WatchChan {
	ctx, cancel := context.WithCancel(ctx)
	defer time.AfterFunc(r.Timeout, cancel).Stop()
	return r.client.Watch(clientv3.WithRequireLeader(ctx), r.Fragment.Key, clientv3.WithRev(revision))
}

// follow updates the key after each change, until ctx ends or the lease or the connection is lost.
func (r *Registration) follow(ctx context.Context, lease clientv3.LeaseID, beats <-chan *clientv3.LeaseKeepAliveResponse, changes clientv3.WatchChan) error {
	for {
		if r.holds && r.Registered != nil {
			r.Registered()
			r.Registered = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-beats:
			if !ok {
				return errors.New("the lease is lost")
			}
			continue
		case w, ok := <-changes:
			if !ok || w.Err() != nil {
				return cmp.Or(w.Err(), errors.New("the watch has ended"))
			}
		case <-r.HealthChanged:
		}
		if _, err := r.update(lease); err != nil {
			return err
		}
	}
}

// update reads the key, and puts or deletes the fragment if that is due. It returns the revision of what it has read or
// put: what happens later is news.
func (r *Registration) update(lease clientv3.LeaseID) (int64, error) {
	found, revision, err := r.read(context.Background(), r.Fragment.Key)
	if err != nil {
		return 0, err
	}
	var e Entry
	if len(found) > 0 {
		e = found[0]
	}
	first, own := !r.started, r.leases[e.Lease]
	r.started, r.holds = true, own && r.holds
	switch healthy := r.Healthy == nil || r.Healthy(); {
	case !healthy && own:
		_, err = r.write(e, lease, clientv3.OpDelete(e.Key))
	case !healthy:
	case own && e.Lease == lease && e.Text == r.Fragment.Text:
		r.holds = true
	case e.Revision == 0, own, first && r.Force, first && e.Lease != 0 && Tidy(e.Text) == Tidy(r.Fragment.Text):
		var written int64
		written, err = r.write(e, lease, clientv3.OpPut(r.Fragment.Key, r.Fragment.Text, clientv3.WithLease(lease)))
		revision = max(revision, written)
	case !r.waits:
		r.waits = true
		r.Note("%s %s: waiting until it is free", e.Key, holder(e))
	}
	return revision, err
}

func holder(e Entry) string {
	if e.Lease == 0 {
		return "was put without a lease"
	}
	return fmt.Sprintf("is held by another instance, under lease %x", e.Lease)
}

// write puts the fragment in place of e under a lease, or deletes it. If the key has changed since e was read it does
// nothing, and the revision is 0: the watch reports that change.
func (r *Registration) write(e Entry, lease clientv3.LeaseID, op clientv3.Op) (revision int64, err error) {
	ctx, cancel := r.timeout(context.Background())
	defer cancel()
	unchanged := clientv3.Compare(clientv3.ModRevision(r.Fragment.Key), "=", e.Revision)
	done, err := r.client.Txn(ctx).If(unchanged).Then(op).Commit()
	if err != nil || !done.Succeeded {
		return 0, err
	}
	if r.holds = op.IsPut(); r.holds {
		r.waits = false
		r.Note("%s is registered, revision %d, under lease %x of %v", r.Fragment.Key, done.Header.Revision, lease, r.TTL)
	} else {
		r.Note("%s is withdrawn, revision %d", r.Fragment.Key, done.Header.Revision)
	}
	return done.Header.Revision, nil
}

// withdraw revokes the lease, which deletes the fragment.
func (r *Registration) withdraw(lease clientv3.LeaseID) error {
	ctx, cancel := r.timeout(context.Background())
	defer cancel()
	done, err := r.client.Revoke(ctx, lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil
	}
	if err == nil && r.holds {
		r.Note("%s is withdrawn, revision %d", r.Fragment.Key, done.Header.Revision)
	}
	return err
}
