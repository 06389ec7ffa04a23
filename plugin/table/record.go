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
		first := len(b.table.rrs)
		b.putRRset(o.Name(), s)
		rrs := b.from(first)
		records := b.table.records(rrs)
		if s.Type == dns.TypeNS {
			b.markCut(o)
			records = inDomainFirst(o.Name(), records)
		}
		b.add(entry{answer: b.store(stored{rrs: rrs, glue: b.glue(records)}), qtype: s.Type})
	}
}

func (b *builder) putRRset(owner definition.Name, s definition.RRset) {
	ttl := s.TTL()
	for _, d := range s.Records {
		b.put(d.RR(owner, ttl))
	}
}

// putRecords puts the records of a name and type.
func (b *builder) putRecords(o definition.Owner, rrtype uint16) {
	for _, s := range o.RRsets() {
		if s.Type == rrtype {
			b.putRRset(o.Name(), s)
		}
	}
}
