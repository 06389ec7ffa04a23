package definition

import (
	"cmp"
	"iter"
	"slices"
)

// An Index shows a set owner by owner. The set may not change any more.
type Index struct {
	Set *Set

	numbers map[Name]uint32 // of the owners
	names   []Name          // of the owners by number, which is in the order of declaration
	apexes  map[uint32]*Apex
	drained Names

	hosts    group[Host]
	mails    group[Mail]
	services group[Service]
	aliases  group[Alias]
	records  group[Record]
}

// An Owner is all that is declared of one name. Of the zero Owner nothing is.
type Owner struct {
	index  *Index
	number uint32
}

// Index brings the declarations of each owner together. It adds the services that mail domains with SRV publish: the
// same exchanges as _smtp._tcp, weight 0, port 25.
func (s *Set) Index() *Index {
	n := len(s.Hosts) + len(s.Mails) + len(s.Services) + len(s.Aliases) + len(s.Records)
	x := &Index{Set: s, numbers: make(map[Name]uint32, n), names: make([]Name, 0, n), apexes: make(map[uint32]*Apex)}
	for i := range s.Apexes {
		if n := x.number(s.Apexes[i].Zone); x.apexes[n] == nil { // of several the first counts
			x.apexes[n] = &s.Apexes[i]
		}
	}
	x.drained = s.Drained()
	x.hosts = groupBy(x, s.Hosts)
	x.mails = groupBy(x, s.Mails)
	x.services = groupBy(x, s.Services, x.smtp())
	x.aliases = groupBy(x, s.Aliases)
	x.records = groupBy(x, s.Records)
	x.settlePointers()
	return x
}

// number returns the number of an owner, a new one if it has none.
func (x *Index) number(n Name) uint32 {
	i, ok := x.numbers[n]
	if !ok {
		i = uint32(len(x.names))
		x.numbers[n] = i
		x.names = append(x.names, n)
	}
	return i
}

// A group is the declarations of one kind, owner after owner.
type group[D any] struct {
	all    []*D
	starts []uint32 // where those of each owner start, by number; and where the last ones end
}

// of returns those of one owner.
func (g *group[D]) of(number uint32) []*D {
	if int(number)+1 >= len(g.starts) {
		return nil
	}
	return g.all[g.starts[number]:g.starts[number+1]]
}

// filter keeps what keep returns of the declarations of each owner: a part of them, in the same memory.
func (g *group[D]) filter(keep func(owner uint32, all []*D) []*D) {
	kept, end := g.all[:0], uint32(0)
	for owner := range len(g.starts) - 1 {
		first := end
		end = g.starts[owner+1]
		kept = append(kept, keep(uint32(owner), g.all[first:end])...)
		g.starts[owner+1] = uint32(len(kept))
	}
	g.all = kept
}

// groupBy numbers the owners of declarations, and groups these by them.
func groupBy[D any, P pointerTo[D]](x *Index, lists ...[]D) (g group[D]) {
	var owners []uint32
	for _, list := range lists {
		owners = slices.Grow(owners, len(list))
		for i := range list {
			owners = append(owners, x.number(P(&list[i]).Header().Owner))
		}
	}
	if len(owners) == 0 {
		return g
	}
	g.all, g.starts = make([]*D, len(owners)), make([]uint32, len(x.names)+1)
	for _, o := range owners { // count, one owner later: the sums are the starts
		g.starts[o+1]++
	}
	for i := range x.names {
		g.starts[i+1] += g.starts[i]
	}
	next := slices.Clone(g.starts)
	for _, list := range lists {
		for i := range list {
			g.all[next[owners[0]]] = &list[i]
			next[owners[0]]++
			owners = owners[1:]
		}
	}
	return g
}

// Len returns the number of owners.
func (x *Index) Len() int { return len(x.names) }

// Numbers returns the number of each owner: 0 to Len-1 in the order of [Index.Owners].
// It is the index's own map, which is large: the caller may use it instead of a copy, and
// may add names under numbers from Len on, which the index ignores.
func (x *Index) Numbers() map[Name]uint32 { return x.numbers }

// Number returns the number of o.
func (o Owner) Number() uint32 { return o.number }

// Owners goes through all owners by number.
func (x *Index) Owners() iter.Seq[Owner] {
	return func(yield func(Owner) bool) {
		for i := range uint32(x.Len()) {
			if !yield(Owner{x, i}) {
				return
			}
		}
	}
}

// At returns what is declared of a name.
func (x *Index) At(n Name) Owner {
	if i, ok := x.numbers[n]; ok && int(i) < x.Len() {
		return Owner{x, i}
	}
	return Owner{}
}

// Name returns the name, "" if nothing is declared of it.
func (o Owner) Name() Name {
	if o.index == nil {
		return ""
	}
	return o.index.names[o.number]
}

var nothing Index

// declared returns the index, one of nothing for the zero Owner.
func (o Owner) declared() *Index { return cmp.Or(o.index, &nothing) }

// Apex returns that of the authoritative zone of this name, or nil.
func (o Owner) Apex() *Apex { return o.declared().apexes[o.number] }

// joined returns the lists of declarations as one, sorted, each item once.
func joined[D, T any](declared []D, list func(D) []T, compare func(a, b T) int) []T {
	if len(declared) == 1 {
		return list(declared[0])
	}
	var all []T
	for _, d := range declared {
		all = append(all, list(d)...)
	}
	return distinct(all, compare)
}

// distinct sorts and drops repetitions, of which the first stays.
func distinct[T any](all []T, compare func(a, b T) int) []T {
	slices.SortStableFunc(all, compare)
	return slices.Clip(slices.CompactFunc(all, func(a, b T) bool { return compare(a, b) == 0 }))
}
