package table

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A patch is what a table has beside the one that it was made from: small tables,
// one of each change, of the names that have changed and of what these refer to. Each
// name that has changed is decided by the last of them that was made for it. All others
// are in the table beneath, which stays as it is, and with it the memory that all share.
type patch struct {
	base    *Table
	names   definition.Names           // that were compiled anew, and that are held or were
	decided map[definition.Name]*Table // those, and empty non-terminals that have come or gone with them

	// below says of names that were held, and of those above them, whether base
	// holds one below that is not compiled anew: that one, or "".
	below map[definition.Name]definition.Name
}

// Patch returns the table of a set of which a part has changed since t was made:
// names are declared otherwise, or point to such a name. Index is of all that is
// declared of them, and of what they point to, and so on.
//
// The table is as one that is compiled of the whole set, and takes little more
// time and memory than the change does: of earlier changes it copies a map. With
// many names in it, it is better to compile all, some day.
func (t *Table) Patch(index *definition.Index, names definition.Names, opt Options) *Table {
	b := newBuilder(index, opt)
	b.compile()
	p := &patch{base: t, names: definition.Names{}, decided: make(map[definition.Name]*Table), below: make(map[definition.Name]definition.Name)}
	if t.patch != nil {
		p = &patch{t.patch.base, maps.Clone(t.patch.names), maps.Clone(t.patch.decided), maps.Clone(t.patch.below)}
	}
	p.decide(t, b.table, names)

	patched := *p.base
	patched.patch, patched.contents, patched.denials = p, b.table.contents, b.table.denials
	b.setSerials(opt, &patched, func(zone definition.Name) sum { return t.content(zone, b.table, names) })
	b.table.shrink(p.base)
	return &patched
}

// shrink lets a small table, of which there may be thousands, have what it would need
// for each zone from the table beneath. It is asked for records only.
func (t *Table) shrink(base *Table) {
	t.zones, t.soas, t.whole, t.passed = base.zones, base.soas, base.whole, base.passed
	t.denials, t.contents = nil, nil
}

// Patched returns the names that were compiled anew since all were. They may not
// be changed.
func (t *Table) Patched() definition.Names {
	if t.patch == nil {
		return nil
	}
	return t.patch.names
}

// HasRecords reports whether a name holds any records.
func (t *Table) HasRecords(name definition.Name) bool { return t.of(name).holds(name) }

// of returns the table that knows about a name.
func (t *Table) of(name definition.Name) *Table {
	if t.patch != nil {
		if decides := t.patch.decided[name]; decides != nil {
			return decides
		}
	}
	return t
}

// content adds up the records of a zone after a change: those that t has, without
// those of names that were compiled anew and with what became of them.
func (t *Table) content(zone definition.Name, changed *Table, names definition.Names) sum {
	s := t.contents[zone]
	for name := range names {
		if t.zones.Of(name) == zone {
			s = s.minus(sumOf(t.rrsets(name))).plus(sumOf(changed.rrsets(name)))
		}
	}
	return s
}

// decide makes a small table decide on the names that it was made for, in place of
// what was before, and completes it: of those it must know whether they exist.
func (p *patch) decide(before, small *Table, names definition.Names) {
	var gone []definition.Name
	for name := range names {
		switch {
		case small.holds(name):
		case p.base.holds(name), before.HasRecords(name):
			gone = append(gone, name)
		default:
			continue // it never held anything
		}
		p.names[name], p.decided[name] = true, small
	}
	for i := range small.nodes {
		if name := small.nameOf(&small.nodes[i]); !p.exists(name) {
			p.decided[name] = small
		}
	}
	p.withdraw(gone, small)
}

// holds and exists say what is so of a name by all tables.
func (p *patch) holds(name definition.Name) bool  { return p.of(name).holds(name) }
func (p *patch) exists(name definition.Name) bool { return p.of(name).exists(name) }

func (p *patch) of(name definition.Name) *Table {
	if decides := p.decided[name]; decides != nil {
		return decides
	}
	return p.base
}

// withdraw makes names that are gone, and those above them that have existed only
// because of these, exist no more.
func (p *patch) withdraw(gone []definition.Name, small *Table) {
	p.lookBelow(gone, small)
	held := p.heldBelow(gone, small)
	for _, name := range gone {
		for n := range p.perhapsEmpty(name, small) {
			p.decided[n] = small
			if p.below[n] != "" || held[n] {
				small.add(n) // it is an empty non-terminal, and so is what is above
				break
			}
		}
	}
}

// perhapsEmpty goes upwards from a name that is gone through the names that exist
// only if something below them does, and that the small table is not known to have.
func (p *patch) perhapsEmpty(name definition.Name, small *Table) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for n := name; ; n = n.Parent() {
			if small.exists(n) || p.holds(n) || p.base.zones.Of(n) == "" || !yield(n) || n == "." {
				return
			}
		}
	}
}

// An ends finds the names that some others are below, by how these end.
type ends struct {
	names   map[definition.Name]definition.Name // by end: the name without a dot in front
	lengths []int                               // of the ends
}

func endsOf(names iter.Seq[definition.Name]) ends {
	e := ends{names: make(map[definition.Name]definition.Name)}
	for n := range names {
		end := definition.Name(strings.TrimPrefix(string(n), "."))
		if _, known := e.names[end]; !known {
			e.lengths = append(e.lengths, len(end))
		}
		e.names[end] = n
	}
	slices.Sort(e.lengths)
	e.lengths = slices.Compact(e.lengths)
	return e
}

// above goes through those that a name is below.
func (e ends) above(name []byte) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for _, length := range e.lengths {
			cut := len(name) - length
			if cut < 2 || name[cut-1] != '.' {
				continue
			}
			if n, ok := e.names[definition.Name(name[cut:])]; ok && !yield(n) {
				return
			}
		}
	}
}

// candidates goes through the names for which it must be known whether something is below.
func (p *patch) candidates(gone []definition.Name, small *Table) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for _, name := range gone {
			for n := range p.perhapsEmpty(name, small) {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// heldBelow returns which candidates have a name below them that was compiled anew
// and is held.
func (p *patch) heldBelow(gone []definition.Name, small *Table) definition.Names {
	held := definition.Names{}
	e := endsOf(p.candidates(gone, small))
	if len(e.names) == 0 {
		return held
	}
	for name := range p.names {
		for n := range e.above([]byte(name)) {
			if !held[n] && p.holds(name) {
				held[n] = true
			}
		}
	}
	return held
}

// lookBelow notes of candidates whether base holds names below them that were not
// compiled anew.
func (p *patch) lookBelow(gone []definition.Name, small *Table) {
	e := endsOf(func(yield func(definition.Name) bool) {
		for n := range p.candidates(gone, small) {
			if held, known := p.below[n]; known && !p.names[held] {
				continue
			}
			if p.below[n] = ""; !yield(n) {
				return
			}
		}
	})
	open := len(e.names)
	for i := range p.base.nodes {
		if open == 0 {
			return
		}
		node := &p.base.nodes[i]
		for n := range e.above(p.base.textOf(node)) {
			if name := p.base.nameOf(node); p.below[n] == "" && node.count > 0 && !p.names[name] {
				p.below[n] = name
				open--
			}
		}
	}
}
