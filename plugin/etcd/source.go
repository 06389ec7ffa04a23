package etcd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Source lists what is below a prefix of etcd, and then watches it from the revision of the list on.
//
// What it has delivered stays what it declares while etcd is away: then it tries again and again to reach it, and
// lists anew, because what a watch would begin with may have been compacted, or the cluster may be another. At its
// start, while etcd is away, it declares what another source of the process knows of the place, or else what a
// snapshot says.
//
// Revisions are delivered whole, for one transaction may write several keys, and one by one, for the serials of the
// zones that they change are made of them. Where very many come together they are one delivery, see batch.
type Source struct {
	definition.Pos // where it is written
	Config         *Config
	Zones          definition.Zones   // of names in fragments
	Tree           func() change.Tree // makes one that the keys are of, or nil: they are fragments
	Snapshot       string             // path of the file that keeps what is known, or ""
	Info, Warn     func(text string)

	cache      cache
	listed     bool // the cache is of a list or a watch of this source that has not failed since
	saved      int  // changes of the cache that are in the snapshot
	unsaved    bool // the snapshot cannot be written, and that was logged
	connection connection
	leases     leases // of keys of a tree
}

// String implements source.Source.
func (e *Source) String() string { return "etcd " + e.Config.String() }

// Load implements source.Source. It takes as long as etcd has to answer a request, at
// most, if nothing else is known; and if there is, only one attempt.
func (e *Source) Load() *change.Content {
	ctx, cancel := context.WithTimeout(context.Background(), e.Config.Timeout)
	defer cancel()
	defer e.cache.remember(e.place())
	k, err := e.tryList(ctx)
	if err != nil {
		e.lost(err)
		if k := e.restore(); k.fragments != nil {
			return e.content(k.since(state{}), k.revision)
		}
		for wait := (retry{most: e.Config.Timeout}); err != nil && wait.sleep(ctx); {
			k, err = e.tryList(ctx)
		}
	}
	if err != nil {
		return nil
	}
	e.listed = true
	e.cache.replace(k)
	return e.content(k.since(state{}), k.revision)
}

// content returns what is delivered. Its revision never falls, even if that of etcd does.
func (e *Source) content(edits []change.Edit, revision int64) *change.Content {
	return &change.Content{Edits: edits, Zones: e.Zones, NewTree: e.Tree, Revision: e.connection.delivered(revision)}
}

// place tells what may have the same definitions.
func (e *Source) place() string { return e.Config.String() + " " + e.Config.Username }

// tryList lists once.
func (e *Source) tryList(ctx context.Context) (state, error) {
	client, err := e.dial(ctx)
	if err != nil {
		return state{}, err
	}
	defer client.Close()
	return e.list(ctx, client)
}

// List returns what is there now as edits of nothing. It asks etcd once: each request has the timeout of the
// configuration. No source knows of that afterwards.
func (e *Source) List(ctx context.Context) ([]change.Edit, error) {
	k, err := e.tryList(ctx)
	return k.since(state{}), err
}

// restore takes the newest of what is known without etcd: by another source of
// this process, as in a reload of the Corefile, or from the snapshot.
func (e *Source) restore() state {
	k, s := latest(e.place()), e.readSnapshot()
	switch {
	case k.fragments != nil && k.revision >= s.revision:
		e.cache.replace(k)
		e.info("%d fragments of revision %d as they were before", len(k.fragments), k.revision)
	case s.fragments != nil:
		k = s.state
		e.saved = e.cache.replace(k)
		e.info("%d fragments of revision %d from snapshot %s, %v old",
			len(k.fragments), k.revision, e.Snapshot, time.Since(s.time).Round(time.Second))
	}
	e.listed = false
	return k
}

// dial returns a client for as long as ctx lasts.
func (e *Source) dial(ctx context.Context) (*clientv3.Client, error) {
	c := e.Config.Impatient()
	c.Context = ctx
	return clientv3.New(c)
}

// Run implements source.Source.
func (e *Source) Run(ctx context.Context, deliver func(*change.Content)) {
	changed := make(chan struct{}, 1)
	pass := func(edits []change.Edit, revision int64) {
		edits, news := e.cache.change(edits, revision)
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
	for wait := (retry{most: e.Config.Timeout}); ctx.Err() == nil; wait.sleep(ctx) {
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
	e.connection.mu.Lock()
	defer e.connection.mu.Unlock()
	e.connection.set(false) // it does not follow any more
}

// follow passes on what changes until etcd cannot be reached any more, and returns why.
func (e *Source) follow(ctx context.Context, pass func([]change.Edit, int64)) error {
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
		if before := e.cache.revision(); k.revision < before {
			e.warn("revision %d comes after %d: etcd was set up anew, or is of an older backup", k.revision, before)
		}
		e.listed = true
		pass(e.cache.difference(k), k.revision)
	}
	return e.watch(ctx, client, pass)
}

// watch passes on what changes from what is known on.
func (e *Source) watch(ctx context.Context, client *clientv3.Client, pass func([]change.Edit, int64)) error {
	gathered := newBatch()
	ctx, cancel := context.WithCancelCause(ctx)
	var receiving sync.WaitGroup
	defer receiving.Wait()
	defer cancel(nil)
	receiving.Go(func() { cancel(e.receive(ctx, client, e.cache.revision()+1, gathered.add)) })
	for {
		steps, ok := gathered.take(ctx)
		if !ok {
			return context.Cause(ctx)
		}
		for len(steps) > 0 {
			began := time.Now()
			pass(steps[0].edits, steps[0].revision)
			if steps = steps[1:]; time.Since(began) > longestRest { // what takes so long must not be done for each
				steps = merged(steps)
			}
		}
	}
}

// A retry is how long to wait before the next attempt: longer each time, and by
// chance, lest all servers come at once.
type retry struct{ next, most time.Duration }

// sleep returns false if ctx has ended before.
func (b *retry) sleep(ctx context.Context) bool {
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

func (e *Source) info(format string, args ...any) { e.say(e.Info, format, args) }
func (e *Source) warn(format string, args ...any) { e.say(e.Warn, format, args) }

func (e *Source) say(out func(string), format string, args []any) {
	if out != nil {
		out(e.String() + ": " + fmt.Sprintf(format, args...))
	}
}
