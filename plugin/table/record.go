package table

import "github.com/mxsrv/mxsrv/plugin/definition"

// addRecords answers for the types of a name that have no word of their own.
func (b *builder) addRecords(o definition.Owner) {
	for _, s := range o.RRsets() {
		ttl, _ := s.TTL()
		first := len(b.table.rrs)
		for _, d := range s.Records {
			b.put(d.RR(o.Name(), ttl))
		}
		rrs := b.from(first)
		b.add(s.Type, b.store(stored{rrs: rrs, glue: b.glue(b.table.records(rrs))}), false)
	}
}
