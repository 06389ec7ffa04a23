package table

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Options are what a table is compiled for.
type Options struct {
	Zones       definition.Zones
	Fallthrough definition.Zones // parts of authoritative zones in which the next plugin may have records
	Serial      uint32           // of the SOA records

	// Serials, if it is not nil, returns the serial of an authoritative zone, which may depend on what the zone has.
	// A patch asks for the zones whose content it changes; the SOA records of all others stay.
	Serials func(zone definition.Name, content Digest) uint32

	// Probe, if it is not nil, reports whether an address of a host may be probed.
	Probe func(host definition.Owner, addr netip.Addr) bool
}

// Compile returns the table of the definitions in an index, without verdicts. It adds to the map of the index's numbers.
func Compile(index *definition.Index, opt Options) *Table {
	t := newTable(index, opt)
	t.wildcards = t.withWildcards(nil, index)
	t.build(index, opt)
	t.groupByZone()
	t.addDelegations(index)
	if opt.Serials != nil {
		t.contents = t.sums()
	}
	t.setSerials(opt)
	t.probes, t.drained = t.layer.probes(), index.Set.Drained()
	t.judge(t, t.outAnswers(t)) // as hosts may be drained
	return t
}

// newTable returns a table that has zones and no names.
func newTable(index *definition.Index, opt Options) *Table {
	t := &Table{
		zones:         opt.Zones.Set(),
		numbers:       make(map[definition.Name]uint32, len(opt.Zones)),
		soas:          [][]dns.RR{nil},
		denials:       [][]dns.RR{nil},
		authoritative: make(definition.ZoneSet),
		fallthroughs:  opt.Fallthrough.Set(),
		delegations:   make(delegations),
	}
	for _, zone := range opt.Zones {
		if t.numbers[zone] == 0 { // a zone may be there twice
			t.addZone(zone, index.At(zone).Apex())
		}
	}
	return t
}

// A builder makes the names and answers of one table.
type builder struct {
	table *Table
	index *definition.Index
	probe func(definition.Owner, netip.Addr) bool // see Options

	hosts   []host                     // by number of the owner, up to the last that is one
	shared  []sharedRRset              // each once
	rrsetOf []uint32                   // index into shared, in the order in which answers are made
	denied  map[definition.Name]uint32 // by zone: the answer that denies a type in it
	servers map[serverKey]uint32       // that are checked: their number in the layer

	a       slab[dns.A]
	aaaa    slab[dns.AAAA]
	mx      slab[dns.MX]
	srv     slab[dns.SRV]
	address slab[byte]

	glueOf map[definition.Name]span // by target of the records that glue was made for last
}

// build makes the names and answers of a table that has its zones.
func (t *Table) build(index *definition.Index, opt Options) {
	t.layer = &layer{ofProbe: make(map[definition.Probe][]uint32)}
	b := &builder{
		table: t, index: index, probe: opt.Probe,
		denied: make(map[definition.Name]uint32), servers: make(map[serverKey]uint32), glueOf: make(map[definition.Name]span),
	}
	t.names = newNames(b.index, b.nonTerminals())
	b.makeRoom(b.findShared())
	for o := range b.index.Owners() {
		b.addAddresses(o)
	}
	for o := range b.index.Owners() {
		first := len(t.entries)
		b.addHost(o)
		b.addMail(o)
		b.addService(o)
		b.addApex(o)
		b.addRecords(o)
		b.setEntries(o, first)
	}
	for o := range b.index.Owners() {
		b.addAlias(o)
	}
}

// perAlias is how many answers an alias has, mostly: for CNAME, A, AAAA and the rest.
const perAlias = 4

// makeRoom makes the rows of the table as long as they will be with so many of each that names may share, or are of
// records: growing bit by bit takes several times the memory.
func (b *builder) makeRoom(entries, answers, records int) {
	const perHost = 2 // answers of a host: for A and AAAA
	hosts, t := b.index.Set.Hosts, b.table
	for i := range hosts {
		records += len(hosts[i].Addrs)
	}
	t.entries = make([]entry, 0, entries+perHost*len(hosts))
	t.answers = make([]stored, 0, answers+len(hosts)+min(len(hosts), len(t.numbers)))
	t.rrs = make([]dns.RR, 0, records)
	t.slots = nil
}

// add gives the name that is being made an answer for a type.
func (b *builder) add(e entry) { b.table.entries = append(b.table.entries, e) }

// setEntries gives an owner the entries from first on.
func (b *builder) setEntries(o definition.Owner, first int) {
	n := &b.table.nodes[o.Number()]
	n.first, n.count = uint32(first), uint16(len(b.table.entries)-first)
}

// store adds an answer and returns its index.
func (b *builder) store(s stored) uint32 {
	t := b.table
	octets := 0
	for _, section := range [][]dns.RR{t.records(s.rrs), t.records(s.glue)} {
		for _, rr := range section {
			octets += dns.Len(rr)
		}
	}
	s.octets = uint32(octets)
	t.answers = append(t.answers, s)
	return uint32(len(t.answers) - 1)
}

func (b *builder) put(rr dns.RR) { b.table.rrs = append(b.table.rrs, rr) }

// from returns the span from start to the last record.
func (b *builder) from(start int) span { return span{uint32(start), uint32(len(b.table.rrs))} }

func header(owner definition.Name, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: string(owner), Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// target returns a name as its own declaration has it, if there is one, so that it is in memory once.
func (b *builder) target(name definition.Name) string {
	if o := b.index.At(name); o.Name() != "" {
		name = o.Name()
	}
	return string(name)
}

// denial returns the answer that a name has no records of a type; all names of a zone share it.
func (b *builder) denial(name definition.Name) uint32 {
	zone := b.table.zones.Of(name)
	answer, ok := b.denied[zone]
	if !ok {
		answer = b.store(stored{zone: b.table.numbers[zone]})
		b.denied[zone] = answer
	}
	return answer
}

func (b *builder) addMail(o definition.Owner) {
	if len(o.Mails()) == 0 {
		return
	}
	ttl := o.MailTTL()
	fixed := o.MailOrder()
	b.addRRset(o.Name(), dns.TypeMX, fixed, ruleOfMail(o), func(owner definition.Name) {
		h := header(owner, dns.TypeMX, ttl)
		for _, e := range o.Exchanges() {
			b.put(b.mx.new(dns.MX{Hdr: h, Preference: e.Preference, Mx: b.target(e.Host)}))
		}
		if len(o.Exchanges()) == 0 { // null MX, RFC 7505 §3
			b.put(b.mx.new(dns.MX{Hdr: h, Mx: "."}))
		}
	})
}

func (b *builder) addService(o definition.Owner) {
	if len(o.Services()) == 0 {
		return
	}
	ttl := o.ServiceTTL()
	fixed := o.ServiceOrder()
	b.addRRset(o.Name(), dns.TypeSRV, fixed, ruleOfService(o), func(owner definition.Name) {
		h := header(owner, dns.TypeSRV, ttl)
		for _, t := range o.Targets() {
			b.put(b.srv.new(dns.SRV{
				Hdr: h, Priority: t.Priority, Weight: t.Weight, Port: t.Port, Target: b.target(t.Host)}))
		}
		if len(o.Targets()) == 0 { // not offered, RFC 2782
			b.put(b.srv.new(dns.SRV{Hdr: h, Target: "."}))
		}
	})
}

// addAlias adds the CNAME and, for each type that its host has, the CNAME followed by that answer (RFC 1034 §4.3.2,
// step 3a). For all other types it is the CNAME, and a denial if that is certain (RFC 2308 §2.2). Where the host is an
// alias too, its CNAME comes next, and so on.
func (b *builder) addAlias(o definition.Owner) {
	if len(o.Aliases()) == 0 {
		return
	}
	t, shared := b.table, b.next()
	n, first := &t.nodes[o.Number()], len(t.entries)
	if n.count > 0 { // lint wants no other data, but any set compiles
		shared.answered--
		t.entries = append(t.entries, t.entriesOf(n)...)
		b.addChain(o, o.Name())
		b.setEntries(o, first)
		return
	}
	if owner, isNew := shared.ownerOf(o.Name()); isNew {
		b.addChain(o, owner)
		shared.entries = span{uint32(first), uint32(len(t.entries))}
	}
	n.first, n.count = shared.entries.start, uint16(shared.entries.end-shared.entries.start)
}

// addChain adds the answers of an alias, whose CNAME has an owner.
func (b *builder) addChain(o definition.Owner, owner definition.Name) {
	t := b.table
	cnames, target := b.chain(o)
	cnames[0].Header().Name = string(owner)
	b.addChased(entry{qtype: dns.TypeCNAME}, cnames[:1], nil, stored{})
	if target.Name() != "" && len(target.Aliases()) == 0 {
		for _, e := range t.entriesOf(&t.nodes[target.Number()]) {
			answer := b.addChased(e, cnames, t.rrset(string(target.Name()), e), t.answers[e.answer])
			b.noteAlias(answer, e.answer, len(cnames))
		}
	}
	b.addChased(entry{qtype: anyType}, cnames, nil, stored{zone: b.denialOf(target)})
}

// maxChain is how many aliases in a row are in one answer. Resolvers go on from the last one, and give up after 8 to 16.
const maxChain = 8

// chain returns the CNAME records that lead from an alias to a name that is none, and that name; or the first maxChain
// of them, and the next alias.
func (b *builder) chain(o definition.Owner) (cnames []dns.RR, target definition.Owner) {
	for ; len(o.Aliases()) > 0 && len(cnames) < maxChain; o = target {
		ttl := o.AliasTTL()
		host := o.Aliases()[0].Host
		cnames = append(cnames, &dns.CNAME{Hdr: header(o.Name(), dns.TypeCNAME, ttl), Target: b.target(host)})
		target = b.index.At(host)
	}
	return cnames, target
}

// denialOf returns the number of the zone that denies types of the name at the end of a chain: none if the next plugin
// may have records of it, or if the chain goes on.
func (b *builder) denialOf(target definition.Owner) uint32 {
	if len(target.Aliases()) > 0 {
		return 0
	}
	return b.table.numbers[b.table.authoritativeZone(target.Name())]
}

// addChased adds the answer of an alias: CNAMEs before the records of its host, which has the entry and the stored
// answer. It returns the index of the new one.
func (b *builder) addChased(e entry, cnames, rrs []dns.RR, s stored) uint32 {
	first := len(b.table.rrs)
	b.table.rrs = append(append(b.table.rrs, cnames...), rrs...)
	answer := b.store(stored{rrs: b.from(first), glue: s.glue, slots: s.slots, zone: s.zone})
	b.add(entry{answer: answer, qtype: e.qtype, shared: cnames[0].Header().Name == ".", order: e.order})
	return answer
}
