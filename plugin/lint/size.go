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
		exchanges, targets := o.Exchanges(), o.Targets()
		mx := answerSize(o.Name(), dns.TypeMX, len(exchanges), func(i int) definition.Name { return exchanges[i].Host })
		if mx > usualSize {
			p.tooLarge(o.Mails()[0].Pos, o.Name(), "MX", mx)
		}
		srv := answerSize(o.Name(), dns.TypeSRV, len(targets), func(i int) definition.Name { return targets[i].Host })
		if srv > usualSize {
			p.tooLarge(o.Services()[0].Pos, o.Name(), "SRV", srv)
		}
	}
}

func (p *pass) tooLarge(pos definition.Pos, name definition.Name, kind string, size int) {
	p.report(pos, []definition.Name{name}, "the %s answer of %s has %d octets, and clients ask again over TCP above %d: "+
		"write fewer or shorter targets", kind, name, size, usualSize)
}

// answerSize returns the octets of an answer with n records of type MX or SRV,
// glue not counted. It may be too high where it is far below usualSize: most
// answers are, and to pack a message takes a hundred times as long.
func answerSize(owner definition.Name, rrtype uint16, n int, host func(i int) definition.Name) int {
	most := headSize + optSize + wireLen(owner)
	for i := range n {
		most += wireLen(owner) + rrSize + wireLen(host(i))
	}
	if most <= usualSize {
		return most
	}
	m := new(dns.Msg).SetQuestion(string(owner), rrtype)
	m.Compress = true
	for i := range n {
		m.Answer = append(m.Answer, record(owner, rrtype, host(i)))
	}
	return m.Len() + optSize
}

const (
	headSize = 12 + 4 // the header, and the type and class of the question
	rrSize   = 10 + 6 // type, class, TTL, length; and data of SRV without the name, of MX it is less
)

// wireLen returns the most octets of a name on the wire.
func wireLen(name definition.Name) int { return len(name) + 2 }

func record(owner definition.Name, rrtype uint16, host definition.Name) dns.RR {
	h := dns.RR_Header{Name: string(owner), Rrtype: rrtype, Class: dns.ClassINET}
	if rrtype == dns.TypeMX {
		return &dns.MX{Hdr: h, Mx: string(host)}
	}
	return &dns.SRV{Hdr: h, Target: string(host)}
}
