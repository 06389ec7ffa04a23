package lint

import (
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const (
	usualSize = 1232 // what resolvers take over UDP: an IPv6 packet of 1280 octets without its headers
	optSize   = 11   // an OPT record without options
)

func answerOver1232(p *pass) {
	for o := range p.index.Owners() {
		if size := mxSize(o); size > usualSize {
			p.tooLarge(o.Mails()[0].Pos, o.Name(), "MX", size)
		}
		if size := srvSize(o); size > usualSize {
			p.tooLarge(o.Services()[0].Pos, o.Name(), "SRV", size)
		}
	}
}

func (p *pass) tooLarge(pos definition.Pos, name definition.Name, kind string, size int) {
	p.report(pos, []definition.Name{name},
		"the %s answer of %s has %d octets, and clients ask again over TCP above %d: write fewer or shorter targets", kind, name, size, usualSize)
}

func mxSize(o definition.Owner) int {
	m := message(o.Name(), dns.TypeMX)
	for _, e := range o.Exchanges() {
		m.Answer = append(m.Answer, &dns.MX{
			Hdr: header(o.Name(), dns.TypeMX), Preference: e.Preference, Mx: string(e.Host)})
	}
	return m.Len() + optSize
}

func srvSize(o definition.Owner) int {
	m := message(o.Name(), dns.TypeSRV)
	for _, t := range o.Targets() {
		m.Answer = append(m.Answer, &dns.SRV{
			Hdr: header(o.Name(), dns.TypeSRV), Target: string(t.Host)})
	}
	return m.Len() + optSize
}

func message(name definition.Name, qtype uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(string(name), qtype)
	m.Compress = true
	return m
}

func header(name definition.Name, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: string(name), Rrtype: rrtype, Class: dns.ClassINET}
}
