package lint

import (
	"slices"
	"sort"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const (
	usualSize = 1232  // what resolvers take over UDP: an IPv6 packet of 1280 octets without its headers
	mostSize  = 65535 // of a message over TCP (RFC 1035 §4.2.2)
)

func answerOver1232(p *pass) {
	p.eachLarge(usualSize, func(owner definition.Name, s set, size int) {
		if size <= mostSize {
			p.report(s.declared[0], []definition.Name{owner}, "the %s answer of %s has %d octets, "+
				"and clients ask again over TCP above %d: write fewer%s", s.rrtype, owner, size, usualSize, s.of)
		}
	})
}

// answerOver65535 reports the declaration with which a set becomes too large, and the next one in each source
// after that: of fragments that make a set together the youngest are wrong.
func answerOver65535(p *pass) {
	p.eachLarge(mostSize, func(owner definition.Name, s set, size int) {
		first := sort.Search(len(s.declared)-1, func(i int) bool { return s.size(i+1) > mostSize })
		for _, pos := range slices.CompactFunc(slices.Clone(s.declared[first:]), sameSource) {
			p.report(pos, []definition.Name{owner}, "the %s answer of %s has %d octets, "+
				"and no message can have more than %d: write fewer%s", s.rrtype, owner, size, mostSize, s.of)
		}
	})
}

func sameSource(a, b definition.Pos) bool { return a.Source == b.Source }

// A set is the records of a type that an owner has.
type set struct {
	rrtype   dns.Type
	of       string              // what there may be too many of, as words of a message
	declared []definition.Pos    // the declarations that make it, in order
	size     func(first int) int // octets of the answer, glue not counted, if it were made of the first declarations
}

const (
	addresses = " addresses"
	targets   = " or shorter targets"
)

// eachLarge calls f for the sets whose answers have more octets than limit.
func (p *pass) eachLarge(limit int, f func(owner definition.Name, s set, size int)) {
	each := func(owner definition.Name, sets []set) {
		for _, s := range sets {
			if size := s.size(len(s.declared)); size > limit {
				f(owner, s, size)
			}
		}
	}
	for o := range p.index.Owners() {
		each(o.Name(), largeSets(o, limit))
	}
	for i := range p.set.Apexes {
		a := &p.set.Apexes[i]
		if atMost(a.Zone, limit, a.Servers, func(s definition.NameServer) definition.Name { return s.Host }) > limit {
			each(a.Zone, []set{newSet(a.Zone, dns.TypeNS, targets, []*definition.Apex{a}, []definition.Pos{a.Pos}, nsRecords)})
		}
	}
}

// largeSets returns the sets of an owner but those that are far below limit: nearly all are,
// and to pack a message takes a hundred times as long as to see that.
func largeSets(o definition.Owner, limit int) (large []set) {
	name := o.Name()
	if n := len(o.Addrs()); base(name)+n*(len(name)+rrSize) > limit {
		large = append(large,
			newSet(name, dns.TypeA, addresses, o.Hosts(), places(o.Hosts()), addressRecords),
			newSet(name, dns.TypeAAAA, addresses, o.Hosts(), places(o.Hosts()), addressRecords))
	}
	if atMost(name, limit, o.Exchanges(), func(e definition.Exchange) definition.Name { return e.Host }) > limit {
		large = append(large, newSet(name, dns.TypeMX, targets, o.Mails(), places(o.Mails()), mxRecords))
	}
	if atMost(name, limit, o.Targets(), func(t definition.Target) definition.Name { return t.Host }) > limit {
		large = append(large, newSet(name, dns.TypeSRV, targets, o.Services(), places(o.Services()), srvRecords))
	}
	for _, s := range o.RRsets() {
		size := base(name)
		for _, d := range s.Records {
			size += len(name) + rrSize + len(d.Data)
		}
		if size > limit {
			of := " or shorter records"
			if s.Records[0].Derived {
				of = " hosts with one address, or ptr in the block of one"
			}
			large = append(large, newSet(name, s.Type, of, s.Declared, places(s.Declared), ownRecord))
		}
	}
	return large
}

const (
	headSize = 12 + 4 + 11     // the header, the type and class of the question, and OPT
	mostRR   = 600             // of a record with two names, and of as much of the rest of a message
	rrSize   = 10 + 16 + 2 + 2 // type, class, TTL, length; data without names, at most; and two names' ends
)

func base(owner definition.Name) int { return headSize + len(owner) + 2 }

// atMost returns a number of octets that an answer does not exceed; 0 if there are too few
// records for limit, whatever their names are.
func atMost[T any](owner definition.Name, limit int, targets []T, host func(T) definition.Name) int {
	if len(targets) < limit/mostRR {
		return 0
	}
	size := base(owner)
	for _, t := range targets {
		size += len(owner) + rrSize + len(host(t))
	}
	return size
}

// newSet returns the set of records that declarations of one kind make, each once.
func newSet[D any](owner definition.Name, rrtype uint16, of string, declared []D, places []definition.Pos,
	records func(D, dns.RR_Header) []dns.RR) set {
	return set{rrtype: dns.Type(rrtype), of: of, declared: places, size: func(first int) int {
		m := new(dns.Msg).SetQuestion(string(owner), rrtype).SetEdns0(usualSize, false)
		m.Compress = true
		for _, d := range declared[:first] {
			m.Answer = append(m.Answer, records(d, dns.RR_Header{Name: string(owner), Rrtype: rrtype, Class: dns.ClassINET})...)
		}
		m.Answer = dns.Dedup(m.Answer, nil)
		return m.Len()
	}}
}

func addressRecords(d *definition.Host, h dns.RR_Header) (rrs []dns.RR) {
	for _, addr := range d.Addrs {
		switch {
		case addr.Is4() && h.Rrtype == dns.TypeA:
			rrs = append(rrs, &dns.A{Hdr: h, A: addr.AsSlice()})
		case addr.Is6() && h.Rrtype == dns.TypeAAAA:
			rrs = append(rrs, &dns.AAAA{Hdr: h, AAAA: addr.AsSlice()})
		}
	}
	return rrs
}

func mxRecords(d *definition.Mail, h dns.RR_Header) (rrs []dns.RR) {
	for _, e := range d.Exchanges {
		rrs = append(rrs, &dns.MX{Hdr: h, Preference: e.Preference, Mx: string(e.Host)})
	}
	return rrs
}

func srvRecords(d *definition.Service, h dns.RR_Header) (rrs []dns.RR) {
	for _, t := range d.Targets {
		rrs = append(rrs, &dns.SRV{Hdr: h, Priority: t.Priority, Weight: t.Weight, Port: t.Port, Target: string(t.Host)})
	}
	return rrs
}

func ownRecord(d *definition.Record, h dns.RR_Header) []dns.RR {
	return []dns.RR{d.RR(definition.Name(h.Name), 0)}
}

func nsRecords(d *definition.Apex, h dns.RR_Header) (rrs []dns.RR) {
	for _, s := range d.Servers {
		rrs = append(rrs, &dns.NS{Hdr: h, Ns: string(s.Host)})
	}
	return rrs
}
