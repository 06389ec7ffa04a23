package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/etcd"
)

func entry(key, text string, created int64) Entry {
	return Entry{Fragment: change.Fragment{Key: key, Text: text + "\n", Created: created}, Revision: created}
}

func keysOf(entries []Entry) string {
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return strings.Join(keys, " ")
}

func TestSelect(t *testing.T) {
	s := &Store{Config: etcd.New("127.0.0.1:1")}
	var entries []Entry
	for i, name := range []string{".revision", "a", "a/b", "a/c/d", "ab"} {
		entries = append(entries, entry("/mxsrv/"+name, "", int64(i)))
	}
	for _, test := range []struct{ names, want, err, hint string }{
		{"", "/mxsrv/a /mxsrv/a/b /mxsrv/a/c/d /mxsrv/ab", "", ""},
		{"a", "/mxsrv/a", "", ""},
		{"a/", "/mxsrv/a/b /mxsrv/a/c/d", "", ""},
		{"/mxsrv/ab a/c/", "/mxsrv/a/c/d /mxsrv/ab", "", ""},
		{"/a/b", "/mxsrv/a/b", "", ""},
		{"a b", "", "there is no /mxsrv/b in etcd", "mxsrv get, without b, lists all"},
		{"a/c", "", "there is no /mxsrv/a/c in etcd, but a folder /mxsrv/a/c/", "a/c/"},
		{".revision", "", `name ".revision": write one like mail or customers/example.com, without blanks and quotes, that does not start with a dot`, ""},
		{"/mxsrv//a", "", `name "/mxsrv//a": write one like mail or customers/example.com, without blanks and quotes, that does not start with a dot`, ""},
	} {
		selected, err := s.Select(entries, strings.Fields(test.names))
		if got := keysOf(selected); got != test.want || fmt.Sprint(err) != orNil(test.err) || hint.Of(err) != test.hint {
			t.Errorf("%q: %q, error %v, hint %q; want %q, error %s, hint %q", test.names, got, err, hint.Of(err), test.want, orNil(test.err), test.hint)
		}
	}
}

func orNil(text string) string {
	if text == "" {
		return "<nil>"
	}
	return text
}

func TestFailure(t *testing.T) {
	s := &Store{Config: etcd.New("192.0.2.1:2379", "https://192.0.2.2:2379")}
	s.Username = "writer"
	const where = "etcd 192.0.2.1:2379,https://192.0.2.2:2379"
	const health = "etcdctl --endpoints 192.0.2.1:2379,https://192.0.2.2:2379 endpoint health"
	for _, test := range []struct {
		err        error
		want, hint string
	}{
		{nil, "<nil>", ""},
		{status.Error(codes.DeadlineExceeded, "context deadline exceeded while waiting for connections"), where + ": no answer in 5s", health},
		{status.Error(codes.Unavailable, "error reading from server: EOF"), where + ": the connection was closed", health},
		{context.DeadlineExceeded, where + ": no answer in 5s", health},
		{rpctypes.ErrPermissionDenied, where + `: user "writer" has no permission for this below /mxsrv/: grant it with etcdctl role grant-permission`, ""},
		{rpctypes.ErrUserEmpty, where + " asks for a user: write credentials into the Corefile, or --user", "--user NAME --password-file FILE"},
		{rpctypes.ErrAuthFailed, where + ": etcdserver: authentication failed, invalid user ID or password", ""},
		{status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp 192.0.2.1:2379: connect: connection refused"`),
			where + ": dial tcp 192.0.2.1:2379: connect: connection refused", health},
		{errors.New("the lease is lost"), where + ": the lease is lost", ""},
	} {
		if err := s.failure(test.err); fmt.Sprint(err) != test.want || hint.Of(err) != test.hint {
			t.Errorf("%v: %v, hint %q; want %s, hint %q", test.err, err, hint.Of(err), test.want, test.hint)
		}
	}
}

// TestList: fragments come sorted, with revisions and leases, and those of other prefixes do not.
func TestList(t *testing.T) {
	s, m := open(t)
	var lease *clientv3.LeaseGrantResponse
	err := m.Call(func(ctx context.Context, c *clientv3.Client) (err error) {
		lease, err = c.Grant(ctx, 60)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	m.put(t, "/mxsrv/b", "host b 192.0.2.1")
	m.put(t, "/mxsrv/a", "host a 192.0.2.1", clientv3.WithLease(lease.ID))
	m.put(t, "/mxsrv2/c", "host c 192.0.2.1")
	last := m.put(t, "/mxsrv/b", "host b 192.0.2.2")
	entries, revision, err := s.List(t.Context())
	if err != nil || keysOf(entries) != "/mxsrv/a /mxsrv/b" || revision != last {
		t.Fatalf("%v at revision %d, error %v", entries, revision, err)
	}
	a, b := entries[0], entries[1]
	if a.Lease != lease.ID || b.Lease != 0 || b.Text != "host b 192.0.2.2" || b.Revision != last || b.Created != last-3 {
		t.Errorf("%+v", entries)
	}
	if left := s.Leases(append(entries, Entry{Lease: 1})); len(left) != 2 || left[lease.ID] < 50 || left[1] != 0 {
		t.Errorf("leases with %v seconds left", left)
	}
}

// A compacted KV has etcd forget the revision of its first answer.
type compacted struct {
	clientv3.KV
	forget func()
}

func (c *compacted) Get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	r, err := c.KV.Get(ctx, key, options...)
	if c.forget != nil {
		c.forget()
		c.forget = nil
	}
	return r, err
}

// TestListPages: a list of several pages has each key once, all as of one revision, also if etcd forgets that meanwhile.
func TestListPages(t *testing.T) {
	s, m := open(t)
	for n := 0; n <= 2*pageKeys; {
		var ops []clientv3.Op
		for ; len(ops) < MaxChanges && n <= 2*pageKeys; n++ {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("/mxsrv/%05d", n), ""))
		}
		m.Do(t, ops...)
	}
	last := int64(0)
	s.client.KV = &compacted{s.client.KV, func() {
		last = m.put(t, "/mxsrv/00000", "# changed")
		if _, err := m.Client.Compact(t.Context(), last); err != nil {
			t.Error(err)
		}
	}}
	entries, revision, err := s.List(t.Context())
	if err != nil || len(entries) != 2*pageKeys+1 || revision != last || entries[0].Text == "" {
		t.Errorf("%d keys at revision %d, %v", len(entries), revision, err)
	}
	for i, e := range entries {
		if want := fmt.Sprintf("/mxsrv/%05d", i); e.Key != want {
			t.Fatalf("%s, want %s", e.Key, want)
		}
	}
}

// TestCommit: what somebody else has changed after it was judged is not overwritten, and nothing is written that was to
// be written in one step with it.
func TestCommit(t *testing.T) {
	s, _ := open(t)
	edit := func(key, text string, before int64) Change {
		return Change{Edit: change.Edit{Fragment: change.Fragment{Key: s.Key(key), Text: text}}, Before: Entry{Revision: before}}
	}
	created, conflicts, err := s.Commit([]Change{edit("a", "host a 192.0.2.1\n", 0)})
	if err != nil || conflicts != nil {
		t.Fatal(conflicts, err)
	}
	_, conflicts, err = s.Commit([]Change{edit("b", "host b 192.0.2.2\n", 0), edit("a", "host a 192.0.2.3\n", 0)})
	if err != nil || !slices.Equal(conflicts, []string{"/mxsrv/a"}) {
		t.Errorf("conflicts %v, error %v", conflicts, err)
	}
	all, _, err := s.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Text != "host a 192.0.2.1\n" {
		t.Errorf("etcd has %v (%v), want what was there", all, err)
	}
	gone := edit("a", "", created)
	gone.Gone = true
	revision, conflicts, err := s.Commit([]Change{gone, edit("b", "host b 192.0.2.2\n", 0)})
	if err != nil || conflicts != nil || revision != created+1 {
		t.Errorf("revision %d, conflicts %v, error %v", revision, conflicts, err)
	}
	if all, _, err := s.List(t.Context()); err != nil || keysOf(all) != "/mxsrv/b" {
		t.Errorf("etcd has %v (%v), want b", all, err)
	}
	short, other := edit("c", "drain c.example.org.\n", 0), edit("d", "drain d.example.org.\n", 0)
	short.For, other.For = 90*time.Second+time.Millisecond, 90*time.Second+time.Millisecond
	if _, conflicts, err := s.Commit([]Change{short, other}); err != nil || conflicts != nil {
		t.Fatal(conflicts, err)
	}
	all, _, err = s.List(t.Context())
	if err != nil || len(all) != 3 || all[0].Lease != 0 || all[1].Lease == 0 || all[1].Lease != all[2].Lease {
		t.Fatalf("%+v %v, want one lease for the last two", all, err)
	}
	if left := s.Leases(all)[all[1].Lease]; left < 80 || left > 91 {
		t.Errorf("a lease with %d seconds left, want 91", left)
	}
}

// TestUnreachable: without etcd every request ends, and says where it went.
func TestUnreachable(t *testing.T) {
	s := &Store{Config: etcd.New("127.0.0.1:1")}
	defer s.Close()
	_, _, err := s.Open(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "etcd 127.0.0.1:1: ") || hint.Of(err) == "" {
		t.Errorf("listed: %v", err)
	}
	if _, _, err := s.Commit(nil); err == nil {
		t.Error("committed")
	}
	if left := s.Leases([]Entry{{Lease: 1}}); left[1] != 0 {
		t.Errorf("leases: %v", left)
	}
	if err := s.Watch(t.Context(), Watcher{}); err == nil {
		t.Error("watched")
	}
}
