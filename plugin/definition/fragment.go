package definition

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// A Fragment is a small text of definitions that comes and goes on its own: the
// value of a key in etcd.
type Fragment struct {
	Key     string
	Text    string
	Created int64 // revision at which the key came to be: of two that contradict each other the younger yields
}

// Source names the fragment in positions. A key may hold anything, and must not make
// lines of its own in a log.
func (f *Fragment) Source() string {
	quoted := strconv.Quote(f.Key)
	if plain := quoted[1 : len(quoted)-1]; plain == f.Key {
		return fragmentSource + plain
	}
	return fragmentSource + quoted
}

const fragmentSource = "etcd:"

// Compare orders fragments by age, the oldest first.
func (f *Fragment) Compare(g *Fragment) int {
	return cmp.Or(cmp.Compare(f.Created, g.Created), cmp.Compare(f.Key, g.Key))
}

// An Edit puts a fragment, in place of one of the same key if there is one, or
// takes it away.
type Edit struct {
	Fragment
	Gone bool
}

// Fragments are all that there are. Each is read when it is needed. Those that have
// a mistake, and those that somebody else wants so, are left out: they declare
// nothing.
//
// It is for one goroutine.
type Fragments struct {
	zones   Zones
	zoneSet ZoneSet
	byKey   map[string]*Fragment
	byAge   []*Fragment
	out     map[*Fragment]bool
	unread  map[*Fragment]bool // left out for good

	// Fragments by hashes of the names that they declare, and that they point to.
	owners, hosts map[uint32][]*Fragment
}

// NewFragments returns that there are none; relative names in some that come are
// in zones.
func NewFragments(zones Zones) *Fragments {
	return &Fragments{
		zones: zones, zoneSet: zones.Set(), byKey: make(map[string]*Fragment),
		out: make(map[*Fragment]bool), unread: make(map[*Fragment]bool),
		owners: make(map[uint32][]*Fragment), hosts: make(map[uint32][]*Fragment),
	}
}

// Len returns how many there are, and how many of them are left out.
func (f *Fragments) Len() (all, out int) { return len(f.byAge), len(f.out) }

// All goes through all, the oldest first.
func (f *Fragments) All() iter.Seq[*Fragment] { return slices.Values(f.byAge) }

// Of returns the fragment that a position names, or nil.
func (f *Fragments) Of(source string) *Fragment {
	if f == nil {
		return nil
	}
	key, ok := strings.CutPrefix(source, fragmentSource)
	if !ok {
		return nil
	}
	if strings.HasPrefix(key, `"`) {
		key, _ = strconv.Unquote(key)
	}
	return f.byKey[key]
}

// Apply edits the fragments. It returns the names of which they declare something
// else then, and perhaps some more, and the mistakes in those that have come. One
// without is not left out.
func (f *Fragments) Apply(edits []Edit) (changed Names, errs Errors) {
	changed = Names{}
	for i := range edits {
		e := &edits[i]
		if old := f.byKey[e.Key]; old != nil {
			if !e.Gone && *old == e.Fragment {
				continue
			}
			changed.Add(f.remove(old))
		}
		if !e.Gone {
			names, mistakes := f.add(e.Fragment)
			changed.Add(names)
			errs = append(errs, mistakes...)
		}
	}
	return changed, errs
}

func (f *Fragments) add(fragment Fragment) (Names, Errors) {
	added := &fragment
	f.byKey[added.Key] = added
	i, _ := slices.BinarySearchFunc(f.byAge, added, (*Fragment).Compare)
	f.byAge = slices.Insert(f.byAge, i, added)
	set, errs := f.Read(added)
	if len(errs) > 0 {
		f.unread[added], f.out[added] = true, true
	}
	owners := set.owners()
	for name := range owners {
		f.owners[hash(name)] = append(f.owners[hash(name)], added)
	}
	for name := range set.pointed() {
		f.hosts[hash(name)] = append(f.hosts[hash(name)], added)
	}
	return owners, errs
}

func (f *Fragments) remove(old *Fragment) Names {
	set, _ := f.Read(old)
	owners := set.owners()
	forget(f.owners, owners, old)
	forget(f.hosts, set.pointed(), old)
	i, _ := slices.BinarySearchFunc(f.byAge, old, (*Fragment).Compare)
	f.byAge = slices.Delete(f.byAge, i, i+1)
	delete(f.byKey, old.Key)
	delete(f.out, old)
	delete(f.unread, old)
	return owners
}

func forget(index map[uint32][]*Fragment, names Names, old *Fragment) {
	for name := range names {
		h := hash(name)
		left := slices.DeleteFunc(index[h], func(f *Fragment) bool { return f == old })
		if len(left) == 0 {
			delete(index, h)
		} else {
			index[h] = left
		}
	}
}

// mostRecords is how many records a fragment may declare. A line declares the product of
// its names and hosts: ten kilobytes may be millions, for which all servers would
// work for minutes.
const mostRecords = 100_000

// Read reads one. Of what has a mistake in it nothing is declared.
func (f *Fragments) Read(one *Fragment) (*Set, Errors) {
	set := new(Set)
	errs := f.read(one, set)
	if n := set.records(); len(errs) == 0 && n > mostRecords {
		errs = tooMany(one, n)
	}
	if len(errs) > 0 {
		return new(Set), errs
	}
	return set, nil
}

func tooMany(one *Fragment, records int) Errors {
	text := fmt.Sprintf("%d records in one fragment: write at most %d, and the others in further fragments", records, mostRecords)
	return Errors{{Pos{one.Source(), 1}, ValueOutOfRange, text}}
}

// records returns how many records are declared, names by hosts or addresses.
func (s *Set) records() int {
	n := len(s.Aliases)
	for i := range s.Hosts {
		n += len(s.Hosts[i].Addrs)
	}
	for i := range s.Mails {
		n += max(len(s.Mails[i].Exchanges), 1)
	}
	for i := range s.Services {
		n += max(len(s.Services[i].Targets), 1)
	}
	return n
}

func (f *Fragments) read(one *Fragment, set *Set) Errors {
	t := NewText(one.Source(), one.Text, f.zones)
	t.zoneSet = f.zoneSet
	return t.Read(set)
}

// Owners returns the names that a fragment declares something of.
func (f *Fragments) Owners(one *Fragment) Names {
	set, _ := f.Read(one)
	return set.owners()
}

// LeaveOut leaves a fragment out, or does so no more if it has no mistake.
func (f *Fragments) LeaveOut(one *Fragment, out bool) {
	if out {
		f.out[one] = true
	} else if !f.unread[one] {
		delete(f.out, one)
	}
}

// IsOut reports whether a fragment is left out.
func (f *Fragments) IsOut(one *Fragment) bool { return f.out[one] }

// Out returns those that are left out, the oldest first.
func (f *Fragments) Out() []*Fragment { return sortedByAge(f.out) }

func sortedByAge(some map[*Fragment]bool) []*Fragment {
	sorted := make([]*Fragment, 0, len(some))
	for one := range some {
		sorted = append(sorted, one)
	}
	slices.SortFunc(sorted, (*Fragment).Compare)
	return sorted
}

// OutAbout returns those that are left out and declare one of some names, or point
// to one of others.
func (f *Fragments) OutAbout(declaring, pointing Names) []*Fragment {
	if len(f.out) == 0 {
		return nil
	}
	about := make(map[*Fragment]bool)
	for name := range declaring {
		f.addOut(about, f.owners[hash(name)])
	}
	for name := range pointing {
		f.addOut(about, f.hosts[hash(name)])
	}
	return sortedByAge(about)
}

func (f *Fragments) addOut(to map[*Fragment]bool, some []*Fragment) {
	for _, one := range some {
		if f.out[one] {
			to[one] = true
		}
	}
}

// ReadAll adds to a set what is declared, in the order of age.
func (f *Fragments) ReadAll(s *Set) {
	for _, one := range f.byAge {
		if !f.out[one] {
			f.read(one, s)
		}
	}
}

// declaring implements Store.
func (f *Fragments) declaring(names Names) (*Set, bool) {
	s, ok := f.about(names, f.owners)
	if !ok {
		return nil, false
	}
	return s.declaring(names)
}

// pointing implements Store.
func (f *Fragments) pointing(at Names) (*Set, bool) {
	s, ok := f.about(at, f.hosts)
	if !ok {
		return nil, false
	}
	return s.pointing(at)
}

func (f *Fragments) apexes() []Apex { return nil }

// about reads the fragments that are in an index with one of some names.
func (f *Fragments) about(names Names, index map[uint32][]*Fragment) (*Set, bool) {
	found := make(map[*Fragment]bool)
	for name := range names {
		for _, one := range index[hash(name)] {
			if !f.out[one] {
				found[one] = true
			}
		}
		if len(found) > mostFound {
			return nil, false
		}
	}
	s := new(Set)
	for _, one := range sortedByAge(found) {
		f.read(one, s)
	}
	return s, true
}
