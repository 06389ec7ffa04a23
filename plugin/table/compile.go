package table

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Options are what a table is compiled for.
type Options struct {
	Zones       definition.Zones
	Fallthrough definition.Zones // below which a zone that is served whole holds not all there is
	Serial      uint32           // of the SOA records

	// Serials, if it is not nil, returns the serial of a zone that is served whole,
	// which may depend on its content.
	Serials func(zone definition.Name, content Digest) uint32
}

// Compile makes the table of the definitions in an index. It adds to the map of the
// index's numbers.
func Compile(index *definition.Index, opt Options) *Table {
	b := newBuilder(index, opt)
	b.compile()
	var contents map[definition.Name]sum
	if opt.Serials != nil {
		contents = b.table.sums()
	}
	b.setSerials(opt, b.table, func(zone definition.Name) sum { return contents[zone] })
	return b.table
}

// compile makes everything but the serials.
func (b *builder) compile() {
	b.makeRoom(b.findSets())
	for o := range b.index.Owners() {
		b.addAddresses(o)
	}
	for o := range b.index.Owners() {
		first := len(b.table.entries)
		b.addHost(o)
		b.addMail(o)
		b.addService(o)
		b.addApex(o)
		b.hold(o, first)
	}
	for o := range b.index.Owners() {
		b.addAlias(o)
	}
}

func header(owner definition.Name, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: string(owner), Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// A builder makes one table.
type builder struct {
	table *Table
	index *definition.Index

	hosts  []host // by number of the owner, up to the last that is one
	sets   []set
	setOf  []uint32                      // index into sets of each mail domain and service, in the order of owners
	denied map[definition.Name]uint32    // by zone: the answer that denies a type in it
	serial map[definition.Name][]*uint32 // by zone that is served whole: the serials of its SOA records

	a       slab[dns.A]
	aaaa    slab[dns.AAAA]
	mx      slab[dns.MX]
	srv     slab[dns.SRV]
	address slab[byte]

	seen map[definition.Name]bool
}

// A host is where the two RRsets of one lie, A before AAAA; either may be empty.
type host struct{ a, aaaa span }

func newBuilder(index *definition.Index, opt Options) *builder {
	t := &Table{
		zones:   opt.Zones.Set(),
		soas:    make(map[definition.Name]uint32, len(opt.Zones)),
		denials: [][]dns.RR{nil},
		whole:   make(definition.ZoneSet),
		passed:  opt.Fallthrough.Set(),

		contents: make(map[definition.Name]sum),
	}
	b := &builder{
		table: t, index: index,
		denied: make(map[definition.Name]uint32),
		serial: make(map[definition.Name][]*uint32),
		seen:   make(map[definition.Name]bool),
	}
	for _, zone := range slices.Sorted(maps.Keys(t.zones)) { // as a patch looks them up by number
		b.addZone(zone, opt.Serial)
	}
	t.names = newNames(index, b.nonTerminals())
	return b
}

// makeRoom makes the rows of the table as long as they will be with so many
// answers to mail domains and services, and so many records in them: to grow bit
// by bit would take several times the memory.
func (b *builder) makeRoom(answers, records int) {
	const (
		perHost  = 2 // answers of a host: for A and AAAA
		perAlias = 4 // answers of an alias, mostly: for CNAME, A, AAAA and the rest
	)
	set, t := b.index.Set, b.table
	for i := range set.Hosts {
		records += len(set.Hosts[i].Addrs)
	}
	t.entries = make([]entry, 0, len(b.setOf)+perHost*len(set.Hosts)+perAlias*len(set.Aliases))
	t.answers = make([]stored, 0, answers+len(t.soas)+len(set.Hosts)+perAlias*len(set.Aliases))
	t.rrs = make([]dns.RR, 0, records+(perAlias+1)*len(set.Aliases))
}

// add gives the name that is being made an answer for a type.
func (b *builder) add(qtype uint16, answer uint32, shared bool) {
	b.table.entries = append(b.table.entries, entry{answer, qtype, shared})
}

// store adds an answer.
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

// from returns the span from start to the last record that there is.
func (b *builder) from(start int) span { return span{uint32(start), uint32(len(b.table.rrs))} }

// addAddresses makes the address records of a host, which are its answers and
// glue of others.
func (b *builder) addAddresses(o definition.Owner) {
	if len(o.Hosts()) == 0 {
		return
	}
	ttl, _ := o.HostTTL()
	addrs, t, first := o.Addrs(), b.table, len(b.table.rrs)
	for _, addr := range addrs {
		if addr.Is4() {
			t.rrs = append(t.rrs, b.a.new(dns.A{Hdr: header(o.Name(), dns.TypeA, ttl), A: b.ip(addr)}))
		}
	}
	h := host{a: b.from(first)}
	first = len(t.rrs)
	for _, addr := range addrs {
		if addr.Is6() {
			t.rrs = append(t.rrs, b.aaaa.new(dns.AAAA{Hdr: header(o.Name(), dns.TypeAAAA, ttl), AAAA: b.ip(addr)}))
		}
	}
	h.aaaa = b.from(first)
	for int(o.Number()) >= len(b.hosts) {
		b.hosts = append(b.hosts, host{})
	}
	b.hosts[o.Number()] = h
}

func (b *builder) ip(addr netip.Addr) []byte {
	ip := b.address.take(addr.BitLen() / 8)
	copy(ip, addr.AsSlice())
	return ip
}

// addHost answers for both families of addresses, first for one that the host
// has, which ANY gets.
func (b *builder) addHost(o definition.Owner) {
	if len(o.Hosts()) == 0 {
		return
	}
	h := b.hosts[o.Number()]
	if h.a.empty() {
		b.addFamily(o.Name(), dns.TypeAAAA, h.aaaa)
		b.addFamily(o.Name(), dns.TypeA, h.a)
		return
	}
	b.addFamily(o.Name(), dns.TypeA, h.a)
	b.addFamily(o.Name(), dns.TypeAAAA, h.aaaa)
}

// addFamily adds the addresses of one family, or denies that there are any.
func (b *builder) addFamily(owner definition.Name, qtype uint16, rrs span) {
	if rrs.empty() {
		b.add(qtype, b.denial(owner), false)
		return
	}
	b.add(qtype, b.store(stored{rrs: rrs}), false)
}

// denial returns the answer that a name does not hold a type; it is the same for
// all names of a zone.
func (b *builder) denial(name definition.Name) uint32 {
	zone := b.table.zones.Of(name)
	answer, ok := b.denied[zone]
	if !ok {
		answer = b.store(stored{denial: b.table.soas[zone]})
		b.denied[zone] = answer
	}
	return answer
}

func (b *builder) addMail(o definition.Owner) {
	if len(o.Mails()) == 0 {
		return
	}
	ttl, _ := o.MailTTL()
	b.addSet(o.Name(), dns.TypeMX, func(owner definition.Name) {
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
	ttl, _ := o.ServiceTTL()
	b.addSet(o.Name(), dns.TypeSRV, func(owner definition.Name) {
		h := header(owner, dns.TypeSRV, ttl)
		for _, t := range o.Targets() {
			b.put(b.srv.new(dns.SRV{Hdr: h, Priority: t.Priority, Weight: t.Weight, Port: t.Port, Target: b.target(t.Host)}))
		}
		if len(o.Targets()) == 0 { // not offered, RFC 2782
			b.put(b.srv.new(dns.SRV{Hdr: h, Target: "."}))
		}
	})
}

func (b *builder) put(rr dns.RR) { b.table.rrs = append(b.table.rrs, rr) }

// target returns a name as its own declaration has it, if there is one, so that
// it is in memory once.
func (b *builder) target(name definition.Name) string {
	if o := b.index.At(name); o.Name() != "" {
		name = o.Name()
	}
	return string(name)
}

// hold notes that an owner has the entries from first on.
func (b *builder) hold(o definition.Owner, first int) {
	n := &b.table.nodes[o.Number()]
	n.first, n.count = uint32(first), uint8(len(b.table.entries)-first)
}

// addAlias adds the CNAME and, for each type that its host holds, the CNAME
// followed by that answer (RFC 1034 §4.3.2, step 3a). For all other types it is
// the CNAME, and a denial if all is known of the host (RFC 2308 §2.2).
func (b *builder) addAlias(o definition.Owner) {
	if len(o.Aliases()) == 0 {
		return
	}
	t := b.table
	first := len(t.entries)
	t.entries = append(t.entries, t.held(&t.nodes[o.Number()])...) // an alias is nothing else, but any set compiles
	ttl, _ := o.AliasTTL()
	target := b.index.At(o.Aliases()[0].Host)
	cname := &dns.CNAME{Hdr: header(o.Name(), dns.TypeCNAME, ttl), Target: string(o.Aliases()[0].Host)}
	b.addChased(dns.TypeCNAME, cname, Answer{}, stored{})
	if target.Name() != "" && len(target.Aliases()) == 0 {
		for _, e := range t.held(&t.nodes[target.Number()]) {
			b.addChased(e.qtype, cname, t.answer(string(target.Name()), e, t.denials), t.answers[e.answer])
		}
	}
	b.addChased(anyType, cname, Answer{}, stored{denial: b.denialOf(target)})
	b.hold(o, first)
}

// denialOf returns the denial of types that the host of an alias does not hold:
// none if a plugin behind may hold them, or if it is an alias too.
func (b *builder) denialOf(target definition.Owner) uint32 {
	zone := b.table.wholeZone(target.Name())
	if zone == "" || len(target.Aliases()) > 0 {
		return 0
	}
	return b.table.soas[zone]
}

// addChased adds the answer of an alias: a CNAME before an answer of its host.
func (b *builder) addChased(qtype uint16, cname dns.RR, a Answer, s stored) {
	first := len(b.table.rrs)
	b.put(cname)
	b.table.rrs = append(b.table.rrs, a.RRs...)
	b.add(qtype, b.store(stored{rrs: b.from(first), glue: s.glue, denial: s.denial}), false)
}

// nonTerminals returns the names between the held ones and the tops of their zones,
// which exist too (RFC 8020, RFC 4592 §2.2.2). A zone may be within another.
func (b *builder) nonTerminals() []definition.Name {
	var found []definition.Name
	numbers := b.index.Numbers()
	for o := range b.index.Owners() {
		for name := o.Name(); name != "."; {
			name = name.Parent()
			if _, ok := numbers[name]; ok || b.table.zones.Of(name) == "" {
				break // what is above a name that exists comes with that one
			}
			numbers[name] = uint32(len(numbers))
			found = append(found, name)
		}
	}
	return found
}
