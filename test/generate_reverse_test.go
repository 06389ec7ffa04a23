package test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A pointer is a host that an address belongs to.
type pointer struct {
	host string
	ttl  uint32
	ptr  bool // the host's block says so
}

// someAddr makes an address in one of two networks that no other set has.
func (g *generator) someAddr(is6 bool) netip.Addr {
	seed := byte(g.seed)
	if is6 {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, seed, 14: byte(g.rnd.IntN(16)), 15: byte(g.rnd.Uint32())})
	}
	return netip.AddrFrom4([4]byte{198, 18, seed, byte(g.rnd.Uint32())})
}

// reverse declares the reverse zones of these networks, or one or none of them, in a stanza that it returns.
func (g *generator) reverse() string {
	seed := byte(g.seed)
	zones := []string{fmt.Sprintf("%d.18.198.in-addr.arpa.", seed), fmt.Sprintf("%x.%x.8.b.d.0.1.0.0.2.ip6.arpa.", seed&15, seed>>4)}
	zones = zones[:g.rnd.IntN(3)]
	if len(zones) == 0 {
		return ""
	}
	server := "ns1." + g.zones[0]
	g.zones = append(g.zones, zones...)
	for _, zone := range zones {
		g.soas[zone] = &dns.SOA{Hdr: rrHeader(zone, dns.TypeSOA, 3600), Ns: server, Mbox: "admin.example.com.",
			Refresh: 7200, Retry: 1800, Expire: 1209600, Minttl: 60}
		g.declare(&dns.NS{Hdr: rrHeader(zone, dns.TypeNS, 3600), Ns: server})
	}
	for addr, pointers := range g.pointers {
		name, _ := dns.ReverseAddr(addr.String())
		if g.zoneOf(name) != "" {
			g.point(name, pointers)
		}
	}
	return fmt.Sprintf("mxsrv %s {\nauthoritative {\nns %s\ncontact admin.example.com.\n}\n}\n", strings.Join(zones, " "), server)
}

// point declares the PTR records of an address: of the hosts with ptr, if there are any.
func (g *generator) point(name string, pointers []pointer) {
	if slices.ContainsFunc(pointers, func(p pointer) bool { return p.ptr }) {
		pointers = slices.DeleteFunc(slices.Clone(pointers), func(p pointer) bool { return !p.ptr })
	}
	ttl := pointers[0].ttl
	for _, p := range pointers {
		ttl = min(ttl, p.ttl)
	}
	for _, p := range pointers {
		g.declare(&dns.PTR{Hdr: rrHeader(name, dns.TypePTR, ttl), Ptr: p.host})
	}
}
