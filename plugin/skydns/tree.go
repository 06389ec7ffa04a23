// Package skydns reads the tree of keys that the etcd plugin of CoreDNS serves (the layout of SkyDNS) as declarations.
//
// The key /skydns/org/example/x/1 is of the name 1.x.example.org, and a name is answered with all keys below its own:
// so a [Tree] keeps the keys sorted, and declares a name from one run of them. Nothing is declared before it is asked
// for, and a changed key concerns its name and the names above it, and whatever points to these.
//
// What a name has is what the rules of definitions allow, where the etcd plugin mixes CNAME records with others:
//
//   - addresses, and those of hosts in the tree that keys name: a host;
//   - one host name and nothing else, not even a port: an alias;
//   - a target for each key with a host: a service, at any name;
//   - an exchange for each such key with mail: a mail domain;
//   - texts: TXT records. A key of its own with a host name: PTR, in reverse zones and at names with an underscore first.
//
// # Limitations
//
// A name with more than 2000 keys below it has none of these: no message has room for them, and each change of a key
// would cost all of them.
package skydns

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Tree is the keys below a path. It is a [change.Tree], for one goroutine.
type Tree struct {
	path  string
	zones definition.ZoneSet

	keys     map[string]*service // nil of those that cannot be read
	excluded int                 // of these
	sorted   []*service          // by path, then key
	pointing map[definition.Name]map[*service]bool
}

// New returns a tree without keys, of names in some zones. The path is that of all keys, and ends in "/".
func New(path string, zones definition.Zones) *Tree {
	return &Tree{
		path: path, zones: zones.Set(),
		keys: make(map[string]*service), pointing: make(map[definition.Name]map[*service]bool),
	}
}

// Len implements [change.Tree].
func (t *Tree) Len() (keys, excluded int) { return len(t.keys), t.excluded }

// Apply implements [change.Tree].
func (t *Tree) Apply(edits []change.Edit) (changed definition.Names, errs definition.Errors) {
	changed = definition.Names{}
	var added, removed []*service
	for i := range edits {
		e := &edits[i]
		if s := t.forget(e.Key); s != nil {
			removed = append(removed, s)
			t.concern(s, changed)
		}
		if e.Gone {
			continue
		}
		s, err := read(&e.Fragment, t.path)
		if t.keys[e.Key] = s; err != nil {
			t.excluded++
			errs.Add(definition.Pos{Source: e.Source(), Line: 1}, definition.Syntax, "%v", err)
			continue
		}
		added = append(added, s)
		t.concern(s, changed)
	}
	t.remove(removed)
	t.insert(added)
	return changed, errs
}

// forget forgets a key, if there is one, and returns its service, which is still in its place.
func (t *Tree) forget(key string) *service {
	s, ok := t.keys[key]
	if delete(t.keys, key); s == nil {
		if ok {
			t.excluded--
		}
		return nil
	}
	for name := range s.pointsTo {
		if delete(t.pointing[name], s); len(t.pointing[name]) == 0 {
			delete(t.pointing, name)
		}
	}
	return s
}

// few is how many services are removed or inserted one by one: a move of the rest of the list costs less than going
// through all of it, or sorting it.
const few = 16

// remove removes services from their places.
func (t *Tree) remove(removed []*service) {
	if len(removed) > few {
		gone := make(map[*service]bool, len(removed))
		for _, s := range removed {
			gone[s] = true
		}
		t.sorted = slices.DeleteFunc(t.sorted, func(s *service) bool { return gone[s] })
		return
	}
	for _, s := range removed {
		if i, ok := slices.BinarySearchFunc(t.sorted, s, compare); ok {
			t.sorted = slices.Delete(t.sorted, i, i+1)
		}
	}
}

// insert adds services in their place.
func (t *Tree) insert(added []*service) {
	for _, s := range added {
		for name := range s.pointsTo {
			if t.pointing[name] == nil {
				t.pointing[name] = make(map[*service]bool, 1)
			}
			t.pointing[name][s] = true
		}
	}
	if len(added) > few {
		t.sorted = append(t.sorted, added...)
		slices.SortFunc(t.sorted, compare)
		return
	}
	for _, s := range added {
		i, _ := slices.BinarySearchFunc(t.sorted, s, compare)
		t.sorted = slices.Insert(t.sorted, i, s)
	}
}

func compare(a, b *service) int {
	return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.key, b.key))
}

// pointsTo goes through the names that a service points to, its own excepted.
func (s *service) pointsTo(yield func(definition.Name) bool) {
	if s.target != s.name && !yield(s.target) {
		return
	}
	if s.host != "" && s.host != s.target {
		yield(s.host)
	}
}

// concern adds the names whose declarations depend on a service: its own, and those above it in the zones.
func (t *Tree) concern(s *service, names definition.Names) {
	for name := range t.upwards(s.name) {
		names[name] = true
	}
}

// upwards goes through a name and those above it, as far as they are in a zone.
func (t *Tree) upwards(name definition.Name) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for ; name != "." && t.zones.Of(name) != ""; name = name.Parent() {
			if !yield(name) {
				return
			}
		}
	}
}

// below returns the services of the keys below that of a name; or if there are none, those of the name's own key.
func (t *Tree) below(name definition.Name) []*service {
	path := pathOf(name)
	if all := t.sorted[t.search(path+"/"):t.search(path+afterSlash)]; len(all) > 0 {
		return all
	}
	return t.own(name)
}

const afterSlash = "0" // the character that comes after "/"

// own returns the services of the keys of a name itself: several, if they differ in case.
func (t *Tree) own(name definition.Name) []*service {
	path := pathOf(name)
	first := t.search(path)
	end := first
	for end < len(t.sorted) && t.sorted[end].path == path {
		end++
	}
	return t.sorted[first:end]
}

// search returns the place of the first service at or after a path.
func (t *Tree) search(path string) int {
	i, _ := slices.BinarySearchFunc(t.sorted, path, func(s *service, path string) int { return strings.Compare(s.path, path) })
	return i
}

func pathOf(name definition.Name) string {
	labels := name.Labels()
	slices.Reverse(labels)
	return strings.Join(labels, "/")
}

// Declaring implements [change.Store].
func (t *Tree) Declaring(names definition.Names) (*definition.Set, bool) {
	set := new(definition.Set)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		t.declare(set, name)
	}
	return set, true
}

// maxPointing is how many keys may point to names of a change.
const maxPointing = 4000

// Pointing implements [change.Store]. It returns what is declared of names that depend on one of some names, too: whose
// addresses are those of hosts in the tree.
func (t *Tree) Pointing(at definition.Names) (*definition.Set, bool) {
	owners, n := definition.Names{}, 0
	for name := range at {
		for _, s := range t.own(name) {
			t.concern(s, owners)
		}
		for s := range t.pointing[name] {
			t.concern(s, owners)
		}
		if n += len(t.pointing[name]); n > maxPointing {
			return nil, false
		}
	}
	return t.Declaring(owners)
}

// Apexes implements [change.Store].
func (t *Tree) Apexes() []definition.Apex { return nil }

// Cuts implements [change.Store]: NS records are at the apexes of zones alone.
func (t *Tree) Cuts() definition.Names { return nil }

// DeclareAll implements [change.Tree].
func (t *Tree) DeclareAll(set *definition.Set) {
	seen := make(definition.Names, len(t.sorted))
	set.Hosts, set.Services = slices.Grow(set.Hosts, len(t.sorted)), slices.Grow(set.Services, len(t.sorted))
	for _, s := range t.sorted {
		for name := range t.upwards(s.name) {
			if seen[name] {
				break
			}
			seen[name] = true
			t.declare(set, name)
		}
	}
}
