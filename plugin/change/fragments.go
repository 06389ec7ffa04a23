package change

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Fragments are all that there are. Each is read when it is needed. One with a mistake declares nothing, and what
// [Fragments.Exclude] excludes is not declared: names of a fragment, or all of them.
type Fragments struct {
	reader   *definition.Reader // of the zones
	byKey    map[string]*Fragment
	sorted   []*Fragment // the oldest first, or nil if it must be made
	unread   fragmentSet
	excluded Exclusions

	owners, targets nameIndex // of the names that they declare, and that they point to
}

// Exclusions are the names of which fragments declare something that is not served.
type Exclusions map[*Fragment]definition.Names

// All goes through them.
func (x Exclusions) All(yield func(*Fragment, definition.Name) bool) {
	for one, names := range x {
		for name := range names {
			if !yield(one, name) {
				return
			}
		}
	}
}

// NewFragments returns no fragments; relative names in those that are added are in zones.
func NewFragments(zones definition.Zones) *Fragments {
	reader := definition.NewReader(zones)
	reader.LimitRecords(maxRecords)
	return &Fragments{
		reader: reader, byKey: make(map[string]*Fragment),
		excluded: make(Exclusions), unread: make(fragmentSet),
		owners: make(nameIndex), targets: make(nameIndex),
	}
}

// Len returns how many there are, and of how many something is not served.
func (f *Fragments) Len() (all, excluded int) { return len(f.byKey), len(f.unread) + len(f.excluded) }

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
// and perhaps some more, and the mistakes in new fragments. Of a new one nothing is excluded.
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
		f.unread[added] = true
	}
	owners := ownersOf(set)
	f.owners.add(owners, added)
	f.targets.add(set.Targets(), added)
	return owners, errs
}

func (f *Fragments) remove(old *Fragment) definition.Names {
	set, _ := f.Read(old)
	owners := ownersOf(set)
	f.owners.remove(owners, old)
	f.targets.remove(set.Targets(), old)
	delete(f.byKey, old.Key)
	f.sorted = nil
	delete(f.excluded, old)
	delete(f.unread, old)
	return owners
}

// ownersOf returns the names of which a set declares something, those that srv publishes too.
func ownersOf(set *definition.Set) definition.Names {
	names := set.Owners()
	for _, m := range set.Mails {
		if smtp, err := definition.SMTPName(m.Owner); err == nil && m.SRV {
			names[smtp] = true
		}
	}
	return names
}

// maxRecords is how many records a fragment may declare. They are counted from its words.
const maxRecords = 100_000

// Read reads one, whatever is excluded. Of what has a mistake in it nothing is declared.
func (f *Fragments) Read(one *Fragment) (*definition.Set, definition.Errors) {
	set, errs := f.readInto(new(definition.Set), one)
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

func (f *Fragments) readWhole(set *definition.Set, one *Fragment) { f.readInto(set, one) }

// readServed adds to a set what one declares that is not excluded.
func (f *Fragments) readServed(set *definition.Set, one *Fragment) {
	if excluded := f.excluded[one]; excluded != nil {
		own, _ := f.Read(one)
		set.Add(own.Without(excluded))
		return
	}
	f.readInto(set, one)
}

// Exclude excludes what a fragment declares of a name, or readmits it.
func (f *Fragments) Exclude(one *Fragment, name definition.Name, excluded bool) {
	names := f.excluded[one]
	switch {
	case !excluded:
		if delete(names, name); len(names) == 0 {
			delete(f.excluded, one)
		}
	case names == nil:
		f.excluded[one] = definition.Names{name: true}
	default:
		names[name] = true
	}
}

// ExcludedAt goes through the fragments of which what they declare of a name is excluded.
func (f *Fragments) ExcludedAt(name definition.Name) iter.Seq[*Fragment] {
	return func(yield func(*Fragment) bool) {
		for one := range f.owners.at(name).all {
			if f.excluded[one][name] && !yield(one) {
				return
			}
		}
	}
}

// Excluded returns what is excluded, of fragments without a mistake. It is shared, and not to be changed.
func (f *Fragments) Excluded() Exclusions { return f.excluded }

// ReadmitAll readmits everything, and returns what was excluded.
func (f *Fragments) ReadmitAll() Exclusions {
	was := f.excluded
	f.excluded = make(Exclusions)
	return was
}

// Has reports whether a fragment declares something of a name, excluded or not. It compares hashes of 32 bits: if
// fragments declare a million names, it also returns true for one other name in about 4000.
func (f *Fragments) Has(name definition.Name) bool {
	_, ok := f.owners[hash(name)]
	return ok
}

// ReadAll adds to a set what is declared, the oldest first.
func (f *Fragments) ReadAll(s *definition.Set) {
	for one := range f.All() {
		if !f.unread[one] {
			f.readServed(s, one)
		}
	}
}

// Declaring implements [Store].
func (f *Fragments) Declaring(names definition.Names) (*definition.Set, bool) {
	served := func(one *Fragment, name definition.Name) bool { return !f.excluded[one][name] }
	set, ok := read(f.owners.find(names, served), f.readServed)
	return set.Declaring(names), ok
}

// Pointing implements [Store].
func (f *Fragments) Pointing(at definition.Names) (*definition.Set, bool) {
	set, ok := read(f.targets.find(at, nil), f.readServed)
	return set.Pointing(at), ok
}

// Apexes implements [Store]: only a Corefile declares any.
func (f *Fragments) Apexes() []definition.Apex { return nil }

// Cuts implements [Store]: fragments do not delegate, see package admit.
func (f *Fragments) Cuts() definition.Names { return nil }

// read reads some fragments, the oldest first. It returns false, and nothing, if they are too many.
func read(some fragmentSet, readInto func(*definition.Set, *Fragment)) (*definition.Set, bool) {
	set := new(definition.Set)
	if len(some) > maxFound {
		return set, false
	}
	for _, one := range some.byAge() {
		readInto(set, one)
	}
	return set, true
}
