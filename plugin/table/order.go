package table

import (
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// An Order says in which orders the records of an answer may be sent. A table has them in the canonical one: transfers
// and digests know no other. Who sends an answer chooses.
type Order uint8

const (
	// Canonical is the order that the records are in, and no other.
	Canonical Order = iota

	// Rotated is that of the addresses of a host: any may be the first, and the others follow as they are.
	Rotated

	// Drawn is that of SRV and MX records, see Answer.Slots: those of one priority may be in any order, and glue
	// follows its targets.
	Drawn

	// DrawnRepeating is Drawn where several records have the same target, and so the same glue.
	DrawnRepeating
)

// A Slot is what must be known of an MX or SRV record to put it in its place among others.
type Slot struct {
	Record        uint32 // its index in the answer, the CNAME records before it not counted
	Priority      uint16 // or preference
	Weight        uint16 // 0 of MX
	Glue, GlueEnd uint32 // where the addresses of its target are in the glue of the answer
}

// unless returns the order, or the canonical one if that is fixed.
func (o Order) unless(fixed bool) Order {
	if fixed {
		return Canonical
	}
	return o
}

// addSlots adds the slots of MX or SRV records whose glue was made last, and returns the order that these have if the
// fixed one is not declared: also the canonical one, without slots, if they can have no other.
func (b *builder) addSlots(rrs []dns.RR, glue span) (order Order, slots span) {
	t, first := b.table, uint32(len(b.table.slots))
	t.slots, order = appendSlots(t.slots, rrs, glue.end-glue.start, func(name definition.Name) span {
		if of := b.glueOf[name]; !of.empty() {
			return span{of.start - glue.start, of.end - glue.start}
		}
		return span{}
	})
	return order, span{first, uint32(len(t.slots))}
}

// appendSlots appends the slots of MX or SRV records, if they may be sent in several orders, and returns the order.
// Of so many addresses in the glue, place returns which are those of a target.
func appendSlots(
	slots []Slot, rrs []dns.RR, glue uint32, place func(definition.Name) span,
) (all []Slot, order Order) {
	all = slots
	addresses := uint32(0)
	for i, rr := range rrs {
		s, at := slotOf(rr), place(targetOf(rr))
		if s.Record = uint32(i); i > 0 && s.Priority == all[len(all)-1].Priority {
			order = Drawn
		}
		s.Glue, s.GlueEnd = at.start, at.end
		addresses += at.end - at.start
		all = append(all, s)
	}
	switch {
	case order == Canonical:
		return all[:len(slots)], order // which keeps the room
	case addresses > glue:
		order = DrawnRepeating
	}
	return all, order
}

// slotOf returns the slot of a record without its places.
func slotOf(rr dns.RR) (s Slot) {
	switch rr := rr.(type) {
	case *dns.SRV:
		s.Priority, s.Weight = rr.Priority, rr.Weight
	case *dns.MX:
		s.Priority = rr.Preference
	}
	return s
}
