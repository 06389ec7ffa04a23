package source

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// Etcd is a source that lists what is below a prefix of etcd, and then watches it
// from the revision of the list on.
//
// What it has delivered stays what it declares while etcd is away: then it tries
// again and again to reach it, and lists anew, because what a watch would begin with
// may have been compacted, or the cluster may be another. At its start, while
// etcd is away, it declares what another source of the process knows of the
// place, or else what a snapshot says.
//
// Revisions are delivered whole, for one transaction may write several keys. What
// comes while a delivery is being published comes together in the next.
type Etcd struct {
	definition.Pos // where it is written
	Config         *etcd.Config
	Zones          definition.Zones // of names in fragments
	Snapshot       string           // path of the file that keeps what is known, or ""
	Mark           bool             // each list is an event that all watches see, see [Etcd.list]
	Info, Warn     func(text string)

	memory
	listed bool // what is known is of a list or a watch of this source that has not failed since
	kept   int  // changes of the memory that are in the snapshot
	line   line

	unmarked sync.Once // that lists cannot be marked is said
}

const (
	// soonest is how long it waits before it tries to reach etcd again, the first time.
	soonest = 50 * time.Millisecond
)

// String implements [Source].
func (e *Etcd) String() string { return "etcd " + e.Config.String() }

// Load implements [Source]. It takes as long as etcd has to answer a request, at
// most, if nothing else is known; and if there is, only one attempt.
func (e *Etcd) Load() *Content {
	ctx, cancel := context.WithTimeout(context.Background(), e.Config.Timeout)
	defer cancel()
	defer e.remember(e.place())
	k, err := e.tryList(ctx)
	if err != nil {
		e.lost(err)
		if k := e.recall(); k.fragments != nil {
			return e.content(k.edits(), k.revision)
		}
		k, err = e.insist(ctx, err)
	}
	if err != nil {
		return nil
	}
	e.listed = true
	e.learn(k)
	return e.content(k.edits(), k.revision)
}

// content returns what is delivered. Its revision never falls, even if that of
// etcd does.
func (e *Etcd) content(edits []definition.Edit, revision int64) *Content {
	return &Content{Edits: edits, Zones: e.Zones, Revision: e.line.reach(revision)}
}

// place tells what may have the same definitions.
func (e *Etcd) place() string { return e.Config.String() + " " + e.Config.Username }

// tryList lists once.
func (e *Etcd) tryList(ctx context.Context) (knowledge, error) {
	client, err := e.dial(ctx)
	if err != nil {
		return knowledge{}, err
	}
	defer client.Close()
	return e.list(ctx, client)
}

// insist tries to list until that is done or ctx ends.
func (e *Etcd) insist(ctx context.Context, err error) (k knowledge, _ error) {
	for wait := (backoff{most: e.Config.Timeout}); err != nil && wait.sleep(ctx); {
		k, err = e.tryList(ctx)
	}
	return k, err
}

// recall learns the newest of what is known without etcd: by another source of
// this process, as in a reload of the Corefile, or from the snapshot.
func (e *Etcd) recall() knowledge {
	k, s := lastKnown(e.place()), e.readSnapshot()
	switch {
	case k.fragments != nil && k.revision >= s.revision:
		e.learn(k)
		e.info("%d fragments of revision %d as they were before", len(k.fragments), k.revision)
	case s.fragments != nil:
		k = s.knowledge
		e.kept = e.learn(k)
		e.info("%d fragments of revision %d from snapshot %s, %v old",
			len(k.fragments), k.revision, e.Snapshot, time.Since(s.time).Round(time.Second))
	}
	e.listed = false
	return k
}

// dial returns a client for as long as ctx lasts.
func (e *Etcd) dial(ctx context.Context) (*clientv3.Client, error) {
	c := e.Config.Impatient()
	c.Context = ctx
	return clientv3.New(c)
}

// Run implements [Source].
func (e *Etcd) Run(ctx context.Context, deliver func(*Content)) {
	changed := make(chan struct{}, 1)
	pass := func(edits []definition.Edit, revision int64) {
		edits, news := e.change(edits, revision)
		if !news {
			return
		}
		deliver(e.content(edits, revision))
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	changed <- struct{}{}
	var keeping sync.WaitGroup
	keeping.Go(func() { e.keep(ctx, changed) })
	defer keeping.Wait()
	for wait := (backoff{most: e.Config.Timeout}); ctx.Err() == nil; wait.sleep(ctx) {
		since := time.Now()
		err := e.follow(ctx, pass)
		if ctx.Err() != nil {
			break
		}
		e.listed = false
		e.lost(err)
		if time.Since(since) > e.Config.Timeout {
			wait.next = 0
		}
	}
	e.line.hangUp()
}

// follow passes on what changes until etcd cannot be reached any more, and returns
// why.
func (e *Etcd) follow(ctx context.Context, pass func([]definition.Edit, int64)) error {
	client, err := e.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	if !e.listed {
		k, err := e.list(ctx, client)
		if err != nil {
			return err
		}
		if before := e.revision(); k.revision < before {
			e.warn("revision %d comes after %d: etcd was set up anew, or is of an older backup", k.revision, before)
		}
		e.listed = true
		pass(e.difference(k), k.revision)
	}
	return e.watch(ctx, client, pass)
}

// watch passes on what changes from what is known on.
func (e *Etcd) watch(ctx context.Context, client *clientv3.Client, pass func([]definition.Edit, int64)) error {
	gathered := newBatch()
	w := watch{client: client, prefix: e.Config.Prefix, patience: e.Config.Timeout, from: e.revision() + 1}
	ctx, cancel := context.WithCancelCause(ctx)
	var receiving sync.WaitGroup
	defer receiving.Wait()
	defer cancel(nil)
	receiving.Go(func() { cancel(w.run(ctx, e.connected, gathered.add)) })
	for {
		edits, revision, ok := gathered.take(ctx)
		if !ok {
			return context.Cause(ctx)
		}
		pass(edits, revision)
	}
}

// A backoff is how long to wait before the next attempt: longer each time, and by
// chance, lest all servers come at once.
type backoff struct{ next, most time.Duration }

// sleep returns false if ctx has ended before.
func (b *backoff) sleep(ctx context.Context) bool {
	b.next = min(max(2*b.next, soonest), b.most)
	return sleep(ctx, b.next/2+rand.N(b.next/2+1))
}

// sleep returns false if ctx has ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (e *Etcd) info(format string, args ...any) { e.say(e.Info, format, args) }
func (e *Etcd) warn(format string, args ...any) { e.say(e.Warn, format, args) }

func (e *Etcd) say(out func(string), format string, args []any) {
	if out != nil {
		out(e.String() + ": " + fmt.Sprintf(format, args...))
	}
}
