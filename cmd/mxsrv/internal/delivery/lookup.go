package delivery

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A Lookup returns the answer of DNS to a question. The name is absolute and in lower case.
type Lookup func(name string, qtype uint16) Answer

// An Answer is that of DNS.
type Answer struct {
	Status Status
	RRs    []dns.RR // of the Answer section: aliases, then the records of the last name
	Fixed  bool     // all answers have this order
}

// A Status is how a question ended.
type Status int

const (
	Failed    Status = iota // no answer, or SERVFAIL: a later query may have one
	Found                   // there are records
	NoData                  // the name exists, without records of the type
	NoName                  // NXDOMAIN
	Elsewhere               // the name is in none of the zones that the answers are about
)

// A Host is a host with the addresses that DNS has for it. Names of hosts and domains are in lower case and, as in mail
// (RFC 5321 §2.3.5), without a final dot.
type Host struct {
	Name   string
	Addrs  []netip.Addr // IPv4 first
	Status Status       // of Addrs
}

// plain returns a name as it is in plans.
func plain(name string) string {
	name = strings.ToLower(name)
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// maxAliases is how many aliases in a row are followed, about as many as by resolvers.
const maxAliases = 8

// Follow asks for the records of a type and follows aliases, also those that the answer does not follow itself. It
// returns the records of the last name, and the names on the way to it.
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
		a.RRs = slices.DeleteFunc(slices.Clone(a.RRs), func(rr dns.RR) bool {
			return rr.Header().Rrtype != qtype || dns.CanonicalName(rr.Header().Name) != at
		})
		switch {
		case a.Status != Found || len(a.RRs) > 0:
			return a, path
		case len(path) == before:
			return Answer{Status: NoData}, path
		}
	}
}

// alias returns what a name is an alias of, or "".
func alias(rrs []dns.RR, name string) string {
	for _, rr := range rrs {
		if c, ok := rr.(*dns.CNAME); ok && dns.CanonicalName(c.Hdr.Name) == name {
			return dns.CanonicalName(c.Target)
		}
	}
	return ""
}

// Host asks for the addresses of a host.
func (look Lookup) Host(name string) Host {
	h := Host{Name: plain(name), Status: NoName}
	if h.Name == "." {
		return h
	}
	v4, _ := look.Follow(name, dns.TypeA)
	v6, _ := look.Follow(name, dns.TypeAAAA)
	for _, rr := range slices.Concat(v4.RRs, v6.RRs) {
		h.Addrs = append(h.Addrs, address(rr))
	}
	switch {
	case len(h.Addrs) > 0:
		h.Status = Found
	case v6.Status == Failed:
		h.Status = Failed
	default:
		h.Status = v4.Status
	}
	return h
}

func address(rr dns.RR) (addr netip.Addr) {
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		addr, _ = netip.AddrFromSlice(rr.AAAA)
	}
	return addr.Unmap()
}
