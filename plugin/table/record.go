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
		b.table.tlsa = b.table.tlsa || s.Type == dns.TypeTLSA
		if isShareable(s) {
			b.addShareable(o, s)
			continue
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

// addShareable answers with an RRset that other names may have too.
func (b *builder) addShareable(o definition.Owner, s definition.RRset) {
	shared := b.next()
	if owner, isNew := shared.ownerOf(o.Name()); isNew {
		first := len(b.table.rrs)
		b.putRRset(owner, s)
		shared.answer = b.store(stored{rrs: b.from(first)})
	}
	b.add(entry{answer: shared.answer, qtype: s.Type, shared: shared.isShared()})
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
