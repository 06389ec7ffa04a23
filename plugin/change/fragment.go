package change

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Fragment is a small text of definitions that is added and removed on its own: the
// value of a key in etcd.
type Fragment struct {
	Key     string
	Text    string
	Created int64 // revision at which the key was created: of two that contradict each other the younger yields
}

// Source names the fragment in positions. A key may contain anything, so it is quoted
// where it would not be one word in one line of a log.
func (f *Fragment) Source() string {
	quoted := strconv.Quote(f.Key)
	if plain := quoted[1 : len(quoted)-1]; plain == f.Key {
		return fragmentSource + plain
	}
	return fragmentSource + quoted
}

const fragmentSource = "etcd:"

func (f *Fragment) pos() definition.Pos { return definition.Pos{Source: f.Source(), Line: 1} }

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

// A fragmentSet is some fragments.
type fragmentSet map[*Fragment]bool

// byAge returns them, the oldest first.
func (s fragmentSet) byAge() []*Fragment {
	return slices.SortedFunc(maps.Keys(s), (*Fragment).Compare)
}

// A nameIndex has fragments by hashes of the names in them. Many may name one exchange:
// adding and removing one takes the same time, however many these are.
type nameIndex map[uint32]posting

// A posting is the fragments with a name: mostly one, for which a map would take ten
// times the memory.
type posting struct {
	one  *Fragment
	more fragmentSet // all of them, if they were several
}

func (p posting) all(yield func(*Fragment) bool) {
	if p.one != nil {
		yield(p.one)
	}
	for one := range p.more {
		if !yield(one) {
			return
		}
	}
}

func (x nameIndex) add(names definition.Names, one *Fragment) {
	for name := range names {
		h := hash(name)
		switch p := x[h]; {
		case p.more != nil:
			p.more[one] = true
		case p.one != nil:
			x[h] = posting{more: fragmentSet{p.one: true, one: true}}
		default:
			x[h] = posting{one: one}
		}
	}
}

func (x nameIndex) remove(names definition.Names, one *Fragment) {
	for name := range names {
		h := hash(name)
		p := x[h]
		delete(p.more, one)
		if len(p.more) == 0 && (p.one == nil || p.one == one) {
			delete(x, h)
		}
	}
}

// at returns the fragments with a name, and perhaps some of another name.
func (x nameIndex) at(name definition.Name) posting { return x[hash(name)] }

// find returns the fragments in the index with one of some names that match, all if match is nil, or more than maxFound
// of them.
func (x nameIndex) find(names definition.Names, match func(*Fragment, definition.Name) bool) fragmentSet {
	found := make(fragmentSet)
	for name := range names {
		for one := range x.at(name).all {
			if match == nil || match(one, name) {
				found[one] = true
			}
			if len(found) > maxFound {
				return found
			}
		}
	}
	return found
}
