package table

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// NegativeTTL is for how many seconds a denial may be kept (RFC 2308 §5) in a
// zone that is not served whole. New hosts and services appear all the time, and
// whoever asked too early should not wait long; CoreDNS's kubernetes denies for
// 5 s, zone files for an hour.
const NegativeTTL = definition.DefaultNegative

// soa returns the SOA of a zone that is not served whole: enough for a denial.
// The names in it are those that CoreDNS's own synthesizing plugins use.
func soa(zone definition.Name, serial uint32) *dns.SOA {
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

// soaOf returns the SOA of a zone that is served whole.
func soaOf(a *definition.Apex) *dns.SOA {
	return &dns.SOA{
		Hdr:     header(a.Zone, dns.TypeSOA, a.TTL.Seconds),
		Ns:      string(a.Servers[0].Host),
		Mbox:    a.Contact,
		Refresh: a.Refresh,
		Retry:   a.Retry,
		Expire:  a.Expire,
		Minttl:  a.Negative,
	}
}

// addZone makes the SOA that denials in a zone have: with the TTL for which they
// may be kept (RFC 2308 §3, §5).
func (b *builder) addZone(zone definition.Name, serial uint32) {
	t := b.table
	denial := soa(zone, serial)
	if a := b.index.At(zone).Apex(); a != nil {
		denial = soaOf(a)
		denial.Hdr.Ttl = min(a.TTL.Seconds, a.Negative)
		b.serial[zone] = append(b.serial[zone], &denial.Serial)
		t.whole[zone], t.anyWhole = true, true
	}
	t.soas[zone] = uint32(len(t.denials))
	t.denials = append(t.denials, []dns.RR{denial})
}

// addApex answers for SOA and NS at the top of a zone that is served whole.
func (b *builder) addApex(o definition.Owner) {
	a := o.Apex()
	if a == nil || !b.table.whole[a.Zone] {
		return
	}
	soa := soaOf(a)
	b.serial[a.Zone] = append(b.serial[a.Zone], &soa.Serial)
	first := len(b.table.rrs)
	b.put(soa)
	b.add(dns.TypeSOA, b.store(stored{rrs: b.from(first)}), false)

	first = len(b.table.rrs)
	for _, s := range a.Servers {
		b.put(&dns.NS{Hdr: header(a.Zone, dns.TypeNS, a.TTL.Seconds), Ns: b.target(s.Host)})
	}
	rrs := b.from(first)
	b.add(dns.TypeNS, b.store(stored{rrs: rrs, glue: b.glue(b.table.records(rrs))}), false)
}

// setSerials puts the serials into the SOA records of t, once the zones have their
// content.
func (b *builder) setSerials(opt Options, t *Table, content func(zone definition.Name) sum) {
	var delegations map[definition.Name]sum
	if opt.Serials != nil {
		delegations = t.delegations()
	}
	for _, zone := range opt.Zones {
		soas := b.serial[zone]
		delete(b.serial, zone) // a zone may be there twice
		if len(soas) == 0 {
			continue
		}
		serial := opt.Serial
		if opt.Serials != nil {
			b.table.contents[zone] = content(zone)
			serial = opt.Serials(zone, b.table.contents[zone].plus(delegations[zone]).digest())
		}
		for _, s := range soas {
			*s = serial
		}
	}
}
