package table

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// IsApex reports whether a name is the apex of an authoritative zone.
func (t *Table) IsApex(name string) bool { return t.authoritative[definition.Name(name)] }

// soaOf returns the SOA of an authoritative zone, without serial.
func soaOf(a *definition.Apex) *dns.SOA {
	return &dns.SOA{
		Hdr:     header(a.Zone, dns.TypeSOA, a.TTL.Seconds),
		Ns:      string(a.MName()),
		Mbox:    a.Contact,
		Refresh: a.Refresh,
		Retry:   a.Retry,
		Expire:  a.Expire,
		Minttl:  a.Negative,
	}
}

// addZone adds a zone, which has an apex if it is authoritative, and the SOA records of the zone. The TTL of the one
// in denials is for how long these may be cached (RFC 2308 §3, §5).
func (t *Table) addZone(zone definition.Name, apex *definition.Apex) {
	t.numbers[zone] = uint32(len(t.denials))
	if apex == nil {
		t.soas = append(t.soas, nil)
		t.denials = append(t.denials, []dns.RR{overlaySOA(zone)})
		return
	}
	t.authoritative[zone] = true
	soa, denial := soaOf(apex), soaOf(apex)
	denial.Hdr.Ttl = min(apex.TTL.Seconds, apex.Negative)
	t.soas = append(t.soas, []dns.RR{soa})
	t.denials = append(t.denials, []dns.RR{denial})
}

// addApex answers for SOA and NS at the apex of an authoritative zone.
func (b *builder) addApex(o definition.Owner) {
	a := o.Apex()
	if a == nil || !b.table.authoritative[a.Zone] {
		return
	}
	b.add(entry{answer: b.store(stored{zone: b.table.numbers[a.Zone]}), qtype: dns.TypeSOA})
	first := len(b.table.rrs)
	for _, s := range a.Servers {
		b.put(&dns.NS{Hdr: header(a.Zone, dns.TypeNS, a.ServerTTL()), Ns: b.target(s.Host)})
	}
	rrs := b.from(first)
	b.add(entry{answer: b.store(stored{rrs: rrs, glue: b.glue(b.table.records(rrs))}), qtype: dns.TypeNS})
}

// setSerials makes the SOA records anew where the serial of the zone is another one.
func (t *Table) setSerials(opt Options) {
	t.soas, t.denials = slices.Clone(t.soas), slices.Clone(t.denials)
	for number := 1; number < len(t.denials); number++ {
		zone, serial := definition.Name(t.denials[number][0].Header().Name), opt.Serial
		if opt.Serials != nil && t.authoritative[zone] {
			serial = opt.Serials(zone, t.contents[zone])
		}
		t.setSerial(number, serial)
	}
}

// setSerialsAfter does so for a table made by a patch, for the zones whose content it has changed.
func (t *Table) setSerialsAfter(before *Table, opt Options) {
	t.soas, t.denials = slices.Clone(before.soas), slices.Clone(before.denials)
	for zone, content := range t.contents {
		if content != before.contents[zone] {
			t.setSerial(int(t.numbers[zone]), opt.Serials(zone, content))
		}
	}
}

func (t *Table) setSerial(number int, serial uint32) {
	t.soas[number] = withSerial(t.soas[number], serial)
	t.denials[number] = withSerial(t.denials[number], serial)
}

// withSerial returns an RRset of one SOA record, or none, with a serial: a copy, if it had another one.
func withSerial(rrset []dns.RR, serial uint32) []dns.RR {
	if len(rrset) == 0 || rrset[0].(*dns.SOA).Serial == serial {
		return rrset
	}
	soa := *rrset[0].(*dns.SOA)
	soa.Serial = serial
	return []dns.RR{&soa}
}
