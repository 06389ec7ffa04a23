package table

import (
	"maps"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A patch is what a table has beside the one that was compiled: a small table for each change, of the names that have
// changed and of what these point to. The last small table that was made for a name answers for it. For all other
// names the base does, which stays as it is and is shared.
type patch struct {
	base   *Table
	names  definition.Names           // that were compiled anew, if they have records or had some
	tables map[definition.Name]*Table // the small tables by these names, and by empty non-terminals that came or went

	// below has, for names that had records and for those above them, a name below in base that has records and was
	// not compiled anew, or "" if there is none.
	below map[definition.Name]definition.Name
}

// Patch returns the table of a set of which a part has changed since t was made. Names are those that are declared
// otherwise than before, those that point to such a name, and so on: apexes point to their name servers. Index has at
// least what is declared of the names and of what they point to, and so on. Zones, apexes and all options but the
// serials are as before.
//
// The table answers as one that is compiled of the whole set, with the verdicts of t. It costs the time and memory that
// the change does, some words for each zone, and a copy of the list of patched names: when there are many, compile the
// whole set. It shares everything else with t.
func (t *Table) Patch(index *definition.Index, names definition.Names, opt Options) *Table {
	p := &patch{t, definition.Names{}, make(map[definition.Name]*Table), make(map[definition.Name]definition.Name)}
	if t.patch != nil {
		p = &patch{t.patch.base, maps.Clone(t.patch.names), maps.Clone(t.patch.tables), maps.Clone(t.patch.below)}
	}
	small := *p.base
	small.build(partOf(index, names), opt)
	p.add(t, &small, names)

	patched := *p.base
	patched.patch, patched.contents = p, t.contents
	patched.cuts, patched.tlsa = t.cuts || small.cuts, t.tlsa || small.tlsa
	patched.wildcards = t.withWildcards(t.wildcards, index)
	patched.withPatch(t, &small, index, names)
	if opt.Serials == nil {
		patched.setSerials(opt)
		return &patched
	}
	patched.contents = t.sumsAfter(&small, names)
	patched.setSerialsAfter(t, opt)
	return &patched
}

// partOf returns what an index has of names and of what they point to, and so on: there may be thousands of small
// tables, so nothing else must be in them.
func partOf(index *definition.Index, names definition.Names) *definition.Index {
	part, added := new(definition.Set), definition.Names{}
	for next := names; len(next) > 0; next = part.Targets().Without(added) {
		added.Add(next)
		for _, name := range slices.Sorted(maps.Keys(next)) {
			o := index.At(name)
			part.Hosts = appendValues(part.Hosts, o.Hosts())
			part.Mails = appendValues(part.Mails, o.Mails())
			part.Services = appendValues(part.Services, o.Services())
			part.Aliases = appendValues(part.Aliases, o.Aliases())
			part.Records = appendValues(part.Records, o.Records())
			if index.Drained(name) {
				part.Drains = append(part.Drains, definition.Drain{Head: definition.Head{Owner: name}})
			}
			if a := o.Apex(); a != nil {
				part.Apexes = append(part.Apexes, *a)
			}
		}
	}
	return part.Index()
}

func appendValues[T any](to []T, declared []*T) []T {
	for _, d := range declared {
		to = append(to, *d)
	}
	return to
}

// Patched returns the names that were compiled anew since all were. They must not be changed.
func (t *Table) Patched() definition.Names {
	if t.patch == nil {
		return nil
	}
	return t.patch.names
}

// of returns the table that answers for a name: t itself, or a small one.
func (t *Table) of(name definition.Name) *Table {
	if t.patch != nil {
		if small := t.patch.tables[name]; small != nil {
			return small
		}
	}
	return t
}

// add lets a small table answer for the names that it was made for, in place of the table before, and for the empty
// non-terminals that come or go with them.
func (p *patch) add(before, small *Table, names definition.Names) {
	var gone []definition.Name
	for name := range names {
		switch {
		case small.HasRecords(name):
		case p.base.HasRecords(name), before.HasRecords(name):
			gone = append(gone, name)
		default:
			continue // it never had any
		}
		p.names[name], p.tables[name] = true, small
	}
	for i := range small.nodes {
		if name := small.nameOf(&small.nodes[i]); !p.of(name).exists(name) {
			p.tables[name] = small
		}
	}
	p.withdraw(gone, small)
}

// of returns the table that answers for a name: the base, or a small one.
func (p *patch) of(name definition.Name) *Table {
	if small := p.tables[name]; small != nil {
		return small
	}
	return p.base
}
