package table

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// All goes through the RRsets of a zone in canonical order (RFC 4034 §6.1),
// SOA first. A zone within it that is served whole too is delegated: its NS
// records, and the addresses below it that finding it takes.
//
// A zone that is not served whole has no SOA and no NS records.
func (t *Table) All(zone definition.Name) iter.Seq[[]dns.RR] {
	return func(yield func([]dns.RR) bool) {
		delegated, glue := t.delegated(zone, t.cuts()[zone])
		names := append(slices.Collect(t.inZone(zone)), delegated...)
		slices.SortFunc(names, definition.Name.Compare)
		for _, name := range names {
			for _, rrset := range t.zoneData(zone, name, glue) {
				if !yield(rrset) {
					return
				}
			}
		}
	}
}

// zoneData returns what a zone holds of a name, in it or below a cut.
func (t *Table) zoneData(zone, name definition.Name, glue map[definition.Name][][]dns.RR) [][]dns.RR {
	if t.zones.Of(name) == zone {
		return t.rrsets(name)
	}
	var sets [][]dns.RR
	if t.whole[name] && t.zones.Of(name.Parent()) == zone {
		if _, ns := t.Lookup(string(name), dns.TypeNS); len(ns.RRs) > 0 {
			sets = append(sets, ns.RRs)
		}
	}
	return append(sets, glue[name]...)
}

// inZone goes through the names that hold something in a zone, in no order.
func (t *Table) inZone(zone definition.Name) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for i := range t.nodes {
			n := &t.nodes[i]
			if name := t.nameOf(n); n.count > 0 && t.of(name) == t && t.zones.Of(name) == zone && !yield(name) {
				return
			}
		}
		for name := range t.Patched() {
			if t.zones.Of(name) == zone && t.HasRecords(name) && !yield(name) {
				return
			}
		}
	}
}

// rrsets returns what a name holds: SOA first, then by type; nothing if it does
// not exist.
func (t *Table) rrsets(name definition.Name) [][]dns.RR {
	of := t.of(name)
	n := of.find(string(name))
	if n == nil {
		return nil
	}
	var sets [][]dns.RR
	for _, e := range of.held(n) {
		rrs := of.answer(string(name), e, t.denials).RRs
		switch {
		case e.qtype == dns.TypeCNAME:
			return [][]dns.RR{rrs} // the other entries of an alias are what its host holds
		case len(rrs) > 0:
			sets = append(sets, rrs)
		}
	}
	slices.SortFunc(sets, func(a, b []dns.RR) int {
		return cmp.Compare(rank(a[0].Header().Rrtype), rank(b[0].Header().Rrtype))
	})
	return sets
}

// rank puts SOA before all other types.
func rank(rrtype uint16) uint16 {
	if rrtype == dns.TypeSOA {
		return 0
	}
	return rrtype
}

// delegated returns the names at and below the cuts of a zone of which it holds
// something, each once and in no order, and the addresses among that.
func (t *Table) delegated(zone definition.Name, cuts []definition.Name) ([]definition.Name, map[definition.Name][][]dns.RR) {
	glue := t.delegationGlue(zone, cuts)
	names := cuts
	for name := range glue {
		if !slices.Contains(cuts, name) {
			names = append(names, name)
		}
	}
	return names, glue
}

// cuts returns by zone the tops of the zones that it delegates.
func (t *Table) cuts() map[definition.Name][]definition.Name {
	cuts := make(map[definition.Name][]definition.Name)
	for child := range t.whole {
		if child != "." {
			zone := t.zones.Of(child.Parent())
			cuts[zone] = append(cuts[zone], child)
		}
	}
	return cuts
}

// delegationGlue returns the addresses of name servers that lie below the cuts
// of a zone: its own, and those that it delegates to.
func (t *Table) delegationGlue(zone definition.Name, cuts []definition.Name) map[definition.Name][][]dns.RR {
	glue := make(map[definition.Name][][]dns.RR)
	if len(cuts) == 0 {
		return glue
	}
	for _, top := range append(slices.Clone(cuts), zone) {
		_, ns := t.Lookup(string(top), dns.TypeNS)
		for _, rr := range ns.RRs {
			host := targetOf(rr)
			if !slices.ContainsFunc(cuts, host.Below) || glue[host] != nil {
				continue
			}
			for _, rrset := range t.rrsets(host) {
				if rrtype := rrset[0].Header().Rrtype; rrtype == dns.TypeA || rrtype == dns.TypeAAAA {
					glue[host] = append(glue[host], rrset)
				}
			}
		}
	}
	return glue
}

// Render writes a zone as a master file (RFC 1035 §5): absolute names, a record
// a line, in the order of All.
func (t *Table) Render(w io.Writer, zone definition.Name) error {
	for rrset := range t.All(zone) {
		for _, rr := range rrset {
			if _, err := fmt.Fprintln(w, rr); err != nil {
				return err
			}
		}
	}
	return nil
}
