package etcd

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
)

const (
	// markName is the key below the prefix that is written before a list, and
	// markText what it then holds: a fragment that declares nothing.
	markName = ".revision"
	markText = "# written at each start of a server, so that serials rise with revisions\n"

	// pageKeys is how many keys are asked for at a time, so that the
	// answer stays small and comes within the time that a request has.
	pageKeys = 2000
)

// list lists all fragments as they are at one revision.
//
// What was deleted before is in no list. So that servers agree on the last event nevertheless, whose revision makes
// the serial, a list that is marked begins with an event of its own, which all watches see.
func (e *Source) list(ctx context.Context, client *clientv3.Client) (state, error) {
	ctx = clientv3.WithRequireLeader(ctx) // another member is asked at once if one is cut off
	for wait := (retry{most: e.Config.Timeout}); ; {
		revision, err := e.mark(ctx, client)
		if err != nil {
			return state{}, err
		}
		k, err := e.pages(ctx, client, revision)
		if !errors.Is(err, rpctypes.ErrCompacted) || !wait.sleep(ctx) {
			return k, err
		}
	}
}

// mark writes the mark and returns its revision, or 0 if there is none.
func (e *Source) mark(ctx context.Context, client *clientv3.Client) (int64, error) {
	if !e.Mark {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.Config.Timeout)
	defer cancel()
	put, err := client.Put(ctx, e.Config.Key(markName), markText)
	if errors.Is(err, rpctypes.ErrPermissionDenied) || errors.Is(err, rpctypes.ErrNoSpace) {
		e.unmarked.Do(func() {
			e.warn("%s may not be written: %s: serials may differ between servers that have started since the last change",
				e.Config.Key(markName), e.reason(err))
		})
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return put.Header.Revision, nil
}

// pages lists the fragments as they are at a revision, or now if it is 0.
func (e *Source) pages(ctx context.Context, client *clientv3.Client, revision int64) (state, error) {
	k := state{fragments: make(map[string]change.Fragment), revision: revision}
	from, end := e.Config.Prefix, clientv3.GetPrefixRangeEnd(e.Config.Prefix)
	for {
		page, err := e.page(ctx, client, from, end, k.revision)
		if err != nil {
			return state{}, err
		}
		if k.revision == 0 {
			k.revision = page.Header.Revision
		}
		for _, kv := range page.Kvs {
			f := fragmentOf(kv)
			k.fragments[f.Key], from = f, f.Key+"\x00"
		}
		if !page.More {
			return k, nil
		}
	}
}

// page lists some keys, from one on.
func (e *Source) page(ctx context.Context, client *clientv3.Client, from, end string, revision int64) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, e.Config.Timeout)
	defer cancel()
	return client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(pageKeys), clientv3.WithRev(revision))
}

func fragmentOf(kv *mvccpb.KeyValue) change.Fragment {
	return change.Fragment{Key: string(kv.Key), Text: string(kv.Value), Created: kv.CreateRevision}
}
