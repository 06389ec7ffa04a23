package table

import (
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// shareFrom is how many names must share a set of exchanges or targets before
// they share the records too. A name with records of its own is answered a
// little faster, and takes a little more memory than the rest of it.
const shareFrom = 64

// A set is what names with the same exchanges or targets, and the same TTL, have
// in common: all but the owner of the records.
type set struct {
	owners, made int // names that have it, and those that have their answer

	glue    span
	hasGlue bool
	answer  uint32 // without owner, once it is shared
}

// findSets notes which set each mail domain and service has. It returns how many
// answers, and how many records in them, these will take.
func (b *builder) findSets() (answers, records int) {
	k := keys{index: b.index, numbers: make(map[string]uint32)}
	for o := range b.index.Owners() {
		if len(o.Mails()) > 0 {
			b.setOf = append(b.setOf, k.mail(o))
		}
		if len(o.Services()) > 0 {
			b.setOf = append(b.setOf, k.service(o))
		}
	}
	b.sets = make([]set, len(k.records))
	for _, i := range b.setOf {
		if b.sets[i].owners++; b.sets[i].owners <= shareFrom {
			answers++
			records += k.records[i]
		}
	}
	for _, glue := range k.glue {
		records += glue
	}
	return answers, records
}

// keys numbers sets by their content.
type keys struct {
	index   *definition.Index
	numbers map[string]uint32
	records []int // by number: records of the set without glue
	glue    []int // by number: records of its glue, those of a host perhaps twice

	key     []byte
	targets int // in key
	addrs   int // of these
}

func (k *keys) mail(o definition.Owner) uint32 {
	ttl, _ := o.MailTTL()
	k.start(dns.TypeMX, ttl)
	for _, e := range o.Exchanges() {
		k.add(e.Host, e.Preference)
	}
	return k.number()
}

func (k *keys) service(o definition.Owner) uint32 {
	ttl, _ := o.ServiceTTL()
	k.start(dns.TypeSRV, ttl)
	for _, t := range o.Targets() {
		k.add(t.Host, t.Priority, t.Weight, t.Port)
	}
	return k.number()
}

func (k *keys) start(qtype uint16, ttl uint32) {
	k.key = binary.BigEndian.AppendUint16(k.key[:0], qtype)
	k.key = binary.BigEndian.AppendUint32(k.key, ttl)
	k.targets, k.addrs = 0, 0
}

// add adds a target with its numbers to the key, as the number of its owner if
// it is declared: that is short.
func (k *keys) add(name definition.Name, numbers ...uint16) {
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

// number returns the number of the set whose key is complete.
func (k *keys) number() uint32 {
	n, ok := k.numbers[string(k.key)]
	if !ok {
		n = uint32(len(k.records))
		k.numbers[string(k.key)] = n
		k.records = append(k.records, max(k.targets, 1)) // "." if there is none
		k.glue = append(k.glue, k.addrs)
	}
	return n
}

// addSet answers for the name that is being made with the next set; records puts
// the records of an owner.
func (b *builder) addSet(owner definition.Name, qtype uint16, records func(owner definition.Name)) {
	s := &b.sets[b.setOf[0]]
	b.setOf = b.setOf[1:]
	if s.made++; s.made > shareFrom {
		b.add(qtype, s.answer, true)
		return
	}
	shared := s.made == shareFrom
	if shared {
		owner = "."
	}
	first := len(b.table.rrs)
	records(owner)
	rrs := b.from(first)
	if !s.hasGlue {
		s.glue, s.hasGlue = b.glue(b.table.records(rrs)), true
	}
	s.answer = b.store(stored{rrs: rrs, glue: s.glue})
	b.add(qtype, s.answer, shared)
}

// glue puts the addresses that the targets of records have, each host once.
func (b *builder) glue(records []dns.RR) span {
	clear(b.seen)
	first := len(b.table.rrs)
	for _, rr := range records {
		name := targetOf(rr)
		o := b.index.At(name)
		if b.seen[name] || len(o.Hosts()) == 0 {
			continue
		}
		b.seen[name] = true
		h := b.hosts[o.Number()]
		b.table.rrs = append(b.table.rrs, b.table.rrs[h.a.start:h.aaaa.end]...)
	}
	return b.from(first)
}

func targetOf(rr dns.RR) definition.Name {
	switch rr := rr.(type) {
	case *dns.MX:
		return definition.Name(rr.Mx)
	case *dns.SRV:
		return definition.Name(rr.Target)
	case *dns.NS:
		return definition.Name(rr.Ns)
	}
	return ""
}
