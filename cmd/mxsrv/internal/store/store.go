// Package store reads, writes, watches and registers the fragments of definitions that servers read from etcd, and
// tells which of them the servers exclude.
//
// A [Store] is a prefix in etcd. Its [Simulator]s stand for the server blocks that serve what is there: they judge
// fragments as servers do, so that a [Change] that would take something out of service is known before it is written. A
// [Registration] keeps a fragment in etcd for as long as an instance runs and is healthy.
//
// Requests end after the timeout of the configuration. Errors name the endpoints, and carry a hint where there is
// something to type.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// A Store is a prefix in etcd, with the server blocks that serve the fragments below it.
type Store struct {
	*etcd.Config
	Simulators []*Simulator

	client *clientv3.Client // nil before Open
}

// Open connects to etcd, logging in if there is a user, and lists the fragments. List, Leases and Commit need the
// connection; Watch and Registration.Run make their own.
func (s *Store) Open(ctx context.Context) ([]Entry, int64, error) {
	if err := s.dial(); err != nil {
		return nil, 0, s.failure(err)
	}
	return s.List(ctx)
}

func (s *Store) dial() error {
	ctx, cancel := s.timeout(context.Background())
	defer cancel()
	return untilLeader(ctx, func() (err error) {
		s.client, err = clientv3.New(s.Impatient())
		return err
	})
}

func (s *Store) timeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.Timeout)
}

// Close ends the connection.
func (s *Store) Close() {
	if s.client != nil {
		s.client.Close()
	}
}

// An Entry is a fragment as it is in etcd.
type Entry struct {
	change.Fragment
	Revision int64            // of its last change; 0 if it does not exist
	Lease    clientv3.LeaseID // 0 without a lease
}

func entryOf(kv *mvccpb.KeyValue) Entry {
	f := change.Fragment{Key: string(kv.Key), Text: string(kv.Value), Created: kv.CreateRevision}
	return Entry{f, kv.ModRevision, clientv3.LeaseID(kv.Lease)}
}

// Tidy returns a text with one newline at its end, as fragments are stored.
func Tidy(text string) string { return strings.TrimRight(text, "\n") + "\n" }

// List returns all fragments sorted by key, and the revision of etcd.
func (s *Store) List(ctx context.Context, options ...clientv3.OpOption) ([]Entry, int64, error) {
	entries, revision, err := s.list(ctx, options...)
	return entries, revision, s.failure(err)
}

// pageKeys is how many keys are asked for at a time, so that an answer comes within the time that a request has.
const pageKeys = 2000

// list begins anew if etcd compacts the revision that it lists.
func (s *Store) list(ctx context.Context, options ...clientv3.OpOption) (entries []Entry, revision int64, err error) {
	for b := (backoff{}); ; b.wait(ctx) {
		entries, revision, err = s.pages(ctx, options...)
		if ctx.Err() != nil || !errors.Is(err, rpctypes.ErrCompacted) {
			return entries, revision, err
		}
	}
}

// pages lists page by page, all of them as of the revision of the first.
func (s *Store) pages(ctx context.Context, options ...clientv3.OpOption) (entries []Entry, revision int64, err error) {
	from, end := s.Prefix, clientv3.GetPrefixRangeEnd(s.Prefix)
	for {
		page := []clientv3.OpOption{clientv3.WithRange(end), clientv3.WithLimit(pageKeys), clientv3.WithRev(revision)}
		some, now, err := s.read(ctx, from, slices.Concat(options, page)...)
		if err != nil {
			return nil, 0, err
		}
		if entries = append(entries, some...); revision == 0 {
			revision = now
		}
		if len(some) < pageKeys {
			return entries, revision, nil
		}
		from = some[pageKeys-1].Key + "\x00"
	}
}

// read returns what a key has, or several by options, and the revision of etcd.
func (s *Store) read(ctx context.Context, key string, options ...clientv3.OpOption) (entries []Entry, revision int64, err error) {
	ctx, cancel := s.timeout(ctx)
	defer cancel()
	err = untilLeader(ctx, func() error {
		r, err := s.client.Get(ctx, key, options...)
		if err != nil {
			return err
		}
		for _, kv := range r.Kvs {
			entries = append(entries, entryOf(kv))
		}
		revision = r.Header.Revision
		return nil
	})
	return entries, revision, err
}

// Leases returns how many seconds each lease of some entries has left, 0 if etcd does not say.
func (s *Store) Leases(entries []Entry) map[clientv3.LeaseID]int64 {
	ctx, cancel := s.timeout(context.Background())
	defer cancel()
	left := map[clientv3.LeaseID]int64{}
	for _, e := range entries {
		if _, asked := left[e.Lease]; asked || e.Lease == 0 {
			continue
		}
		left[e.Lease] = 0
		if r, err := s.client.TimeToLive(ctx, e.Lease); err == nil {
			left[e.Lease] = max(r.TTL, 0)
		}
	}
	return left
}

// validName keeps names apart from each other in a shell, a log and a path.
var validName = regexp.MustCompile(`^[^\s/.#"'\\][^\s"'\\]*$`)

// ParseName returns the key of a name, which may also be a key as List returns it. That of a folder ends in "/".
func (s *Store) ParseName(name string) (key string, err error) {
	if key = name; !strings.HasPrefix(name, s.Prefix) {
		key = s.Key(name)
	}
	if !validName.MatchString(strings.TrimPrefix(key, s.Prefix)) {
		return "", fmt.Errorf("name %q: write one like mail or customers/example.com, without blanks and quotes, that does not start with a dot", name)
	}
	return key, nil
}

// ParseNames returns the keys of names.
func (s *Store) ParseNames(names []string) (keys []string, err error) {
	for _, name := range names {
		key, err := s.ParseName(name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Internal reports whether a key is one that the servers use among themselves.
func (s *Store) Internal(key string) bool { return strings.HasPrefix(key, s.Prefix+".") }

// Selected reports whether a key is one of some, or in a folder that is one of them. Without any, all but internal ones
// are.
func (s *Store) Selected(key string, keys []string) bool {
	return len(keys) == 0 && !s.Internal(key) || slices.ContainsFunc(keys, func(k string) bool {
		return key == k || strings.HasSuffix(k, "/") && strings.HasPrefix(key, k)
	})
}

// Select returns the entries that have one of some names or are in one of these folders. A name without an entry is an
// error. Without names it returns all but internal ones.
func (s *Store) Select(entries []Entry, names []string) ([]Entry, error) {
	keys, err := s.ParseNames(names)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return s.Selected(e.Key, keys[i:i+1]) }) {
			return nil, s.missing(entries, key, names[i])
		}
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return !s.Selected(e.Key, keys) }), nil
}

// missing returns the error that there is no key, with the folder that was meant if there is one.
func (s *Store) missing(entries []Entry, key, name string) error {
	if folder := []string{key + "/"}; slices.ContainsFunc(entries, func(e Entry) bool { return s.Selected(e.Key, folder) }) {
		return hint.Add(fmt.Errorf("there is no %s in etcd, but a folder %s/", key, key), "%s/", name)
	}
	return hint.Add(fmt.Errorf("there is no %s in etcd", key), "mxsrv get, without %s, lists all", name)
}

// failure returns an error of etcd as the user should read it, and nil for nil.
func (s *Store) failure(err error) error {
	where := strings.TrimSuffix(s.String(), s.Prefix)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), status.Code(err) == codes.DeadlineExceeded:
		err = fmt.Errorf("no answer in %v", s.Timeout)
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return fmt.Errorf("etcd %s: user %q has no permission for this below %s: grant it with etcdctl role grant-permission", where, s.Username, s.Prefix)
	case errors.Is(err, rpctypes.ErrUserEmpty):
		return hint.Add(fmt.Errorf("etcd %s asks for a user: write credentials into the Corefile, or --user", where), "--user NAME --password-file FILE")
	case status.Code(err) == codes.Unavailable && strings.HasSuffix(err.Error(), io.EOF.Error()):
		err = errors.New("the connection was closed")
	case status.Code(err) == codes.Unavailable:
		err = errors.New(grpcNoise.ReplaceAllString(status.Convert(err).Message(), ""))
	default:
		return fmt.Errorf("etcd %s: %v", where, err)
	}
	return hint.Add(fmt.Errorf("etcd %s: %v", where, err), "etcdctl --endpoints %s endpoint health", where)
}

// grpcNoise is what gRPC writes around the reason why a connection failed.
var grpcNoise = regexp.MustCompile(`connection error: desc = |transport: |(Error while dialing|authentication handshake failed): |"`)

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
