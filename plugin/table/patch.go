package table

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A patch is what a table has beside the one that it was made from: a small table
// of the names that have changed since and of what these refer to. It is asked for
// the names that it decides on. All others are in the table beneath, which stays
// as it is, and with it the memory that both share.
type patch struct {
	base    *Table
	table   *Table
	names   definition.Names // that base or table holds and that were compiled anew
	decided definition.Names // those, and empty non-terminals that have come or gone with them

	// below says of names that were held, and of those above them, whether base
	// holds one below that is not compiled anew: that one, or "".
	below map[definition.Name]definition.Name
}

// Patch returns the table of a set of which a part has changed since t was made.
// Index is of all that is declared of names, and of what they point to, and so
// on. It is of the names that t has from earlier patches, too: see [Table.Patched].
//
// The table is as one that is compiled of the whole set, and takes little more
// time and memory than the changes do. Names that come up again and again cost
// nothing more; with many others it is better to compile all, some day.
func (t *Table) Patch(index *definition.Index, names definition.Names, opt Options) *Table {
	base, below := t, make(map[definition.Name]definition.Name)
	if t.patch != nil {
		base, below = t.patch.base, maps.Clone(t.patch.below)
	}
	b := newBuilder(index, opt)
	b.compile()
	p := &patch{base: base, table: b.table, names: make(definition.Names, len(names)), below: below}
	for name := range names {
		if base.holds(name) || b.table.holds(name) {
			p.names[name] = true
		}
	}
	p.decide()

	patched := *base
	patched.patch, patched.contents = p, b.table.contents
	patched.denials = make([][]dns.RR, len(base.denials))
	for zone, i := range base.soas {
		patched.denials[i] = b.table.denials[b.table.soas[zone]]
	}
	b.setSerials(opt, &patched, p.content)
	return &patched
}

// Patched returns the names that were compiled anew since all were. They may not
// be changed.
func (t *Table) Patched() definition.Names {
	if t.patch == nil {
		return nil
	}
	return t.patch.names
}

// Holds reports whether a name holds any records.
func (t *Table) Holds(name definition.Name) bool { return t.of(name).holds(name) }

// of returns the table that knows about a name.
func (t *Table) of(name definition.Name) *Table {
	if t.patch != nil && t.patch.decided[name] {
		return t.patch.table
	}
	return t
}

// parts goes through the tables that of returns.
func (t *Table) parts() iter.Seq[*Table] {
	return func(yield func(*Table) bool) {
		if yield(t) && t.patch != nil {
			yield(t.patch.table)
		}
	}
}

// content adds up the records of a zone: those of base, without what was compiled
// anew and with what became of it.
func (p *patch) content(zone definition.Name) sum {
	s := p.base.contents[zone]
	for name := range p.names {
		if p.table.zones.Of(name) == zone {
			s = s.minus(sumOf(p.base.rrsets(name))).plus(sumOf(p.table.rrsets(name)))
		}
	}
	return s
}

// decide finds the names for which the small table is asked, and completes it: of
// those it must know whether they exist.
func (p *patch) decide() {
	p.decided = make(definition.Names, 2*len(p.names))
	for i := range p.table.nodes {
		if name := p.table.nameOf(&p.table.nodes[i]); !p.base.exists(name) {
			p.decided[name] = true
		}
	}
	var gone []definition.Name
	for name := range p.names {
		p.decided[name] = true
		if !p.table.holds(name) {
			gone = append(gone, name)
		}
	}
	p.lookBelow(gone)
	for _, name := range gone {
		for n := range p.perhapsEmpty(name) {
			if p.below[n] != "" {
				if n == name { // it was held, and is an empty non-terminal now
					p.table.add(n)
				}
				break // what is above exists likewise, and base knows
			}
			p.decided[n] = true
		}
	}
}

// perhapsEmpty goes upwards from a name that is gone through the names that exist
// only if something below them does, and that neither table is known to have.
func (p *patch) perhapsEmpty(name definition.Name) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for n := name; ; n = n.Parent() {
			if p.table.exists(n) || p.base.holds(n) && n != name || p.base.zones.Of(n) == "" || !yield(n) || n == "." {
				return
			}
		}
	}
}

// lookBelow notes whether base holds names below those that are gone and below
// what is above these.
func (p *patch) lookBelow(gone []definition.Name) {
	open := make(map[definition.Name]definition.Name) // names to look below, by how others end
	for _, name := range gone {
		for n := range p.perhapsEmpty(name) {
			if held, known := p.below[n]; !known || p.names[held] {
				p.below[n] = ""
				open[definition.Name(strings.TrimPrefix(string(n), "."))] = n
			}
		}
	}
	var lengths []int
	for end := range open {
		lengths = append(lengths, len(end))
	}
	slices.Sort(lengths)
	lengths = slices.Compact(lengths)
	for i := range p.base.nodes {
		if len(open) == 0 {
			return
		}
		held, name := &p.base.nodes[i], p.base.textOf(&p.base.nodes[i])
		for _, length := range lengths {
			cut := len(name) - length
			if cut < 2 || name[cut-1] != '.' {
				continue
			}
			if n, ok := open[definition.Name(name[cut:])]; ok && held.count > 0 && !p.names[definition.Name(name)] {
				p.below[n] = definition.Name(name)
				delete(open, definition.Name(name[cut:]))
			}
		}
	}
}
