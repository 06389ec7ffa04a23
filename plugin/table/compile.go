package table

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// NegativeTTL is for how many seconds a denial may be kept (RFC 2308 §5). New
// hosts and services appear all the time, and whoever asked too early should
// not wait long; CoreDNS's kubernetes denies for 5 s, zone files for an hour.
const NegativeTTL = 60

// Options are what a table is compiled for.
type Options struct {
	Zones  definition.Zones
	Serial uint32 // of the SOA records
}

// Compile makes the table of a set of definitions.
func Compile(set *definition.Set, opt Options) *Table {
	index := set.Index()
	b := &builder{
		table: &Table{
			names: make(map[string]uint32, len(index.Owners)),
			nodes: make([]node, 1, len(index.Owners)+1),
			soas:  make(map[definition.Name][]dns.RR, len(opt.Zones)),
			zones: opt.Zones.Set(),
		},
		index: index,
		hosts: make(map[definition.Name]host),
		glue:  make(map[string][]dns.RR),
	}
	for _, zone := range opt.Zones {
		b.table.soas[zone] = []dns.RR{soa(zone, opt.Serial)}
	}
	for _, o := range b.index.Owners {
		if len(o.Hosts) > 0 {
			b.addHost(o)
		}
	}
	for _, o := range b.index.Owners {
		b.addMail(o)
		b.addService(o)
	}
	for _, o := range b.index.Owners {
		if len(o.Aliases) > 0 { // last: they repeat the answers of their hosts
			b.addAlias(o)
		}
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

type builder struct {
	table *Table
	index *definition.Index
	hosts map[definition.Name]host
	glue  map[string][]dns.RR // by the target names in order: most sets are shared
}

// A host is the two RRsets of one; either may be empty.
type host struct{ a, aaaa []dns.RR }

// add puts an answer under a name and type.
func (b *builder) add(owner definition.Name, qtype uint16, a Answer) {
	i, ok := b.table.names[string(owner)]
	if !ok {
		i = uint32(len(b.table.nodes))
		b.table.names[string(owner)] = i
		b.table.nodes = append(b.table.nodes, node{first: typed{qtype, a}})
		return
	}
	n := &b.table.nodes[i]
	n.more = append(slices.Clip(n.more), typed{qtype, a})
}

func newAnswer(rrs, ns, glue []dns.RR) Answer {
	a := Answer{RRs: slices.Clip(rrs), Ns: slices.Clip(ns), Glue: slices.Clip(glue)}
	for _, section := range [][]dns.RR{a.RRs, a.Ns, a.Glue} {
		for _, rr := range section {
			a.Len += dns.Len(rr)
		}
	}
	return a
}

func (b *builder) addHost(o *definition.Owner) {
	ttl, _ := o.HostTTL()
	var h host
	for _, addr := range o.Addrs() {
		if addr.Is4() {
			h.a = append(h.a, &dns.A{Hdr: header(o.Name, dns.TypeA, ttl), A: addr.AsSlice()})
		} else {
			h.aaaa = append(h.aaaa, &dns.AAAA{Hdr: header(o.Name, dns.TypeAAAA, ttl), AAAA: addr.AsSlice()})
		}
	}
	b.hosts[o.Name] = h
	if len(h.a) > 0 { // first, for ANY
		b.addFamily(o.Name, dns.TypeA, h.a)
		b.addFamily(o.Name, dns.TypeAAAA, h.aaaa)
	} else {
		b.addFamily(o.Name, dns.TypeAAAA, h.aaaa)
		b.addFamily(o.Name, dns.TypeA, h.a)
	}
}

// addFamily adds the addresses of one family, or denies that there are any.
func (b *builder) addFamily(owner definition.Name, qtype uint16, rrs []dns.RR) {
	var ns []dns.RR
	if len(rrs) == 0 {
		ns = b.table.SOA(string(owner))
	}
	b.add(owner, qtype, newAnswer(rrs, ns, nil))
}

func (b *builder) addMail(o *definition.Owner) {
	if len(o.Mails) == 0 {
		return
	}
	ttl, _ := o.MailTTL()
	h := header(o.Name, dns.TypeMX, ttl)
	var rrs []dns.RR
	var targets []definition.Name
	for _, e := range o.Exchanges() {
		rrs = append(rrs, &dns.MX{Hdr: h, Preference: e.Preference, Mx: string(e.Host)})
		targets = append(targets, e.Host)
	}
	if len(rrs) == 0 { // null MX, RFC 7505 §3
		rrs = []dns.RR{&dns.MX{Hdr: h, Mx: "."}}
	}
	b.add(o.Name, dns.TypeMX, newAnswer(rrs, nil, b.glueOf(targets)))
}

func (b *builder) addService(o *definition.Owner) {
	if len(o.Services) == 0 {
		return
	}
	ttl, _ := o.ServiceTTL()
	h := header(o.Name, dns.TypeSRV, ttl)
	var rrs []dns.RR
	var targets []definition.Name
	for _, t := range o.Targets() {
		rrs = append(rrs, &dns.SRV{Hdr: h, Priority: t.Priority, Weight: t.Weight, Port: t.Port, Target: string(t.Host)})
		targets = append(targets, t.Host)
	}
	if len(rrs) == 0 { // not offered, RFC 2782
		rrs = []dns.RR{&dns.SRV{Hdr: h, Target: "."}}
	}
	b.add(o.Name, dns.TypeSRV, newAnswer(rrs, nil, b.glueOf(targets)))
}

// glueOf returns the addresses of the targets, each host once.
func (b *builder) glueOf(targets []definition.Name) []dns.RR {
	var key strings.Builder
	for _, t := range targets {
		key.WriteString(string(t))
	}
	if g, ok := b.glue[key.String()]; ok {
		return g
	}
	var rrs []dns.RR
	seen := make(map[definition.Name]bool, len(targets))
	for _, t := range targets {
		if seen[t] {
			continue
		}
		seen[t] = true
		rrs = append(append(rrs, b.hosts[t].a...), b.hosts[t].aaaa...)
	}
	rrs = slices.Clip(rrs)
	b.glue[key.String()] = rrs
	return rrs
}

// addAlias compiles the CNAME and, for each type that its host holds, the CNAME
// followed by that answer (RFC 1034 §4.3.2, step 3a).
func (b *builder) addAlias(o *definition.Owner) {
	ttl, _ := o.AliasTTL()
	target := o.Aliases[0].Host
	cname := []dns.RR{&dns.CNAME{Hdr: header(o.Name, dns.TypeCNAME, ttl), Target: string(target)}}
	b.add(o.Name, anyType, newAnswer(cname, nil, nil))
	i, ok := b.table.names[string(target)]
	if !ok || b.table.nodes[i].first.qtype == anyType {
		return // nothing is held there, or it is another alias
	}
	held := b.table.nodes[i]
	for _, t := range append([]typed{held.first}, held.more...) {
		rrs := append(slices.Clip(cname), t.answer.RRs...)
		b.add(o.Name, t.qtype, newAnswer(rrs, t.answer.Ns, t.answer.Glue))
	}
}

// addNonTerminals makes the names between the held ones and the tops of their
// zones exist (RFC 8020, RFC 4592 §2.2.2). A zone may be within another.
func (b *builder) addNonTerminals() {
	for _, o := range b.index.Owners {
		for name := o.Name; name != "."; {
			name = name.Parent()
			if _, ok := b.table.names[string(name)]; ok || b.table.zones.Of(name) == "" {
				break // what is above a name that exists comes with that one
			}
			b.table.names[string(name)] = 0
		}
	}
}
