package lint

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func (p *pass) hasPlugin(name string) bool { return slices.Contains(p.opt.Plugins, name) }

// glueTTLLower reports only where cache is: it keeps a message for the lowest TTL
// in it. Resolvers keep each RRset for its own.
func glueTTLLower(p *pass) {
	if !p.hasPlugin("cache") {
		return
	}
	for o := range p.index.Owners() {
		mail, _ := o.MailTTL()
		for _, e := range o.Exchanges() {
			p.lowerTTL(e.Pos, o.Name(), e.Host, mail)
		}
		service, _ := o.ServiceTTL()
		for _, t := range o.Targets() {
			p.lowerTTL(t.Pos, o.Name(), t.Host, service)
		}
	}
}

// lowerTTL reports a host whose addresses have a lower TTL than the records that
// point to it.
func (p *pass) lowerTTL(pos definition.Pos, owner, host definition.Name, ttl uint32) {
	h := p.index.At(host)
	if lowest, _ := h.HostTTL(); len(h.Hosts()) > 0 && lowest < ttl {
		p.report(pos, []definition.Name{owner, host}, "host %s has ttl %d and %s has %d, "+
			"and cache keeps the answer for %d: write the same ttl for both", host, lowest, owner, ttl, lowest)
	}
}

func minimalStripsGlue(p *pass) {
	if p.hasPlugin("minimal") && len(p.set.Mails)+len(p.set.Services) > 0 {
		p.report(p.opt.Pos, nil, "the minimal plugin takes the addresses out of MX and SRV answers: "+
			"delete minimal from this server block")
	}
}
