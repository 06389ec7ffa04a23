package etcd

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// pageKeys is how many keys are asked for at a time, so that the answer stays small and comes within the time that a
// request has.
const pageKeys = 2000

// markName is a key below the prefix that older versions write. It is no fragment.
const markName = ".revision"

// list lists all fragments as they are at one revision. What was deleted before is in no list, so that is the revision
// for which the serials of zones are made that are not as they were known.
func (e *Source) list(ctx context.Context, client *clientv3.Client) (state, error) {
	ctx = clientv3.WithRequireLeader(ctx) // another member is asked at once if one is cut off
	for wait := (retry{most: e.Config.Timeout}); ; {
		k, err := e.pages(ctx, client)
		if !errors.Is(err, rpctypes.ErrCompacted) || !wait.sleep(ctx) {
			return k, err
		}
	}
}

// pages lists the fragments as they are now, page by page.
func (e *Source) pages(ctx context.Context, client *clientv3.Client) (state, error) {
	k := state{fragments: make(map[string]change.Fragment)}
	from, end := e.Config.Prefix, clientv3.GetPrefixRangeEnd(e.Config.Prefix)
	for {
		page, err := e.page(ctx, client, from, end, k.revision)
		if err != nil {
			return state{}, err
		}
		if k.revision == 0 {
			k.revision = page.Header.Revision
		}
		fragments, err := e.fragmentsOf(ctx, client, page.Kvs)
		if err != nil {
			return state{}, err
		}
		for _, f := range fragments {
			k.fragments[f.Key], from = f, f.Key+"\x00"
		}
		if !page.More {
			delete(k.fragments, e.Config.Key(markName))
			return k, nil
		}
	}
}

// page lists some keys, from one on.
func (e *Source) page(
	ctx context.Context, client *clientv3.Client, from, end string, revision int64,
) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, e.Config.Timeout)
	defer cancel()
	return client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(pageKeys), clientv3.WithRev(revision))
}

func fragmentOf(kv *mvccpb.KeyValue) change.Fragment {
	return change.Fragment{Key: string(kv.Key), Text: string(kv.Value), Created: kv.CreateRevision}
}
