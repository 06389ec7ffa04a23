package change

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Fragments are all that there are. Each is read when it is needed. Those that have
// a mistake, and those that [Fragments.Exclude] excludes, declare nothing.
type Fragments struct {
	reader   *definition.Reader // of the zones
	byKey    map[string]*Fragment
	sorted   []*Fragment // the oldest first, or nil if it must be made
	excluded fragmentSet
	unread   fragmentSet // excluded for good

	owners, targets nameIndex        // of the names that they declare, and that they point to
	cuts            definition.Names // names with NS records, and those that had some
}

// NewFragments returns no fragments; relative names in those that are added are in zones.
func NewFragments(zones definition.Zones) *Fragments {
	return &Fragments{
		reader: definition.NewReader(zones), byKey: make(map[string]*Fragment),
		excluded: make(fragmentSet), unread: make(fragmentSet),
		owners: make(nameIndex), targets: make(nameIndex), cuts: definition.Names{},
	}
}

// Len returns how many there are, and how many of them are excluded.
func (f *Fragments) Len() (all, excluded int) { return len(f.byKey), len(f.excluded) }

// All goes through all, the oldest first.
func (f *Fragments) All() iter.Seq[*Fragment] {
	if f.sorted == nil {
		f.sorted = slices.SortedFunc(maps.Values(f.byKey), (*Fragment).Compare)
	}
	return slices.Values(f.sorted)
}

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

// Apply edits the fragments. It returns the names whose declarations change with that,
// and perhaps some more, and the mistakes in new fragments. A new one without a mistake
// is not excluded.
func (f *Fragments) Apply(edits []Edit) (changed definition.Names, errs definition.Errors) {
	changed = definition.Names{}
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

func (f *Fragments) add(fragment Fragment) (definition.Names, definition.Errors) {
	added := &fragment
	f.byKey[added.Key], f.sorted = added, nil
	set, errs := f.Read(added)
	if len(errs) > 0 {
		f.unread[added], f.excluded[added] = true, true
	}
	addCuts(f.cuts, set)
	owners := set.Owners()
	f.owners.add(owners, added)
	f.targets.add(set.Targets(), added)
	return owners, errs
}

func (f *Fragments) remove(old *Fragment) definition.Names {
	set, _ := f.Read(old)
	owners := set.Owners()
	f.owners.remove(owners, old)
	f.targets.remove(set.Targets(), old)
	delete(f.byKey, old.Key)
	f.sorted = nil
	delete(f.excluded, old)
	delete(f.unread, old)
	return owners
}

// maxRecords is how many records a fragment may declare. A statement declares the product
// of its names and hosts: ten kilobytes may be millions, which would keep all servers busy
// for minutes.
const maxRecords = 100_000

// Read reads one. Of what has a mistake in it nothing is declared.
func (f *Fragments) Read(one *Fragment) (*definition.Set, definition.Errors) {
	set, errs := f.readInto(new(definition.Set), one)
	if n := set.Size(); len(errs) == 0 && n > maxRecords {
		text := fmt.Sprintf("%d records in one fragment: write at most %d, and the others in further fragments",
			n, maxRecords)
		errs = definition.Errors{{Pos: one.pos(), ID: definition.ValueOutOfRange, Text: text}}
	}
	if len(errs) > 0 {
		return new(definition.Set), errs
	}
	return set, nil
}

func (f *Fragments) readInto(set *definition.Set, one *Fragment) (*definition.Set, definition.Errors) {
	r := f.reader.Into(set)
	r.Text(one.pos(), one.Text, nil)
	return r.Set()
}

// Owners returns the names that a fragment declares something of.
func (f *Fragments) Owners(one *Fragment) definition.Names {
	set, _ := f.Read(one)
	return set.Owners()
}

// Exclude excludes a fragment, or readmits it if it has no mistake.
func (f *Fragments) Exclude(one *Fragment, excluded bool) {
	if excluded {
		f.excluded[one] = true
	} else if !f.unread[one] {
		delete(f.excluded, one)
	}
}

// IsExcluded reports whether a fragment is excluded.
func (f *Fragments) IsExcluded(one *Fragment) bool { return f.excluded[one] }

// Excluded returns those that are excluded, the oldest first.
func (f *Fragments) Excluded() []*Fragment { return f.excluded.byAge() }

// ExcludedAbout returns those that are excluded and declare one of some names, or point
// to one of others, the oldest first.
func (f *Fragments) ExcludedAbout(declaring, pointing definition.Names) []*Fragment {
	if len(f.excluded) == 0 {
		return nil
	}
	about := make(fragmentSet)
	add := func(one *Fragment) { about[one] = true }
	for name := range declaring {
		f.owners.at(name).among(f.excluded, add)
	}
	for name := range pointing {
		f.targets.at(name).among(f.excluded, add)
	}
	return about.byAge()
}

// ReadAll adds to a set what is declared, the oldest first.
func (f *Fragments) ReadAll(s *definition.Set) {
	for one := range f.All() {
		if !f.excluded[one] {
			f.readInto(s, one)
		}
	}
}

// Declaring implements [Store].
func (f *Fragments) Declaring(names definition.Names) (*definition.Set, bool) {
	s, ok := f.about(names, f.owners)
	if !ok {
		return nil, false
	}
	return s.Declaring(names), true
}

// Pointing implements [Store].
func (f *Fragments) Pointing(at definition.Names) (*definition.Set, bool) {
	s, ok := f.about(at, f.targets)
	if !ok {
		return nil, false
	}
	return s.Pointing(at), true
}

// Apexes implements [Store]: only a Corefile declares any.
func (f *Fragments) Apexes() []definition.Apex { return nil }

// Cuts implements [Store].
func (f *Fragments) Cuts() definition.Names { return f.cuts }

// about reads the fragments that are in an index with one of some names.
func (f *Fragments) about(names definition.Names, index nameIndex) (*definition.Set, bool) {
	found := make(fragmentSet)
	for name := range names {
		for one := range index.at(name).all {
			if !f.excluded[one] {
				found[one] = true
			}
			if len(found) > maxFound {
				return nil, false
			}
		}
	}
	s := new(definition.Set)
	for _, one := range found.byAge() {
		f.readInto(s, one)
	}
	return s, true
}
