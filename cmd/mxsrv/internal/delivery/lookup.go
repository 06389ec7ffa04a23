package delivery

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A Lookup asks DNS a question. The name is absolute and in lower case.
type Lookup func(name string, qtype uint16) Answer

// An Answer is what DNS said.
type Answer struct {
	Status Status
	RRs    []dns.RR // of the Answer section: aliases, then the records of the last name
}

// A Status says how a question ended.
type Status int

const (
	Failed    Status = iota // no answer, or SERVFAIL: it may go better later
	Found                   // there are records
	NoData                  // the name exists, without records of the type
	NoName                  // NXDOMAIN
	Elsewhere               // who was asked does not know the name, and is not the one to know it
)

// A Host is a host with the addresses that DNS has for it. Names of hosts and
// domains are in lower case and, as in mail (RFC 5321 §2.3.5), without a final
// dot.
type Host struct {
	Name   string
	Addrs  []netip.Addr // IPv4 first
	Status Status       // of Addrs
}

// plain is the form of names in plans.
func plain(name string) string {
	name = strings.ToLower(name)
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// maxAliases is how many aliases in a row are followed; resolvers follow about
// as many.
const maxAliases = 8

// Follow asks for the records of a type and follows aliases, those that the
// answer does not follow itself too. It returns the records of the last name, and
// the names on the way to it.
func (look Lookup) Follow(name string, qtype uint16) (Answer, []string) {
	var path []string
	at := dns.CanonicalName(name)
	for {
		a := look(at, qtype)
		before := len(path)
		for next := alias(a.RRs, at); next != ""; next = alias(a.RRs, at) {
			if path = append(path, plain(next)); len(path) > maxAliases {
				return Answer{Status: Failed}, path
			}
			at = next
		}
		a.RRs = ofType(a.RRs, at, qtype)
		switch {
		case a.Status != Found || len(a.RRs) > 0:
			return a, path
		case len(path) == before:
			return Answer{Status: NoData}, path
		}
	}
}

// alias returns what name is an alias of according to some records, or "".
func alias(rrs []dns.RR, name string) string {
	for _, rr := range rrs {
		if c, ok := rr.(*dns.CNAME); ok && dns.CanonicalName(c.Hdr.Name) == name {
			return dns.CanonicalName(c.Target)
		}
	}
	return ""
}

func ofType(rrs []dns.RR, name string, rrtype uint16) []dns.RR {
	var of []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype == rrtype && dns.CanonicalName(rr.Header().Name) == name {
			of = append(of, rr)
		}
	}
	return of
}

// Host asks for the addresses of a host.
func (look Lookup) Host(name string) Host {
	h := Host{Name: plain(name)}
	if h.Name == "." {
		h.Status = NoName
		return h
	}
	v4, _ := look.Follow(name, dns.TypeA)
	v6, _ := look.Follow(name, dns.TypeAAAA)
	for _, rr := range slices.Concat(v4.RRs, v6.RRs) {
		h.Addrs = append(h.Addrs, address(rr))
	}
	h.Status = v4.Status
	if len(h.Addrs) > 0 {
		h.Status = Found
	} else if v6.Status == Failed {
		h.Status = Failed
	}
	return h
}

func address(rr dns.RR) netip.Addr {
	var ip []byte
	switch rr := rr.(type) {
	case *dns.A:
		ip = rr.A
	case *dns.AAAA:
		ip = rr.AAAA
	}
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}
