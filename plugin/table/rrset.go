package table

import (
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// shareFrom is how many names must have the same exchanges or targets until they share the records too: that one and
// all after it do. A name with records of its own is answered a little faster, and takes a little more memory than
// the rest of it.
const shareFrom = 64

// A sharedRRset is what names with the same exchanges or targets, the same check and the same TTL have in common:
// everything but the owner.
type sharedRRset struct {
	owners, answered int // names that have it, and those of them that have their answer

	glue    span
	hasGlue bool
	order   Order
	slots   span
	answer  uint32 // without owner, once it is shared
	set     uint32 // number of what is noted of the answer, plus 1, or 0
}

// findShared notes which RRset each mail domain and service has. It returns how many answers, and how many records in
// them, these will take.
func (b *builder) findShared() (answers, records int) {
	k := rrsetKeys{index: b.index, numbers: make(map[string]uint32), rules: make(map[rule]uint32)}
	for o := range b.index.Owners() {
		if len(o.Mails()) > 0 {
			ttl := o.MailTTL()
			k.start(dns.TypeMX, ttl, ruleOfMail(o))
			for _, e := range o.Exchanges() {
				k.add(e.Host, e.Preference)
			}
			b.rrsetOf = append(b.rrsetOf, k.number())
		}
		if len(o.Services()) > 0 {
			ttl := o.ServiceTTL()
			k.start(dns.TypeSRV, ttl, ruleOfService(o))
			for _, t := range o.Targets() {
				k.add(t.Host, t.Priority, t.Weight, t.Port)
			}
			b.rrsetOf = append(b.rrsetOf, k.number())
		}
	}
	b.shared = make([]sharedRRset, len(k.records))
	for _, i := range b.rrsetOf {
		if b.shared[i].owners++; b.shared[i].owners <= shareFrom {
			answers++
			records += k.records[i]
		}
	}
	for _, glue := range k.glue {
		records += glue
	}
	return answers, records
}

// rrsetKeys numbers RRsets by everything but their owner.
type rrsetKeys struct {
	index   *definition.Index
	numbers map[string]uint32
	rules   map[rule]uint32
	records []int // by number: records of the RRset without glue
	glue    []int // by number: records of its glue, those of a host perhaps twice

	key     []byte
	targets int // in key
	addrs   int // of these
}

func (k *rrsetKeys) start(qtype uint16, ttl uint32, r rule) {
	number, ok := k.rules[r]
	if !ok {
		number = uint32(len(k.rules))
		k.rules[r] = number
	}
	k.key = binary.BigEndian.AppendUint16(k.key[:0], qtype)
	k.key = binary.BigEndian.AppendUint32(k.key, ttl)
	k.key = binary.BigEndian.AppendUint32(k.key, number)
	k.targets, k.addrs = 0, 0
}

// add adds a target with its numbers to the key, as the number of its owner if it is declared: that is short.
func (k *rrsetKeys) add(name definition.Name, numbers ...uint16) {
	for _, n := range numbers {
		k.key = binary.BigEndian.AppendUint16(k.key, n)
	}
	if o := k.index.At(name); o.Name() != "" {
		k.key = binary.BigEndian.AppendUint32(append(k.key, 1), o.Number())
		k.addrs += len(o.Addrs())
	} else {
		k.key = append(append(append(k.key, 0), name...), 0)
	}
	k.targets++
}

// number returns the number of the RRset whose key is complete.
func (k *rrsetKeys) number() uint32 {
	n, ok := k.numbers[string(k.key)]
	if !ok {
		n = uint32(len(k.records))
		k.numbers[string(k.key)] = n
		k.records = append(k.records, max(k.targets, 1)) // "." if there is none
		k.glue = append(k.glue, k.addrs)
	}
	return n
}

// addRRset answers for the name that is being made, with the next RRset, in the fixed order or not; records puts the
// records of an owner.
func (b *builder) addRRset(
	owner definition.Name, qtype uint16, fixed bool, r rule, records func(owner definition.Name),
) {
	s := &b.shared[b.rrsetOf[0]]
	b.rrsetOf = b.rrsetOf[1:]
	s.answered++
	isShared := s.answered >= shareFrom
	if s.answered <= shareFrom {
		if isShared {
			owner = "."
		}
		first := len(b.table.rrs)
		records(owner)
		rrs := b.from(first)
		if !s.hasGlue {
			s.glue, s.hasGlue = b.glue(b.table.records(rrs)), true
			s.order, s.slots = b.addSlots(b.table.records(rrs), s.glue)
		}
		s.answer = b.store(stored{rrs: rrs, glue: s.glue, slots: s.slots})
		s.set = b.noteSet(s.answer, r, b.table.records(rrs))
	}
	if s.set > 0 {
		b.table.layer.sets[s.set-1].owners++
	}
	b.add(entry{answer: s.answer, qtype: qtype, shared: isShared, order: s.order.unless(fixed)})
}
