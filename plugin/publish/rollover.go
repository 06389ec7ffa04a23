package publish

import (
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A rollover is a change of the TLSA records of a name after which none is as before.
type rollover struct {
	definition.Head
	ttl time.Duration // that the records of before had
}

// rollovers returns those of a table that replaces another one, which may be nil, by the set that it is made of. Each
// name with TLSA records costs two lookups, any other record a look at its type.
func rollovers(set *definition.Set, before, after *table.Table) (all []rollover) {
	if before == nil {
		return nil
	}
	seen, last := definition.Names{}, definition.Name("")
	for i := range set.Records {
		r := &set.Records[i]
		if r.Type != dns.TypeTLSA || r.Owner == last { // those of a name mostly stand together
			continue
		}
		last = r.Owner
		ttl, changed := changedKeys(r.Owner, before, after)
		if changed && !seen[r.Owner] {
			seen[r.Owner] = true
			all = append(all, rollover{r.Head, ttl})
		}
	}
	return all
}

// changedKeys reports whether a name had TLSA records, and has none of these any more but others. It returns the TTL
// that they had.
func changedKeys(name definition.Name, before, after *table.Table) (ttl time.Duration, changed bool) {
	had, has := tlsaOf(before, name), tlsaOf(after, name)
	stays := func(old *dns.TLSA) bool {
		return slices.ContainsFunc(has, func(rr *dns.TLSA) bool { return isSameKey(old, rr) })
	}
	if len(had) == 0 || slices.ContainsFunc(had, stays) {
		return 0, false
	}
	return time.Duration(had[0].Hdr.Ttl) * time.Second, true
}

// tlsaOf returns the TLSA records that clients get for a name, those of an alias or a wildcard too.
func tlsaOf(t *table.Table, name definition.Name) (rrs []*dns.TLSA) {
	_, answer := t.Lookup(string(name), dns.TypeTLSA)
	for _, rr := range answer.RRs {
		if rr, ok := rr.(*dns.TLSA); ok {
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

func isSameKey(a, b *dns.TLSA) bool {
	return a.Usage == b.Usage && a.Selector == b.Selector && a.MatchingType == b.MatchingType &&
		a.Certificate == b.Certificate
}

// logRollovers logs names whose keys have changed in one step, some of them if there are many.
func (p *Publisher) logRollovers(all []rollover) {
	for _, r := range all[:min(len(all), maxFindings)] {
		p.observer.Warning(fmt.Sprintf("%v: TLSA of %s: none of the records of before is left: if the key of the server has "+
			"changed, senders that still have them may defer mail until %s: next time declare the next key beside the old one, "+
			"and wait for two TTLs, %v, before the server has it (RFC 7671 §8.1)",
			r.Pos, r.Owner, time.Now().Add(r.ttl).Format(time.DateTime), 2*r.ttl))
	}
	if more := len(all) - maxFindings; more > 0 {
		p.observer.Warning(fmt.Sprintf("TLSA of %d names more: none of the records of before is left", more))
	}
}
