package etcd

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// A state is the last that is known of the fragments of a place, by key, and the revision they are of.
type state struct {
	fragments map[string]change.Fragment // nil: nothing is known yet
	revision  int64
}

// since returns the edits that lead from before to k.
func (k state) since(before state) []change.Edit {
	edits := make([]change.Edit, 0, max(0, len(k.fragments)-len(before.fragments)))
	for key := range before.fragments {
		if _, there := k.fragments[key]; !there {
			edits = append(edits, change.Edit{Fragment: change.Fragment{Key: key}, Gone: true})
		}
	}
	for key, f := range k.fragments {
		if before.fragments[key] != f {
			edits = append(edits, change.Edit{Fragment: f})
		}
	}
	sortEdits(edits)
	return edits
}

// sortEdits sorts by what decides of two fragments that contradict each other, and what is gone before all.
func sortEdits(edits []change.Edit) {
	stays := func(e change.Edit) int {
		if e.Gone {
			return 0
		}
		return 1
	}
	slices.SortFunc(edits, func(a, b change.Edit) int {
		return cmp.Or(stays(a)-stays(b), cmp.Compare(a.Created, b.Created), strings.Compare(a.Key, b.Key))
	})
}

// A cache holds a state. It is safe for concurrent use, for another source of the place may go on with it.
type cache struct {
	mu      sync.Mutex
	known   state
	changes int // how often it has changed
}

// replace puts what is known now in place of what was known before, and returns how often that has changed.
func (m *cache) replace(k state) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = k
	m.changes++
	return m.changes
}

// change makes edits, and returns those that make a difference. It returns false
// if there is none, and the revision is the same too.
func (m *cache) change(edits []change.Edit, revision int64) ([]change.Edit, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	news := m.known.fragments == nil || m.known.revision != revision
	if m.known.fragments == nil {
		m.known.fragments = make(map[string]change.Fragment)
	}
	edits = slices.DeleteFunc(edits, func(e change.Edit) bool { return !m.edit(e) })
	m.known.revision = revision
	if news = news || len(edits) > 0; news {
		m.changes++
	}
	return edits, news
}

// edit reports whether an edit makes a difference.
func (m *cache) edit(e change.Edit) bool {
	before, there := m.known.fragments[e.Key]
	switch {
	case e.Gone:
		delete(m.known.fragments, e.Key)
		return there
	case there && before == e.Fragment:
		return false
	}
	m.known.fragments[e.Key] = e.Fragment
	return true
}

// difference returns the edits that lead from what is known to k.
func (m *cache) difference(k state) []change.Edit {
	m.mu.Lock()
	defer m.mu.Unlock()
	return k.since(m.known)
}

func (m *cache) revision() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known.revision
}

// copy returns what is known, and how often that has changed.
func (m *cache) copy() (state, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return state{maps.Clone(m.known.fragments), m.known.revision}, m.changes
}

// caches are those of the process, by place: when CoreDNS reloads its Corefile
// while etcd is away, the new instance must know what the old one does. They are
// held weakly, for nobody says of an instance that does not start that it is gone.
var caches struct {
	sync.Mutex
	at map[string][]weak.Pointer[cache]
}

// remember makes a cache known to others of its place.
func (m *cache) remember(place string) {
	caches.Lock()
	defer caches.Unlock()
	if caches.at == nil {
		caches.at = make(map[string][]weak.Pointer[cache])
	}
	p := weak.Make(m)
	living := slices.DeleteFunc(caches.at[place], func(q weak.Pointer[cache]) bool { return q == p || q.Value() == nil })
	caches.at[place] = append(living, p)
}

// latest returns a copy of the newest state of a place.
func latest(place string) state {
	caches.Lock()
	defer caches.Unlock()
	var newest *cache
	for _, p := range caches.at[place] {
		if m := p.Value(); m != nil && (newest == nil || m.revision() > newest.revision()) {
			newest = m
		}
	}
	if newest == nil {
		return state{}
	}
	k, _ := newest.copy()
	return k
}
