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
	exchanges, most := o.Exchanges(), 0
	for _, e := range exchanges {
		most += rdataMost + len(e.Host)
	}
	if fits(o.Name(), len(exchanges), most) {
		return 0
	}
	m := message(o.Name(), dns.TypeMX)
	for _, e := range exchanges {
		m.Answer = append(m.Answer, &dns.MX{
			Hdr: header(o.Name(), dns.TypeMX), Preference: e.Preference, Mx: string(e.Host)})
	}
	return m.Len() + optSize
}

func srvSize(o definition.Owner) int {
	targets, most := o.Targets(), 0
	for _, t := range targets {
		most += rdataMost + len(t.Host)
	}
	if fits(o.Name(), len(targets), most) {
		return 0
	}
	m := message(o.Name(), dns.TypeSRV)
	for _, t := range targets {
		m.Answer = append(m.Answer, &dns.SRV{
			Hdr: header(o.Name(), dns.TypeSRV), Target: string(t.Host)})
	}
	return m.Len() + optSize
}

// rdataMost is the octets of MX and SRV data without the name, and two for it:
// a name on the wire is its text and two octets at most.
const rdataMost = 6 + 2

// fits tells the many answers that are far from too large, by what they have
// without compression of owners.
func fits(owner definition.Name, records, rdata int) bool {
	const header, question, rr = 12, 4, 10
	return header+question+optSize+(records+1)*(len(owner)+2)+records*rr+rdata <= usualSize
}

func message(name definition.Name, qtype uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(string(name), qtype)
	m.Compress = true
	return m
}

func header(name definition.Name, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: string(name), Rrtype: rrtype, Class: dns.ClassINET}
}
