package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const watchExamples = `  mxsrv watch                            all changes as they come, until interrupted
  mxsrv watch mail customers/            those of one fragment, and of a folder

A connection that is lost is made again; then what has changed meanwhile is printed.

Exit code: 0 once interrupted, 2 if etcd does not answer at the start.`

func watchCommand(u *ui) *cobra.Command {
	o := new(storing)
	c := &cobra.Command{
		Use:     "watch [NAME|FOLDER/...]",
		Short:   "Print the changes of the definitions in etcd as they come",
		Long:    "Print the changes of the definitions in etcd as they come.",
		Example: watchExamples,
		RunE: func(_ *cobra.Command, names []string) error {
			s, err := o.store()
			if err != nil {
				return err
			}
			keys, err := s.properKeys(names)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return (&watcher{u: u, store: s, keys: keys}).run(ctx)
		},
	}
	o.flags(c)
	return c
}

// A watcher prints the changes of fragments.
type watcher struct {
	u *ui
	*store
	keys []string // none: all

	known map[string]kept // by key; nil before the first list
	away  bool            // etcd is, and it was said
}

// run watches until ctx ends, or returns an error if that could not even start.
func (w *watcher) run(ctx context.Context) error {
	var again retry
	for {
		err := w.session(ctx, &again)
		switch {
		case ctx.Err() != nil:
			return nil
		case w.known == nil:
			return err
		case !w.away:
			w.u.note("%v: trying again", err)
			w.away = true
		}
		again.wait(ctx)
	}
}

// session prints what has changed since the last one and then, until the connection
// is lost, what changes.
func (w *watcher) session(ctx context.Context, again *retry) error {
	if err := w.dial(); err != nil {
		return err
	}
	defer w.close()
	all, revision, err := w.list(ctx)
	if err != nil {
		return err
	}
	w.compare(all, revision)
	again.reset()
	changes := w.client.Watch(clientv3.WithRequireLeader(ctx), w.Prefix, clientv3.WithPrefix(), clientv3.WithRev(revision+1))
	for r := range changes {
		if r.Err() != nil {
			return w.failure(r.Err())
		}
		for _, e := range r.Events {
			w.event(e)
		}
	}
	return w.failure(errors.New("the watch has ended"))
}

// compare prints what has changed, of a list of all that there is.
func (w *watcher) compare(all []kept, revision int64) {
	before := w.known
	w.known = map[string]kept{}
	for _, k := range all {
		w.known[k.Key] = k
		if before != nil && before[k.Key].changed != k.changed {
			w.put(k)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if _, ok := w.known[key]; !ok {
			w.gone(before[key], revision)
		}
	}
	if before == nil || w.away {
		w.u.note("watching %s from revision %d on", w.Prefix, revision)
	}
	w.away = false
}

// event prints a change as etcd tells it.
func (w *watcher) event(e *clientv3.Event) {
	key := string(e.Kv.Key)
	if e.Type == clientv3.EventTypeDelete {
		w.gone(w.known[key], e.Kv.ModRevision)
		delete(w.known, key)
		return
	}
	k := keptOf(e.Kv)
	w.known[key] = k
	w.put(k)
}

func (w *watcher) watches(key string) bool {
	return len(w.keys) == 0 && !w.own(key) || isOneOf(key, w.keys)
}

func (w *watcher) put(k kept) {
	if !w.watches(k.Key) {
		return
	}
	how := w.u.paint(yellow, "changed")
	if k.changed == k.Created {
		how = w.u.paint(green, "created")
	}
	w.head(k, k.changed, how)
	w.u.line("%s", printable(strings.TrimRight(k.Text, "\n")))
}

// gone prints that a fragment is not there any more, and as comments what it was.
func (w *watcher) gone(k kept, revision int64) {
	if !w.watches(k.Key) {
		return
	}
	w.head(k, revision, w.u.paint(red, "gone"))
	for line := range strings.Lines(printable(strings.TrimRight(k.Text, "\n"))) {
		w.u.line("# %s", strings.TrimRight(line, "\n"))
	}
}

func (w *watcher) head(k kept, revision int64, how string) {
	lease := ""
	if k.lease != 0 {
		lease = fmt.Sprintf(", lease %x", k.lease)
	}
	w.u.line("%s%s, revision %d%s, %s: %s", mark, printable(k.Key), revision, lease, time.Now().Format(time.RFC3339), how)
}
