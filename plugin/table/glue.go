package table

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A host is where its two RRsets lie, A before AAAA; either may be empty.
type host struct{ a, aaaa span }

// addAddresses makes the address records of a host, which are its own answers and glue of others.
func (b *builder) addAddresses(o definition.Owner) {
	if len(o.Hosts()) == 0 {
		return
	}
	ttl := o.HostTTL()
	first := len(b.table.rrs)
	h := host{a: b.from(first)}
	for _, addr := range o.Addrs() { // A first: it is sorted
		if addr.Is4() {
			b.put(b.a.new(dns.A{Hdr: header(o.Name(), dns.TypeA, ttl), A: b.ip(addr)}))
			h.a = b.from(first)
		} else {
			b.put(b.aaaa.new(dns.AAAA{Hdr: header(o.Name(), dns.TypeAAAA, ttl), AAAA: b.ip(addr)}))
		}
	}
	h.aaaa = b.from(int(h.a.end))
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

// addHost answers for both families of addresses, first for one that the host has, which ANY gets.
func (b *builder) addHost(o definition.Owner) {
	if len(o.Hosts()) == 0 {
		return
	}
	h := b.hosts[o.Number()]
	fixed := o.HostOrder()
	if !h.a.empty() {
		b.addFamily(o.Name(), dns.TypeA, h.a, fixed)
	}
	b.addFamily(o.Name(), dns.TypeAAAA, h.aaaa, fixed)
	if h.a.empty() {
		b.addFamily(o.Name(), dns.TypeA, h.a, fixed)
	}
}

// addFamily adds the addresses of one family, or denies that there are any.
func (b *builder) addFamily(owner definition.Name, qtype uint16, rrs span, fixed bool) {
	if rrs.empty() {
		b.add(entry{answer: b.denial(owner), qtype: qtype})
		return
	}
	b.add(entry{answer: b.store(stored{rrs: rrs}), qtype: qtype, order: Rotated.unless(fixed || rrs.end-rrs.start < 2)})
}

// glue puts the addresses of the targets of records, each host once. What a SVCB record is an alias of has such records
// itself, which come too (RFC 9460 §4.1).
func (b *builder) glue(records []dns.RR) span {
	clear(b.glueOf)
	first := len(b.table.rrs)
	for _, rr := range records {
		name := targetOf(rr)
		o := b.index.At(name)
		if _, seen := b.glueOf[name]; seen {
			continue
		}
		start := len(b.table.rrs)
		if len(o.Hosts()) > 0 {
			h := b.hosts[o.Number()]
			b.table.rrs = append(b.table.rrs, b.table.rrs[h.a.start:h.aaaa.end]...)
		}
		b.glueOf[name] = b.from(start)
		if isServiceAlias(rr) {
			b.putRecords(o, rr.Header().Rrtype)
		}
	}
	return b.from(first)
}

// isServiceAlias reports whether a record is SVCB or HTTPS in alias mode (RFC 9460 §2.4.2).
func isServiceAlias(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.SVCB:
		return rr.Priority == 0
	case *dns.HTTPS:
		return rr.Priority == 0
	}
	return false
}

func targetOf(rr dns.RR) definition.Name {
	switch rr := rr.(type) {
	case *dns.MX:
		return definition.Name(rr.Mx)
	case *dns.SRV:
		return definition.Name(rr.Target)
	case *dns.NS:
		return definition.Name(rr.Ns)
	case *dns.SVCB:
		return serviceTarget(rr)
	case *dns.HTTPS:
		return serviceTarget(&rr.SVCB)
	}
	return ""
}

// serviceTarget returns the name that has the addresses: "." stands for the owner, or for none (RFC 9460 §2.5).
func serviceTarget(rr *dns.SVCB) definition.Name {
	if rr.Target == "." && rr.Priority > 0 {
		return definition.Name(rr.Hdr.Name)
	}
	return definition.Name(rr.Target)
}
