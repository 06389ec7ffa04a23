package publish

import (
	"maps"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A Status is what a publisher serves. It does not change.
type Status struct {
	Names  map[Kind]int
	Loaded time.Time // of the last good load
	Failed bool      // the last load was rejected

	Fragments, Excluded int // in etcd, and of these excluded
}

// A Kind is a kind of names in a zone.
type Kind struct {
	Zone definition.Name
	Of   string // host, mail, service or alias
}

var kinds = []string{"host", "mail", "service", "alias"}

// counts are of what is served: names of each kind, and all.
type counts struct {
	kinds map[Kind]int
	names int
}

// tally counts the names of each kind in each zone.
func tally(index *definition.Index, zones definition.ZoneSet) *counts {
	c := &counts{make(map[Kind]int), index.Len()}
	for zone := range zones {
		for _, of := range kinds {
			c.kinds[Kind{zone, of}] = 0
		}
	}
	for o := range index.Owners() {
		zone := zones.Of(o.Name())
		for i, declared := range []int{len(o.Hosts()), len(o.Mails()), len(o.Services()), len(o.Aliases())} {
			if declared > 0 {
				c.kinds[Kind{zone, kinds[i]}]++
			}
		}
	}
	return c
}

// patched returns the counts after a patch of some names.
func (c *counts) patched(before, after *table.Table, names definition.Names, zones definition.ZoneSet) *counts {
	now := &counts{maps.Clone(c.kinds), c.names}
	for name := range names {
		now.count(zones.Of(name), after.Types(string(name)), 1)
		now.count(zones.Of(name), before.Types(string(name)), -1)
	}
	return now
}

// kindOf is what a name was declared as that has records of a type. A host with
// addresses of both families has two.
var kindOf = map[uint16]string{
	dns.TypeA: "host", dns.TypeAAAA: "host", dns.TypeMX: "mail", dns.TypeSRV: "service", dns.TypeCNAME: "alias",
}

// count counts a name with records of these types by times.
func (c *counts) count(zone definition.Name, types []uint16, by int) {
	if len(types) == 0 {
		return
	}
	c.names += by
	counted := make(map[string]bool)
	for _, t := range types {
		if k := kindOf[t]; k != "" && !counted[k] {
			counted[k] = true
			c.kinds[Kind{zone, k}] += by
		}
	}
}
