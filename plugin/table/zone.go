package table

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// All goes through the RRsets of a zone in canonical order (RFC 4034 §6.1), SOA first. An authoritative zone within
// it is delegated: its NS records, and the addresses below it that finding its name servers takes. A zone that is not
// authoritative has no SOA and no NS records.
//
// It costs what the zone has, and a look at each patched name. The first use sorts the names of the zone; the order
// is shared with all later uses and with all patches of the table.
func (t *Table) All(zone definition.Name) iter.Seq[[]dns.RR] {
	return func(yield func([]dns.RR) bool) {
		for name := range t.sorted(zone) {
			for _, rrset := range t.rrsetsIn(zone, name, t.rrsets(name)) {
				if !yield(rrset) {
					return
				}
			}
		}
	}
}

// Render writes a zone as a master file (RFC 1035 §5): absolute names, a record a line, in the order of All.
func (t *Table) Render(w io.Writer, zone definition.Name) error {
	for rrset := range t.All(zone) {
		for _, rr := range rrset {
			if _, err := fmt.Fprintln(w, masterLine(rr)); err != nil {
				return err
			}
		}
	}
	return nil
}

// masterLine returns a record as a line of a master file. miekg/dns writes CLASS1 for IN where it does not know the type,
// which Knot does not read.
func masterLine(rr dns.RR) string { return strings.Replace(rr.String(), "\tCLASS1\t", "\tIN\t", 1) }

// rrsets returns the RRsets of a name: SOA first, then by type; none if it does not exist.
func (t *Table) rrsets(name definition.Name) [][]dns.RR {
	of := t.of(name)
	n := of.find(string(name))
	if n == nil {
		return nil
	}
	var rrsets [][]dns.RR
	for _, e := range of.entriesOf(n) {
		rrset := of.rrset(string(name), e)
		switch {
		case e.qtype == dns.TypeCNAME:
			return [][]dns.RR{rrset} // the other entries of an alias are RRsets of its host
		case e.qtype == dns.TypeSOA:
			rrsets = append(rrsets, t.soas[of.answers[e.answer].zone])
		case len(rrset) > 0:
			rrsets = append(rrsets, rrset)
		}
	}
	slices.SortFunc(rrsets, func(a, b []dns.RR) int {
		return cmp.Compare(rank(a[0].Header().Rrtype), rank(b[0].Header().Rrtype))
	})
	return rrsets
}

// rank puts SOA before all other types.
func rank(rrtype uint16) uint16 {
	if rrtype == dns.TypeSOA {
		return 0
	}
	return rrtype
}

// zoneNames are the names of a zone, as they were compiled: the nodes from first up to end.
type zoneNames struct {
	first, end uint32

	sort  sync.Once
	order []uint32 // the nodes with records in canonical order, once the zone was asked for
}

// groupByZone moves the nodes of each zone together. It takes 4 octets a name while it runs, and no more afterwards.
// With one zone there is nothing to move: whoever goes through it passes over names that are outside.
func (t *Table) groupByZone() {
	t.byZone = make([]zoneNames, len(t.denials))
	if len(t.numbers) == 1 {
		t.byZone[1].end = uint32(len(t.nodes))
		return
	}
	to := make([]uint32, len(t.nodes)) // the number of the node's zone; then where the node goes
	for i := range t.nodes {
		to[i] = t.zoneNumber(t.textOf(&t.nodes[i]))
		t.byZone[to[i]].end++
	}
	first := uint32(0)
	for i := range t.byZone {
		z := &t.byZone[i]
		z.first, z.end, first = first, first, first+z.end
	}
	for i, zone := range to {
		z := &t.byZone[zone]
		to[i], z.end = z.end, z.end+1
	}
	if !slices.IsSorted(to) {
		t.move(to)
	}
}

// zoneNumber returns the number of the zone of a name, 0 if it is in none.
func (t *Table) zoneNumber(name []byte) uint32 {
	for {
		if number, ok := t.numbers[definition.Name(name)]; ok {
			return number
		}
		if _, name, _ = bytes.Cut(name, []byte(".")); len(name) == 0 {
			return t.numbers["."]
		}
	}
}

// sorted goes through the names of which a zone has records, in canonical order: those of the table as it was
// compiled, and the others between them.
func (t *Table) sorted(zone definition.Name) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		others := t.others(zone)
		for _, i := range t.order(zone) {
			name := t.nameOf(&t.nodes[i])
			for ; len(others) > 0 && others[0].Compare(name) < 0; others = others[1:] {
				if !yield(others[0]) {
					return
				}
			}
			if t.of(name) == t && !yield(name) {
				return
			}
		}
		for _, name := range others {
			if !yield(name) {
				return
			}
		}
	}
}

// others returns the names of a zone that are patched or delegated, in canonical order.
func (t *Table) others(zone definition.Name) []definition.Name {
	names := slices.Collect(maps.Keys(t.delegations[zone]))
	for name := range t.Patched() {
		if name.Below(zone) && t.zones.Of(name) == zone {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, definition.Name.Compare)
	return names
}

// order returns the nodes of a zone in canonical order. They are sorted by name once: making names of nodes in each
// comparison would be most of the work.
func (t *Table) order(zone definition.Name) []uint32 {
	z := &t.byZone[t.numbers[zone]]
	z.sort.Do(func() {
		var named []namedNode
		for i := z.first; i < z.end; i++ {
			if n := &t.nodes[i]; n.count > 0 {
				named = append(named, namedNode{t.nameOf(n), i})
			}
		}
		slices.SortFunc(named, func(a, b namedNode) int { return a.name.Compare(b.name) })
		z.order = make([]uint32, len(named))
		for i, n := range named {
			z.order[i] = n.node
		}
	})
	return z.order
}

type namedNode struct {
	name definition.Name
	node uint32
}
