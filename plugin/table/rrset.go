package table

import (
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// shareFrom is how many names must have the same RRset until they share the records too: that one and all after it do.
// A name with records of its own is answered a little faster, and takes a little more memory than the rest of it.
const shareFrom = 64

// A sharedRRset is what names with the same RRset, the same check and the same TTL have in common: everything but the
// owner. Of aliases that is all that they lead to.
type sharedRRset struct {
	owners, answered int // names that have it, and those of them that have their answer

	glue    span
	hasGlue bool
	order   Order
	slots   span
	answer  uint32 // without owner, once it is shared
	set     uint32 // number of what is noted of the answer, plus 1, or 0
	entries span   // of the aliases that share it
}

// next returns the RRset of the name that is being made.
func (b *builder) next() *sharedRRset {
	s := &b.shared[b.rrsetOf[0]]
	b.rrsetOf = b.rrsetOf[1:]
	s.answered++
	return s
}

func (s *sharedRRset) isShared() bool { return s.answered >= shareFrom }

// ownerOf returns the owner of the records that are to be made for a name, and false if it shares those that are made.
func (s *sharedRRset) ownerOf(name definition.Name) (owner definition.Name, isNew bool) {
	if s.isShared() {
		name = "."
	}
	return name, s.answered <= shareFrom
}

// findShared notes which RRset each mail domain and service has, each name with records that it may share, and each
// alias. It returns how many entries and answers these and all records of other types will take, and how many records
// are in the answers.
func (b *builder) findShared() (entries, answers, records int) {
	k := rrsetKeys{
		index: b.index, numbers: make(map[string]uint32), rules: make(map[rule]uint32), ofData: make(map[dataKey]uint32),
	}
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
		for _, s := range o.RRsets() {
			if isShareable(s) {
				b.rrsetOf = append(b.rrsetOf, k.numberOf(s))
				continue
			}
			entries, answers, records = entries+1, answers+1, records+len(s.Records)
		}
	}
	single := len(k.records)
	for o := range b.index.Owners() {
		if len(o.Aliases()) > 0 {
			k.start(dns.TypeCNAME, o.AliasTTL(), rule{})
			k.add(o.Aliases()[0].Host)
			b.rrsetOf = append(b.rrsetOf, k.number())
		}
	}
	b.shared = make([]sharedRRset, len(k.records))
	for _, i := range b.rrsetOf {
		isAlias := int(i) >= single
		switch b.shared[i].owners++; {
		case isAlias && b.shared[i].owners <= shareFrom:
			entries, answers, records = entries+perAlias, answers+perAlias, records+perAlias+1
		case b.shared[i].owners <= shareFrom:
			entries, answers, records = entries+1, answers+1, records+k.records[i]
		case !isAlias:
			entries++
		}
	}
	for _, glue := range k.glue {
		records += glue
	}
	return entries, answers, records
}

// rrsetKeys numbers RRsets by everything but their owner.
type rrsetKeys struct {
	index   *definition.Index
	numbers map[string]uint32
	rules   map[rule]uint32
	ofData  map[dataKey]uint32 // the numbers of records by their data
	records []int              // by number: records of the RRset without glue
	glue    []int              // by number: records of its glue, those of a host perhaps twice

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
		n = k.new(max(k.targets, 1), k.addrs) // "." if there is none
		k.numbers[string(k.key)] = n
	}
	return n
}

// new returns the number of one more RRset.
func (k *rrsetKeys) new(records, glue int) uint32 {
	k.records, k.glue = append(k.records, records), append(k.glue, glue)
	return uint32(len(k.records) - 1)
}

// dataKey is by what RRsets are the same. The data of a single record is that of the definition, which is no copy.
type dataKey struct {
	rrtype  uint16
	records uint16
	ttl     uint32
	data    string
}

// numberOf returns the number of an RRset by its data.
func (k *rrsetKeys) numberOf(s definition.RRset) uint32 {
	key := dataKey{s.Type, uint16(len(s.Records)), s.TTL(), s.Records[0].Data}
	if len(s.Records) > 1 {
		var all []byte
		for _, r := range s.Records {
			all = append(binary.BigEndian.AppendUint16(all, uint16(len(r.Data))), r.Data...)
		}
		key.data = string(all)
	}
	n, ok := k.ofData[key]
	if !ok {
		n = k.new(len(s.Records), 0)
		k.ofData[key] = n
	}
	return n
}

// isShareable reports whether names may share an RRset of a type that has no word of its own: its records do not point
// to others, and are not one for each address.
func isShareable(s definition.RRset) bool {
	switch s.Type {
	case dns.TypeNS, dns.TypeSVCB, dns.TypeHTTPS:
		return false
	}
	return !s.Records[0].Derived
}

// addRRset answers for the name that is being made, with the next RRset, in the fixed order or not; records puts the
// records of an owner.
func (b *builder) addRRset(
	owner definition.Name, qtype uint16, fixed bool, r rule, records func(owner definition.Name),
) {
	s := b.next()
	if owner, isNew := s.ownerOf(owner); isNew {
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
	b.add(entry{answer: s.answer, qtype: qtype, shared: s.isShared(), order: s.order.unless(fixed)})
}
