package table

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// NegativeTTL is for how many seconds a denial may be kept (RFC 2308 §5). New
// hosts and services appear all the time, and whoever asked too early should
// not wait long; CoreDNS's kubernetes denies for 5 s, zone files for an hour.
const NegativeTTL = 60

// shareFrom is how many names must share a set of exchanges or targets before
// they share the records too. A name with records of its own is answered a
// little faster, and takes a little more memory than the rest of it.
const shareFrom = 64

// Options are what a table is compiled for.
type Options struct {
	Zones  definition.Zones
	Serial uint32 // of the SOA records
}

// Compile makes the table of the definitions in an index. It goes on with the
// map of the index's numbers.
func Compile(index *definition.Index, opt Options) *Table {
	b := newBuilder(index, opt)
	for o := range index.Owners() {
		b.addAddresses(o)
	}
	for o := range index.Owners() {
		first := len(b.table.entries)
		b.addHost(o)
		b.addMail(o)
		b.addService(o)
		b.table.nodes = append(b.table.nodes, node{uint32(first), uint32(len(b.table.entries) - first)})
	}
	for o := range index.Owners() {
		b.addAlias(o)
	}
	b.addNonTerminals()
	return b.table
}

// soa returns the SOA of a zone that is not served whole: enough for a denial.
// The names in it are those that CoreDNS's own synthesizing plugins use.
func soa(zone definition.Name, serial uint32) dns.RR {
	z := strings.TrimPrefix(string(zone), ".")
	return &dns.SOA{
		Hdr:     header(zone, dns.TypeSOA, NegativeTTL),
		Ns:      "ns.dns." + z,
		Mbox:    "hostmaster." + z,
		Serial:  serial,
		Refresh: 7200,
		Retry:   1800,
		Expire:  86400,
		Minttl:  NegativeTTL,
	}
}

func header(owner definition.Name, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: string(owner), Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// A builder makes one table.
type builder struct {
	table *Table
	index *definition.Index

	hosts  []host                     // by number of the owner, up to the last that is one
	sets   map[string]set             // by their content; see setKey
	denied map[definition.Name]uint32 // by zone: the answer that denies a type in it

	a       slab[dns.A]
	aaaa    slab[dns.AAAA]
	mx      slab[dns.MX]
	srv     slab[dns.SRV]
	address slab[byte]

	key     []byte
	targets []definition.Name
	seen    map[definition.Name]bool
}

// A host is where the two RRsets of one lie, A before AAAA; either may be empty.
type host struct{ a, aaaa span }

// A set is what names with the same exchanges or targets have in common: all
// but the owner of the records.
type set struct {
	owners int
	glue   span
	answer uint32 // without owner, once there are shareFrom of them
}

func newBuilder(index *definition.Index, opt Options) *builder {
	t := &Table{
		names:   index.Numbers(),
		nodes:   make([]node, 0, index.Len()+1),
		entries: make([]entry, 0, index.Len()),
		zones:   opt.Zones.Set(),
		soas:    make(map[definition.Name]uint32, len(opt.Zones)),
		denials: [][]dns.RR{nil},
	}
	for _, zone := range opt.Zones {
		t.soas[zone] = uint32(len(t.denials))
		t.denials = append(t.denials, []dns.RR{soa(zone, opt.Serial)})
	}
	return &builder{
		table: t, index: index,
		sets:   make(map[string]set),
		denied: make(map[definition.Name]uint32),
		seen:   make(map[definition.Name]bool),
	}
}

// add gives the name that is being made an answer for a type.
func (b *builder) add(qtype uint16, answer uint32, shared bool) {
	b.table.entries = append(b.table.entries, entry{answer, qtype, shared})
}

// store adds an answer.
func (b *builder) store(s stored) uint32 {
	t := b.table
	octets := 0
	for _, section := range [][]dns.RR{t.records(s.rrs), t.denials[s.denial], t.records(s.glue)} {
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
	exchanges := o.Exchanges()
	b.startSet(dns.TypeMX, ttl)
	for _, e := range exchanges {
		b.addTarget(e.Host, e.Preference)
	}
	b.addSet(o.Name(), dns.TypeMX, func(h dns.RR_Header) {
		for i, e := range exchanges {
			b.put(b.mx.new(dns.MX{Hdr: h, Preference: e.Preference, Mx: string(b.targets[i])}))
		}
		if len(exchanges) == 0 { // null MX, RFC 7505 §3
			b.put(b.mx.new(dns.MX{Hdr: h, Mx: "."}))
		}
	}, ttl)
}

func (b *builder) addService(o definition.Owner) {
	if len(o.Services()) == 0 {
		return
	}
	ttl, _ := o.ServiceTTL()
	targets := o.Targets()
	b.startSet(dns.TypeSRV, ttl)
	for _, t := range targets {
		b.addTarget(t.Host, t.Priority, t.Weight, t.Port)
	}
	b.addSet(o.Name(), dns.TypeSRV, func(h dns.RR_Header) {
		for i, t := range targets {
			b.put(b.srv.new(dns.SRV{Hdr: h, Priority: t.Priority, Weight: t.Weight, Port: t.Port, Target: string(b.targets[i])}))
		}
		if len(targets) == 0 { // not offered, RFC 2782
			b.put(b.srv.new(dns.SRV{Hdr: h, Target: "."}))
		}
	}, ttl)
}

func (b *builder) put(rr dns.RR) { b.table.rrs = append(b.table.rrs, rr) }

// startSet starts the key of a set: its type, TTL and targets with their numbers.
func (b *builder) startSet(qtype uint16, ttl uint32) {
	b.key = binary.BigEndian.AppendUint16(b.key[:0], qtype)
	b.key = binary.BigEndian.AppendUint32(b.key, ttl)
	b.targets = b.targets[:0]
}

// addTarget adds a target to the key. The name is taken from its own declaration
// if there is one, so that it is in memory once.
func (b *builder) addTarget(name definition.Name, numbers ...uint16) {
	for _, n := range numbers {
		b.key = binary.BigEndian.AppendUint16(b.key, n)
	}
	if o := b.index.At(name); o.Name() != "" {
		name = o.Name()
	}
	b.key = append(append(b.key, name...), 0)
	b.targets = append(b.targets, name)
}

// addSet answers for the name that is being made with the set whose key is
// complete; records puts the records under a header.
func (b *builder) addSet(owner definition.Name, qtype uint16, records func(dns.RR_Header), ttl uint32) {
	s, ok := b.sets[string(b.key)]
	if !ok {
		s.glue = b.glue()
	}
	s.owners++
	shared := s.owners >= shareFrom
	if shared {
		owner = "."
	}
	answer := s.answer
	if s.owners <= shareFrom {
		first := len(b.table.rrs)
		records(header(owner, qtype, ttl))
		answer = b.store(stored{rrs: b.from(first), glue: s.glue})
	}
	if s.owners == shareFrom {
		s.answer = answer
	}
	b.sets[string(b.key)] = s
	b.add(qtype, answer, shared)
}

// glue puts the addresses of the targets, each host once.
func (b *builder) glue() span {
	clear(b.seen)
	first := len(b.table.rrs)
	for _, name := range b.targets {
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

// addAlias adds the CNAME and, for each type that its host holds, the CNAME
// followed by that answer (RFC 1034 §4.3.2, step 3a).
func (b *builder) addAlias(o definition.Owner) {
	if len(o.Aliases()) == 0 {
		return
	}
	t, n := b.table, o.Number()
	first := len(t.entries)
	t.entries = append(t.entries, t.held(n)...) // an alias is nothing else, but any set compiles
	ttl, _ := o.AliasTTL()
	target := b.index.At(o.Aliases()[0].Host)
	cname := &dns.CNAME{Hdr: header(o.Name(), dns.TypeCNAME, ttl), Target: string(o.Aliases()[0].Host)}
	b.addChased(anyType, cname, Answer{}, stored{})
	if target.Name() != "" && len(target.Aliases()) == 0 {
		for _, e := range t.held(target.Number()) {
			b.addChased(e.qtype, cname, t.answer(string(target.Name()), e), t.answers[e.answer])
		}
	}
	t.nodes[n] = node{uint32(first), uint32(len(t.entries) - first)}
}

// addChased adds the answer of an alias: a CNAME before an answer of its host.
func (b *builder) addChased(qtype uint16, cname dns.RR, a Answer, s stored) {
	first := len(b.table.rrs)
	b.put(cname)
	b.table.rrs = append(b.table.rrs, a.RRs...)
	b.add(qtype, b.store(stored{rrs: b.from(first), glue: s.glue, denial: s.denial}), false)
}

// addNonTerminals makes the names between the held ones and the tops of their
// zones exist (RFC 8020, RFC 4592 §2.2.2). A zone may be within another.
func (b *builder) addNonTerminals() {
	t := b.table
	nothing := uint32(len(t.nodes))
	t.nodes = append(t.nodes, node{})
	for o := range b.index.Owners() {
		for name := o.Name(); name != "."; {
			name = name.Parent()
			if _, ok := t.names[name]; ok || t.zones.Of(name) == "" {
				break // what is above a name that exists comes with that one
			}
			t.names[name] = nothing
		}
	}
}
