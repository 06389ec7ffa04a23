package lint

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func wildcardMail(p *pass) {
	for _, m := range p.set.Mails {
		if !strings.Contains(string(m.Owner), "*") || p.ignores(mailWildcard) && p.answersWildcard(m) {
			continue
		}
		accept := ""
		if m.Owner.IsWildcard() && !m.SRV {
			accept = "; in an authoritative zone, ignore mail-wildcard accepts it"
		}
		p.report(m.Pos, []definition.Name{m.Owner},
			"wildcard mail domain %s: write a name for each domain that takes mail%s", m.Owner, accept)
	}
}

// answersWildcard reports whether a wildcard mail domain can be served to those who insist: as MX alone, as there is no
// wildcard above _smtp._tcp, and where nobody else has names of the zone.
func (p *pass) answersWildcard(m definition.Mail) bool {
	return m.Owner.IsWildcard() && belowAsterisk(m.Owner, definition.Name.IsHost) && !m.SRV && p.authoritative(m.Owner)
}

func nullMXNotAlone(p *pass) {
	isNull := func(m *definition.Mail) bool { return len(m.Exchanges) == 0 }
	for o := range p.index.Owners() {
		if null := slices.IndexFunc(o.Mails(), isNull); null >= 0 && len(o.Exchanges()) > 0 {
			p.report(o.Mails()[null].Pos, []definition.Name{o.Name()},
				"mail domain %s has none, and exchanges at %s: delete one of them", o.Name(), o.Exchanges()[0].Pos)
		}
	}
}

func mailSingleHost(p *pass) {
	for o := range p.index.Owners() {
		exchanges := o.Exchanges()
		if len(exchanges) == 0 || !oneHost(exchanges) || p.zones.Of(exchanges[0].Host) == "" {
			continue // a host elsewhere may be many machines
		}
		p.report(o.Mails()[0].Pos, []definition.Name{o.Name(), exchanges[0].Host},
			"mail domain %s has a single exchange, %s: add a second one, "+
				"so that mail has somewhere to go while it is down", o.Name(), exchanges[0].Host)
	}
}

// oneHost reports whether all exchanges are one host.
func oneHost(exchanges []definition.Exchange) bool {
	another := func(e definition.Exchange) bool { return e.Host != exchanges[0].Host }
	return !slices.ContainsFunc(exchanges, another)
}

func mailOneNetwork(p *pass) {
	var last []definition.Exchange // the domains of one line share their exchanges
	var network netip.Prefix
	for o := range p.index.Owners() {
		exchanges := o.Exchanges()
		if len(exchanges) < 2 {
			continue
		}
		if len(last) != len(exchanges) || &last[0] != &exchanges[0] {
			last, network = exchanges, p.commonNetwork(exchanges)
		}
		if network.IsValid() {
			p.report(o.Mails()[0].Pos, []definition.Name{o.Name()},
				"all exchanges of %s are in %s: add one on another network", o.Name(), network)
		}
	}
}

// commonNetwork returns the /24 of all IPv4 addresses of several hosts, or if they
// have none the /64 of all IPv6 addresses. It is not valid if a family has several
// networks, or if a host has no addresses here: it may be anywhere.
func (p *pass) commonNetwork(exchanges []definition.Exchange) (none netip.Prefix) {
	if oneHost(exchanges) {
		return none
	}
	var v4, v6 netip.Prefix
	for _, e := range exchanges {
		addrs := p.index.At(e.Host).Addrs()
		if len(addrs) == 0 {
			return none
		}
		for _, addr := range addrs {
			common, bits := &v4, 24
			if addr.Is6() {
				common, bits = &v6, 64
			}
			network, _ := addr.Prefix(bits)
			if common.IsValid() && *common != network {
				return none
			}
			*common = network
		}
	}
	return cmp.Or(v4, v6)
}
