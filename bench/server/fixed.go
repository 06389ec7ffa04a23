package main

import (
	"context"
	"net"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

func init() { plugin.Register("fixed", setup) }

func setup(c *caddy.Controller) error {
	dnsserver.GetConfig(c).AddPlugin(func(plugin.Handler) plugin.Handler { return fixed{} })
	return nil
}

// fixed gives every query the same answer and looks at nothing. No plugin that
// answers with these records can cost less: it is what the server itself takes.
type fixed struct{}

func (fixed) Name() string { return "fixed" }

func (fixed) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := new(dns.Msg).SetReply(r)
	m.Authoritative = true
	m.Answer, m.Extra = exchanges, addresses
	return dns.RcodeSuccess, w.WriteMsg(m)
}

// Shared by all answers, and full to their capacity: the server may append.
var (
	exchanges = slices.Clip([]dns.RR{mx(10, "mx1.example.org."), mx(20, "mx2.example.org.")})
	addresses = slices.Clip([]dns.RR{a("mx1.example.org.", 10), a("mx2.example.org.", 20)})
)

func mx(preference uint16, host string) dns.RR {
	return &dns.MX{Hdr: header("example.org.", dns.TypeMX), Preference: preference, Mx: host}
}

func a(owner string, last byte) dns.RR {
	return &dns.A{Hdr: header(owner, dns.TypeA), A: net.IP{192, 0, 2, last}}
}

func header(owner string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: 3600}
}
