package publish

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A Status is what a publisher serves. It does not change.
type Status struct {
	Counts
	Loaded time.Time // of what is served; zero if that is nothing yet
	Failed bool      // the last load was rejected

	Fragments, Excluded int // in etcd, and those of which something is excluded
}

// Counts are how many names are served.
type Counts struct {
	Names map[Kind]int // has each kind in each zone, with 0 too
	Total int          // a name may be of several kinds
}

// A Kind is a kind of names in a zone.
type Kind struct {
	Zone definition.Name
	Of   string // host, mail, service, alias or record
}

var kinds = []string{"host", "mail", "service", "alias", "record"}

// tally counts the names that are declared.
func tally(index *definition.Index, zones definition.ZoneSet) Counts {
	c := Counts{make(map[Kind]int), index.Len()}
	for zone := range zones {
		for _, of := range kinds {
			c.Names[Kind{zone, of}] = 0
		}
	}
	for o := range index.Owners() {
		zone := zones.Of(o.Name())
		for i, declared := range []int{
			len(o.Hosts()), len(o.Mails()), len(o.Services()), len(o.Aliases()), len(o.Records()),
		} {
			if declared > 0 {
				c.Names[Kind{zone, kinds[i]}]++
			}
		}
	}
	return c
}

// patched returns the counts after a patch of some names.
func (c Counts) patched(before, after *table.Table, names definition.Names, zones definition.ZoneSet) Counts {
	now := Counts{maps.Clone(c.Names), c.Total}
	for name := range names {
		now.add(zones.Of(name), after.Types(string(name)), 1)
		now.add(zones.Of(name), before.Types(string(name)), -1)
	}
	return now
}

// kindOf is what a name was declared as that has records of a type. A host with
// addresses of both families has two.
var kindOf = map[uint16]string{
	dns.TypeA: "host", dns.TypeAAAA: "host", dns.TypeMX: "mail", dns.TypeSRV: "service", dns.TypeCNAME: "alias",
}

// add counts a name with records of these types n times more.
func (c *Counts) add(zone definition.Name, types []uint16, n int) {
	if len(types) == 0 {
		return
	}
	c.Total += n
	counted := make(map[string]bool)
	isApex := slices.Contains(types, dns.TypeSOA)
	for _, t := range types {
		if isApex && (t == dns.TypeSOA || t == dns.TypeNS) {
			continue // declared by authoritative
		}
		if k := cmp.Or(kindOf[t], "record"); !counted[k] {
			counted[k] = true
			c.Names[Kind{zone, k}] += n
		}
	}
}
