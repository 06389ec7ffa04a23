package lint

import (
	"net/netip"
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

// answerOver65535 reports the declaration with which a set becomes too large, and those
// after it: of fragments that make a set together the youngest are wrong.
func answerOver65535(p *pass) {
	p.eachLarge(mostSize, func(owner definition.Name, s set, size int) {
		first := sort.Search(len(s.declared)-1, func(i int) bool { return s.size(i+1) > mostSize })
		for _, pos := range s.declared[first:] {
			p.report(pos, []definition.Name{owner}, "the %s answer of %s has %d octets, "+
				"and no message can have more than %d: write fewer%s", s.rrtype, owner, size, mostSize, s.of)
		}
	})
}

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
		if atMost(a.Zone, limit, a.Servers, func(s definition.NameServer) definition.Name { return s.Host }) <= limit {
			continue
		}
		each(a.Zone, []set{newSet(a.Zone, dns.TypeNS, targets, []*definition.Apex{a}, apexPos, nameServers, nameServer)})
	}
}

// largeSets returns the sets of an owner but those that are far below limit: nearly all are,
// and to pack a message takes a hundred times as long as to see that.
func largeSets(o definition.Owner, limit int) (large []set) {
	name := o.Name()
	if n := len(o.Addrs()); base(name)+n*(len(name)+rrSize) > limit {
		large = append(large,
			newSet(name, dns.TypeA, addresses, o.Hosts(), hostPos, only(netip.Addr.Is4), address),
			newSet(name, dns.TypeAAAA, addresses, o.Hosts(), hostPos, only(netip.Addr.Is6), address))
	}
	if atMost(name, limit, o.Exchanges(), func(e definition.Exchange) definition.Name { return e.Host }) > limit {
		large = append(large, newSet(name, dns.TypeMX, targets, o.Mails(), mailPos, exchanges, exchange))
	}
	if atMost(name, limit, o.Targets(), func(t definition.Target) definition.Name { return t.Host }) > limit {
		large = append(large,
			newSet(name, dns.TypeSRV, targets, o.Services(), servicePos, serviceTargets, serviceTarget))
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
func newSet[D any, T comparable](owner definition.Name, rrtype uint16, of string, declared []D,
	pos func(D) definition.Pos, items func(D) []T, record func(dns.RR_Header, T) dns.RR) set {
	s := set{rrtype: dns.Type(rrtype), of: of}
	for _, d := range declared {
		s.declared = append(s.declared, pos(d))
	}
	s.size = func(first int) int {
		m := new(dns.Msg).SetQuestion(string(owner), rrtype).SetEdns0(usualSize, false)
		m.Compress = true
		h := dns.RR_Header{Name: string(owner), Rrtype: rrtype, Class: dns.ClassINET}
		seen := make(map[T]bool)
		for _, d := range declared[:first] {
			for _, item := range items(d) {
				if !seen[item] {
					seen[item] = true
					m.Answer = append(m.Answer, record(h, item))
				}
			}
		}
		return m.Len()
	}
	return s
}

func only(family func(netip.Addr) bool) func(*definition.Host) []netip.Addr {
	return func(h *definition.Host) (addrs []netip.Addr) {
		for _, addr := range h.Addrs {
			if family(addr) {
				addrs = append(addrs, addr)
			}
		}
		return addrs
	}
}

func address(h dns.RR_Header, addr netip.Addr) dns.RR {
	if addr.Is4() {
		return &dns.A{Hdr: h, A: addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: h, AAAA: addr.AsSlice()}
}

// exchanges, serviceTargets and nameServers return what a declaration has, without places.
func exchanges(m *definition.Mail) []definition.Exchange {
	return without(m.Exchanges, func(e *definition.Exchange) { e.Pos = definition.Pos{} })
}

func serviceTargets(s *definition.Service) []definition.Target {
	return without(s.Targets, func(t *definition.Target) { t.Pos = definition.Pos{} })
}

func nameServers(a *definition.Apex) []definition.NameServer {
	return without(a.Servers, func(s *definition.NameServer) { s.Pos = definition.Pos{} })
}

func without[T any](all []T, clearPos func(*T)) []T {
	all = slices.Clone(all)
	for i := range all {
		clearPos(&all[i])
	}
	return all
}

func exchange(h dns.RR_Header, e definition.Exchange) dns.RR {
	return &dns.MX{Hdr: h, Mx: string(e.Host)}
}

func serviceTarget(h dns.RR_Header, t definition.Target) dns.RR {
	return &dns.SRV{Hdr: h, Target: string(t.Host)}
}

func nameServer(h dns.RR_Header, s definition.NameServer) dns.RR {
	return &dns.NS{Hdr: h, Ns: string(s.Host)}
}
