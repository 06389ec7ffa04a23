package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A registration keeps a fragment in etcd while it runs.
//
// It does so in tenures, each with a lease of its own. Whatever goes wrong ends a
// tenure, and the next one puts the fragment under its lease, in place of that of
// the one before: it is not gone in between, unless etcd was away for longer than
// the TTL.
type registration struct {
	u *ui
	*store
	fragment plugchange.Fragment
	ttl      time.Duration
	force    bool    // take the key at the start, whoever has it
	patient  bool    // try on even if etcd does not let the user in
	health   *health // nil: always well

	leases  map[clientv3.LeaseID]bool // all that it has had
	holds   bool                      // the fragment is there, as far as is known
	started bool                      // the key was looked at once
	away    bool                      // etcd is, and it was said
	waits   bool                      // somebody else has the key, and it was said
	judged  bool                      // with the others
}

// run keeps the fragment until ctx ends, and then withdraws it.
func (r *registration) run(ctx context.Context) error {
	r.leases = map[clientv3.LeaseID]bool{}
	var again retry
	var err error
	for ctx.Err() == nil {
		if err = r.tenure(ctx, &again); ctx.Err() != nil {
			break
		}
		if !r.started && !r.patient && shutOut(err) {
			return r.failure(err)
		}
		if !r.away {
			r.u.note("%v: trying again", r.failure(err))
			r.away = true
		}
		again.wait(ctx)
	}
	if err == nil || !r.holds {
		return nil
	}
	r.u.note("%s could not be withdrawn: it goes with its lease, within %v", r.fragment.Key, r.ttl)
	return errNotFine
}

// shutOut reports whether etcd does not let the user in.
func shutOut(err error) bool {
	for _, e := range []error{rpctypes.ErrAuthFailed, rpctypes.ErrPermissionDenied, rpctypes.ErrUserEmpty} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// tenure keeps the fragment under one lease, until something goes wrong or, without
// an error, until ctx has ended and it is withdrawn.
func (r *registration) tenure(ctx context.Context, again *retry) (err error) {
	if r.client, err = clientv3.New(r.Impatient()); err != nil {
		return err
	}
	defer r.close()
	granting, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	lease, err := r.client.Grant(granting, int64(r.ttl/time.Second))
	if err != nil {
		return err
	}
	r.leases[lease.ID] = true
	alive, end := context.WithCancel(context.Background())
	defer end()
	beats, err := r.client.KeepAlive(alive, lease.ID)
	if err != nil {
		return err
	}
	revision, err := r.settle(lease.ID)
	if err != nil {
		return err
	}
	again.reset()
	changes := r.client.Watch(clientv3.WithRequireLeader(alive), r.fragment.Key, clientv3.WithRev(revision+1))
	if err := r.follow(ctx, lease.ID, beats, changes); err != nil {
		return err
	}
	return r.withdraw(lease.ID)
}

// follow settles whatever changes, until ctx ends or the lease or the connection is
// lost.
func (r *registration) follow(ctx context.Context, lease clientv3.LeaseID, beats <-chan *clientv3.LeaseKeepAliveResponse, changes clientv3.WatchChan) error {
	for {
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
		case <-r.health.news():
		}
		if _, err := r.settle(lease); err != nil {
			return err
		}
	}
}

// settle looks at the key, and does what is to be done about it. It returns the
// revision at which it looked.
func (r *registration) settle(lease clientv3.LeaseID) (int64, error) {
	k, revision, err := r.look()
	if err != nil {
		return 0, err
	}
	first, well, mine := !r.started, r.health.isWell(), r.leases[k.lease]
	r.started, r.away, r.holds = true, false, mine && r.holds
	switch {
	case !well && mine:
		return revision, r.remove(k)
	case !well:
	case mine && k.lease == lease && k.Text == r.fragment.Text:
		r.holds = true
	case k.changed == 0, mine, first && r.force, first && k.lease != 0 && sameText(k.Text, r.fragment.Text):
		return revision, r.put(k, lease)
	case !r.waits:
		r.waits = true
		r.u.note("%s is held %s: waiting until it is free", k.Key, holder(k))
	}
	return revision, nil
}

// look returns what the key has, which may be nothing.
func (r *registration) look() (k kept, revision int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	found, err := r.client.Get(ctx, r.fragment.Key)
	if err != nil {
		return kept{}, 0, err
	}
	if len(found.Kvs) > 0 {
		k = keptOf(found.Kvs[0])
	}
	return k, found.Header.Revision, nil
}

// holder says who holds a key that is not ours.
func holder(k kept) string {
	if k.lease == 0 {
		return "by what somebody has put, without a lease"
	}
	return fmt.Sprintf("by another instance, under lease %x", k.lease)
}

// put puts the fragment, unless the key has changed since it was looked at: then
// the watch says so.
func (r *registration) put(k kept, lease clientv3.LeaseID) error {
	done, err := r.unless(k, clientv3.OpPut(r.fragment.Key, r.fragment.Text, clientv3.WithLease(lease)))
	if err != nil || !done.Succeeded {
		return err
	}
	r.holds, r.waits = true, false
	r.u.note("%s is registered, revision %d, under lease %x of %v", r.fragment.Key, done.Header.Revision, lease, r.ttl)
	r.judge()
	return nil
}

// remove takes the fragment away while the instance is not well.
func (r *registration) remove(k kept) error {
	done, err := r.unless(k, clientv3.OpDelete(k.Key))
	if err != nil || !done.Succeeded {
		return err
	}
	r.holds = false
	r.u.note("%s is withdrawn, revision %d", k.Key, done.Header.Revision)
	return nil
}

// unless does something to the key, unless it is not as in k any more.
func (r *registration) unless(k kept, do clientv3.Op) (*clientv3.TxnResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	as := clientv3.Compare(clientv3.ModRevision(r.fragment.Key), "=", k.changed)
	return r.client.Txn(ctx).If(as).Then(do).Commit()
}

// withdraw ends the lease, and the fragment with it.
func (r *registration) withdraw(lease clientv3.LeaseID) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	done, err := r.client.Revoke(ctx, lease)
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return err
	}
	if err == nil && r.holds {
		r.u.note("%s is withdrawn, revision %d", r.fragment.Key, done.Header.Revision)
	}
	return nil
}

// judge says once if servers leave the fragment out. It is registered all the same:
// being the youngest it harms no other, and it is served once what it contradicts is
// gone. Who may not read the others is not told.
func (r *registration) judge() {
	if r.judged {
		return
	}
	r.judged = true
	all, _, err := r.list(context.Background(), clientv3.WithSerializable())
	if err != nil {
		return
	}
	for _, f := range r.faults(all)[r.fragment.Key] {
		r.u.note("%s is left out by servers: %s", r.fragment.Key, format(f))
	}
}
