package main

import (
	"cmp"
	"context"
	"fmt"
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A change is what is to be done to a fragment, as it was when that was judged.
type change struct {
	plugchange.Edit
	before int64 // revision of its last change; 0 if it was not there
}

// after returns the fragments as they are once changes are done.
func after(all []kept, changes []change) []plugchange.Fragment {
	done := map[string]bool{}
	var put []plugchange.Fragment
	for _, c := range changes {
		done[c.Key] = true
		if !c.Gone {
			put = append(put, c.Fragment)
		}
	}
	for _, k := range all {
		if !done[k.Key] {
			put = append(put, k.Fragment)
		}
	}
	slices.SortFunc(put, func(a, b plugchange.Fragment) int { return cmp.Compare(a.Key, b.Key) })
	return put
}

// change does changes, if servers would serve all that they serve now, and what is
// put; or if it is forced.
func (s *store) change(u *ui, all []kept, changes []change, force bool) error {
	if len(changes) == 0 {
		return nil
	}
	findings := s.consequences(all, changes)
	printFindings(u, findings)
	if n := count(findings, lint.Error); n > 0 && !force {
		u.note("nothing is written, for %s; --force writes all the same", plural(n, "error"))
		return errNotFine
	}
	for part := range slices.Chunk(changes, atOnce) {
		if err := s.commit(u, part); err != nil {
			return err
		}
	}
	return nil
}

// atOnce is how many changes are one transaction: etcd takes 128 operations if
// nobody says otherwise.
const atOnce = 100

// commit does changes in one step, unless one of the fragments is another by now
// than it was.
func (s *store) commit(u *ui, changes []change) error {
	var as []clientv3.Cmp
	var do, otherwise []clientv3.Op
	for _, c := range changes {
		as = append(as, clientv3.Compare(clientv3.ModRevision(c.Key), "=", c.before))
		otherwise = append(otherwise, clientv3.OpGet(c.Key))
		if c.Gone {
			do = append(do, clientv3.OpDelete(c.Key))
		} else {
			do = append(do, clientv3.OpPut(c.Key, c.Text))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
	defer cancel()
	r, err := s.client.Txn(ctx).If(as...).Then(do...).Else(otherwise...).Commit()
	if err != nil {
		return s.failure(err)
	}
	if !r.Succeeded {
		return outrun(u, changes, r)
	}
	for _, c := range changes {
		gone := ""
		if c.Gone {
			gone = ": withdraws " + s.withdrawn(c.Fragment)
		}
		u.line("%s, revision %d%s", c, r.Header.Revision, gone)
	}
	return nil
}

// outrun says which fragments somebody else has changed after they were judged.
func outrun(u *ui, changes []change, r *clientv3.TxnResponse) error {
	for i, c := range changes {
		now := int64(0)
		for _, kv := range r.Responses[i].GetResponseRange().Kvs {
			now = kv.ModRevision
		}
		if now != c.before {
			u.note("%s was changed by somebody else just now: look at it, and try again", c.Key)
		}
	}
	return errNotFine
}

// String says what is done.
func (c change) String() string {
	switch {
	case c.Gone:
		return fmt.Sprintf("delete %s: deleted", c.Key)
	case c.before == 0:
		return fmt.Sprintf("put %s: created", c.Key)
	}
	return fmt.Sprintf("put %s: changed", c.Key)
}

// sameText compares texts as put stores them.
func sameText(a, b string) bool { return tidy(a) == tidy(b) }

// tidy ends a text with one line end.
func tidy(text string) string { return strings.TrimRight(text, "\n") + "\n" }
