package table

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// delegations are what zones have of the authoritative zones within them: by zone and name, the types of the RRsets.
// These are NS and DS at the apex of the zone within, where the zone is cut, and the addresses below that which it takes to
// find the name servers of both. Whether these have addresses is another matter, so only another apex makes other
// delegations.
type delegations map[definition.Name]map[definition.Name][]uint16

func (d delegations) add(zone, name definition.Name, types ...uint16) {
	if d[zone] == nil {
		d[zone] = make(map[definition.Name][]uint16)
	}
	for _, rrtype := range types {
		if !slices.Contains(d[zone][name], rrtype) {
			d[zone][name] = append(d[zone][name], rrtype)
		}
	}
}

// addDelegations finds what the zones delegate.
func (t *Table) addDelegations(index *definition.Index) {
	for zone := range t.authoritative {
		if parent := t.zoneAbove(zone); parent != "" {
			t.delegations.add(parent, zone, dns.TypeNS, dns.TypeDS)
		}
	}
	for zone := range t.authoritative {
		for _, server := range index.At(zone).Apex().Servers {
			for _, of := range []definition.Name{zone, t.zoneAbove(zone)} {
				if t.belowCut(server.Host, of) {
					t.delegations.add(of, server.Host, dns.TypeA, dns.TypeAAAA)
				}
			}
		}
	}
}

// belowCut reports whether a name is in or below an authoritative zone that a zone delegates.
func (t *Table) belowCut(name, zone definition.Name) bool {
	for within := t.zones.Of(name); within != "" && zone != ""; within = t.zoneAbove(within) {
		if t.zoneAbove(within) == zone {
			return t.authoritative[within]
		}
	}
	return false
}

// ZoneAbove returns the authoritative zone that the DS records of a name belong to, or "".
func (t *Table) ZoneAbove(name string) definition.Name {
	next, end := dns.NextLabel(name, 0)
	if end {
		return ""
	}
	zone := t.zones.Of(definition.Name(name[next:]))
	if !t.authoritative[zone] {
		return ""
	}
	return zone
}

// zoneAbove returns the zone that a zone is in, or "".
func (t *Table) zoneAbove(zone definition.Name) definition.Name {
	if zone == "." {
		return ""
	}
	return t.zones.Of(zone.Parent())
}

// rrsetsIn returns those RRsets of a name that a zone has: all in the zone itself, and in one below what is
// delegated.
func (t *Table) rrsetsIn(zone, name definition.Name, rrsets [][]dns.RR) [][]dns.RR {
	if t.zones.Of(name) == zone {
		if name == zone {
			rrsets = slices.DeleteFunc(slices.Clone(rrsets), isDS) // which belongs to the zone above
		}
		return rrsets
	}
	var delegated [][]dns.RR
	for _, rrtype := range t.delegations[zone][name] {
		for _, rrset := range rrsets {
			if rrset[0].Header().Rrtype == rrtype {
				delegated = append(delegated, rrset)
			}
		}
	}
	return delegated
}

func isDS(rrset []dns.RR) bool { return rrset[0].Header().Rrtype == dns.TypeDS }
