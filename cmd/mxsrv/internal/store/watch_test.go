package store

import (
	"context"
	"fmt"
	"testing"
)

// TestWatch: every change is reported, also after a restart of etcd.
func TestWatch(t *testing.T) {
	m := newMember(t)
	m.put(t, "/mxsrv/a", "1")
	m.put(t, "/mxsrv/b", "1")
	j := make(journal, 100)
	w := Watcher{
		Started: func(revision int64) { j <- fmt.Sprint("started at ", revision) },
		Failed:  func(err error) { j <- err.Error() },
		Changed: func(e Event) {
			j <- fmt.Sprint(e.Key, "=", e.Text, " created ", e.Created, " at ", e.At, " deleted ", e.Deleted)
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- m.store().Watch(ctx, w) }()
	j.await(t, "started at 3", "")
	m.put(t, "/mxsrv/a", "2")
	j.await(t, "/mxsrv/a=2 created 2 at 4 deleted false", "")
	m.put(t, "/mxsrv/c", "1")
	j.await(t, "/mxsrv/c=1 created 5 at 5 deleted false", "")
	m.remove(t, "/mxsrv/a")
	j.await(t, "/mxsrv/a=2 created 2 at 6 deleted true", "")

	m.restart(t)
	m.put(t, "/mxsrv/b", "2")
	j.await(t, "/mxsrv/b=2 created 3 at 7 deleted false", "")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("error %v", err)
	}
}

// TestCompare: of what has changed between two lists, the last change of each fragment is reported.
func TestCompare(t *testing.T) {
	j := make(journal, 100)
	f := &follower{Watcher: Watcher{
		Started: func(revision int64) { j <- fmt.Sprint("started at ", revision) },
		Changed: func(e Event) { j <- fmt.Sprint(e.Key, " at ", e.At, " deleted ", e.Deleted) },
	}}
	f.compare([]Entry{{Revision: 1}, entry("a", "", 2), entry("b", "", 3), entry("c", "", 4)}, 4)
	f.failed = true
	f.compare([]Entry{{Revision: 1}, entry("b", "", 5), entry("c", "", 4), entry("d", "", 6)}, 7)
	close(j)
	got := ""
	for line := range j {
		got += line + "; "
	}
	const want = "started at 4; b at 5 deleted false; d at 6 deleted false; a at 7 deleted true; started at 7; "
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
