package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A Change puts or deletes a fragment that has been judged at a revision.
type Change struct {
	change.Edit
	Before Entry         // what it was then; the zero value if it did not exist
	For    time.Duration // after which etcd deletes what is put; 0: never. Those of one commit have the same
}

// MaxChanges is how many changes one transaction may have: by default etcd takes 128 operations.
const MaxChanges = 100

// Commit makes changes in one transaction, and returns its revision. If any of the fragments has been changed since it
// was judged, nothing is written, and Commit returns the keys of these.
func (s *Store) Commit(changes []Change) (revision int64, conflicts []string, err error) {
	ctx, cancel := s.timeout(context.Background())
	defer cancel()
	lease, err := s.leaseFor(ctx, changes)
	if err != nil {
		return 0, nil, s.failure(err)
	}
	var unchanged []clientv3.Cmp
	var write, read []clientv3.Op
	for _, c := range changes {
		unchanged = append(unchanged, clientv3.Compare(clientv3.ModRevision(c.Key), "=", c.Before.Revision))
		read = append(read, clientv3.OpGet(c.Key))
		if c.Gone {
			write = append(write, clientv3.OpDelete(c.Key))
		} else {
			write = append(write, clientv3.OpPut(c.Key, c.Text, clientv3.WithLease(lease)))
		}
	}
	r, err := s.client.Txn(ctx).If(unchanged...).Then(write...).Else(read...).Commit()
	if err != nil {
		return 0, nil, s.failure(err)
	}
	if !r.Succeeded {
		conflicts = changed(changes, r)
	}
	return r.Header.Revision, conflicts, nil
}

// leaseFor returns a lease that ends when what changes put is to go, or none. Where nothing is put then, it ends unused.
func (s *Store) leaseFor(ctx context.Context, changes []Change) (clientv3.LeaseID, error) {
	i := slices.IndexFunc(changes, func(c Change) bool { return c.For > 0 })
	if i < 0 {
		return clientv3.NoLease, nil
	}
	lease, err := s.client.Grant(ctx, int64((changes[i].For+time.Second-1)/time.Second))
	if err != nil {
		return clientv3.NoLease, err
	}
	return lease.ID, nil
}

// changed returns the keys that have another revision than they had, by the answers to a read of each.
func changed(changes []Change, r *clientv3.TxnResponse) (keys []string) {
	for i, c := range changes {
		now := int64(0)
		for _, kv := range r.Responses[i].GetResponseRange().Kvs {
			now = kv.ModRevision
		}
		if now != c.Before.Revision {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

// apply returns the fragments sorted by key as they are after some changes.
func apply(entries []Entry, changes []Change) []change.Fragment {
	changed := map[string]bool{}
	var after []change.Fragment
	for _, c := range changes {
		changed[c.Key] = true
		if !c.Gone {
			after = append(after, c.Fragment)
		}
	}
	for _, e := range entries {
		if !changed[e.Key] {
			after = append(after, e.Fragment)
		}
	}
	slices.SortFunc(after, func(a, b change.Fragment) int { return cmp.Compare(a.Key, b.Key) })
	return after
}

// Fragments returns the fragments of entries.
func Fragments(entries []Entry) []change.Fragment { return apply(entries, nil) }

// Excluded returns, by key, the errors for which a server block excludes fragments.
func (s *Store) Excluded(entries []Entry) map[string][]lint.Finding {
	excluded := map[string][]lint.Finding{}
	for _, sim := range s.Simulators {
		for key, why := range sim.Simulate(Fragments(entries)).Excluded {
			excluded[key] = append(excluded[key], why...)
		}
	}
	return excluded
}

// Served returns what each server block serves after changes.
func (s *Store) Served(entries []Entry, changes []Change) (indexes []*definition.Index) {
	fragments := apply(entries, changes)
	for _, sim := range s.Simulators {
		indexes = append(indexes, sim.Simulate(fragments).Index)
	}
	return indexes
}

// Consequences returns what is wrong with the fragments that changes put, and what becomes wrong with others. The
// errors among these are why fragments are excluded then.
func (s *Store) Consequences(entries []Entry, changes []Change) (findings []lint.Finding) {
	for _, sim := range s.Simulators {
		findings = append(findings, sim.consequences(entries, changes)...)
	}
	return findings
}

// CheckAlone returns the errors for which a server block excludes a fragment whatever else is declared. Which of its zones
// are authoritative does count: wildcards are for these.
func (s *Store) CheckAlone(f change.Fragment) (findings []lint.Finding) {
	for _, sim := range s.Simulators {
		alone := *sim
		alone.Declared, alone.Errs = &definition.Set{Apexes: sim.Declared.Apexes}, nil
		findings = slices.Concat(findings, alone.Simulate([]change.Fragment{f}).Excluded[f.Key], sim.relative(f))
	}
	return findings
}

// Exclusions returns, by key, why servers exclude names of the fragments that changes put, and names of others that they
// do not exclude now. Other than for Consequences, targets may be missing where servers allow that.
func (s *Store) Exclusions(entries []Entry, changes []Change) map[string][]lint.Finding {
	put := map[string]bool{}
	for _, c := range changes {
		put[c.Key] = !c.Gone
	}
	excluded := map[string][]lint.Finding{}
	for _, sim := range s.Simulators {
		before, after := sim.Simulate(Fragments(entries)), sim.Simulate(apply(entries, changes))
		for key := range after.lost {
			if why := after.newlyExcluded(key, before, put[key]); why != nil {
				excluded[key] = append(excluded[key], why...)
			}
		}
	}
	return excluded
}
