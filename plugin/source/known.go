package source

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A knowledge is the last that is known of the fragments of a place, by key, and
// the revision they are of.
type knowledge struct {
	fragments map[string]definition.Fragment // nil: nothing is known yet
	revision  int64
}

// edits returns all that is known, as edits of nothing.
func (k knowledge) edits() []definition.Edit {
	edits := make([]definition.Edit, 0, len(k.fragments))
	for _, f := range k.fragments {
		edits = append(edits, definition.Edit{Fragment: f})
	}
	sortEdits(edits)
	return edits
}

// sortEdits sorts by what decides of two fragments that contradict each other, and
// what is gone before all.
func sortEdits(edits []definition.Edit) {
	stays := func(e definition.Edit) int {
		if e.Gone {
			return 0
		}
		return 1
	}
	slices.SortFunc(edits, func(a, b definition.Edit) int {
		return cmp.Or(stays(a)-stays(b), cmp.Compare(a.Created, b.Created), strings.Compare(a.Key, b.Key))
	})
}

// A memory holds a knowledge. It is safe for concurrent use, for another source of
// the place may go on with it.
type memory struct {
	mu      sync.Mutex
	known   knowledge
	changes int // how often it has changed
}

// learn puts what is known now in place of what was known before, and returns how
// often that has changed.
func (m *memory) learn(k knowledge) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = k
	m.changes++
	return m.changes
}

// change makes edits, and returns those that make a difference. It returns false
// if there is none, and the revision is the same too.
func (m *memory) change(edits []definition.Edit, revision int64) ([]definition.Edit, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	news := m.known.fragments == nil || m.known.revision != revision
	if m.known.fragments == nil {
		m.known.fragments = make(map[string]definition.Fragment)
	}
	edits = slices.DeleteFunc(edits, func(e definition.Edit) bool { return !m.edit(e) })
	m.known.revision = revision
	if news = news || len(edits) > 0; news {
		m.changes++
	}
	return edits, news
}

// edit reports whether an edit makes a difference.
func (m *memory) edit(e definition.Edit) bool {
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
func (m *memory) difference(k knowledge) []definition.Edit {
	m.mu.Lock()
	defer m.mu.Unlock()
	var edits []definition.Edit
	for key := range m.known.fragments {
		if _, there := k.fragments[key]; !there {
			edits = append(edits, definition.Edit{Fragment: definition.Fragment{Key: key}, Gone: true})
		}
	}
	for key, f := range k.fragments {
		if m.known.fragments[key] != f {
			edits = append(edits, definition.Edit{Fragment: f})
		}
	}
	sortEdits(edits)
	return edits
}

func (m *memory) revision() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known.revision
}

// copy returns what is known, and how often that has changed.
func (m *memory) copy() (knowledge, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return knowledge{maps.Clone(m.known.fragments), m.known.revision}, m.changes
}

// memories are those of the process, by place: when CoreDNS reloads its Corefile
// while etcd is away, the new instance must know what the old one does. They are
// held weakly, for nobody says of an instance that does not start that it is gone.
var memories struct {
	sync.Mutex
	at map[string][]weak.Pointer[memory]
}

// remember makes a memory known to others of its place.
func (m *memory) remember(place string) {
	memories.Lock()
	defer memories.Unlock()
	if memories.at == nil {
		memories.at = make(map[string][]weak.Pointer[memory])
	}
	p := weak.Make(m)
	living := slices.DeleteFunc(memories.at[place], func(q weak.Pointer[memory]) bool { return q == p || q.Value() == nil })
	memories.at[place] = append(living, p)
}

// lastKnown returns a copy of the newest knowledge of a place.
func lastKnown(place string) knowledge {
	memories.Lock()
	defer memories.Unlock()
	var newest *memory
	for _, p := range memories.at[place] {
		if m := p.Value(); m != nil && (newest == nil || m.revision() > newest.revision()) {
			newest = m
		}
	}
	if newest == nil {
		return knowledge{}
	}
	k, _ := newest.copy()
	return k
}
