package table

import (
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// addRecords answers for the types of a name that have no word of their own.
func (b *builder) addRecords(o definition.Owner) {
	for _, s := range o.RRsets() {
		if s.Type == dns.TypeNS && b.table.authoritative[o.Name()] {
			continue // addApex has added NS records: lint wants no others, but any set compiles
		}
		ttl, _ := s.TTL()
		first := len(b.table.rrs)
		for _, d := range s.Records {
			b.put(d.RR(o.Name(), ttl))
		}
		rrs := b.from(first)
		records := b.table.records(rrs)
		if s.Type == dns.TypeNS {
			b.markCut(o)
			records = inDomainFirst(o.Name(), records)
		}
		b.add(s.Type, b.store(stored{rrs: rrs, glue: b.glue(records)}), false)
	}
}
