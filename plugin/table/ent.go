package table

import (
	"iter"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// nonTerminals returns the empty non-terminals: the names between those with records and the apexes of their zones.
// They exist too (RFC 8020, RFC 4592 §2.2.2). A zone may be within another.
func (b *builder) nonTerminals() []definition.Name {
	var found []definition.Name
	numbers := b.index.Numbers()
	for o := range b.index.Owners() {
		for name := o.Name(); name != "."; {
			name = name.Parent()
			if _, ok := numbers[name]; ok || b.table.zones.Of(name) == "" {
				break // what is above a name that exists comes with that one
			}
			numbers[name] = uint32(len(numbers))
			found = append(found, name)
		}
	}
	return found
}

// withdraw makes names that have lost their records, and those above that existed only because of them, exist no
// more. A name with others below becomes an empty non-terminal.
func (p *patch) withdraw(gone []definition.Name, small *Table) {
	var candidates []definition.Name
	for _, name := range gone {
		candidates = slices.AppendSeq(candidates, p.perhapsEmpty(name, small))
	}
	p.lookBelow(candidates)
	patchedBelow := p.patchedBelow(candidates)
	for _, name := range gone {
		for n := range p.perhapsEmpty(name, small) {
			p.tables[n] = small
			if p.below[n] != "" || patchedBelow[n] {
				small.add(n) // and what is above exists, too
				break
			}
		}
	}
}

// perhapsEmpty goes upwards from a name without records, through the names that exist only if there are others below,
// as far as the small table is not known to have them.
func (p *patch) perhapsEmpty(name definition.Name, small *Table) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for n := name; ; n = n.Parent() {
			if small.exists(n) || p.hasRecords(n) || p.base.zones.Of(n) == "" || !yield(n) || n == "." {
				return
			}
		}
	}
}

func (p *patch) hasRecords(name definition.Name) bool { return p.of(name).HasRecords(name) }

// patchedBelow returns the candidates that have a name below them that was compiled anew and has records.
func (p *patch) patchedBelow(candidates []definition.Name) definition.Names {
	found := definition.Names{}
	if len(candidates) == 0 {
		return found
	}
	suffixes := suffixesOf(candidates)
	for name := range p.names {
		for _, n := range suffixes.above([]byte(name)) {
			if !found[n] && p.hasRecords(name) {
				found[n] = true
			}
		}
	}
	return found
}

// lookBelow notes in p.below what base has below the candidates. It goes through the names of base once, if it must.
func (p *patch) lookBelow(candidates []definition.Name) {
	var unknown []definition.Name
	for _, n := range candidates {
		if found, known := p.below[n]; !known || p.names[found] {
			p.below[n] = ""
			unknown = append(unknown, n)
		}
	}
	suffixes := suffixesOf(unknown)
	open := len(suffixes.names)
	for i := 0; i < len(p.base.nodes) && open > 0; i++ {
		node := &p.base.nodes[i]
		for _, n := range suffixes.above(p.base.textOf(node)) {
			if name := p.base.nameOf(node); p.below[n] == "" && node.count > 0 && !p.names[name] {
				p.below[n] = name
				open--
			}
		}
	}
}

// suffixes find the names that some others are below. There may be a million others, so this makes no strings.
type suffixes struct {
	names   map[definition.Name]definition.Name // by suffix: the name without a dot before it
	lengths []int                               // of the suffixes
}

func suffixesOf(names []definition.Name) suffixes {
	s := suffixes{names: make(map[definition.Name]definition.Name, len(names))}
	for _, n := range names {
		suffix := definition.Name(strings.TrimPrefix(string(n), "."))
		s.names[suffix] = n
		s.lengths = append(s.lengths, len(suffix))
	}
	slices.Sort(s.lengths)
	s.lengths = slices.Compact(s.lengths)
	return s
}

// above returns the names that a name is below.
func (s suffixes) above(name []byte) (above []definition.Name) {
	for _, length := range s.lengths {
		start := len(name) - length
		if start < 2 || name[start-1] != '.' {
			continue
		}
		if n, ok := s.names[definition.Name(name[start:])]; ok {
			above = append(above, n)
		}
	}
	return above
}
