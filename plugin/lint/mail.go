package lint

import (
	"net/netip"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func mxTargetAlias(p *pass) {
	for _, m := range p.set.Mails {
		for _, e := range m.Exchanges {
			if o := p.index.At(e.Host); len(o.Aliases()) > 0 {
				p.clashWithAliases(e.Pos, o)
				p.report(e.Pos, []definition.Name{m.Owner, e.Host},
					"exchange %s of %s is an alias: write %s", e.Host, m.Owner, o.Aliases()[0].Host)
			}
		}
	}
}

func mailWildcard(p *pass) {
	for _, m := range p.set.Mails {
		if slices.Contains(m.Owner.Labels(), "*") {
			p.report(m.Pos, []definition.Name{m.Owner},
				"wildcard mail domain %s: write a name for each domain that takes mail", m.Owner)
		}
	}
}

func nullMXNotAlone(p *pass) {
	for o := range p.index.Owners() {
		isNull := func(m *definition.Mail) bool { return len(m.Exchanges) == 0 }
		null := slices.IndexFunc(o.Mails(), isNull)
		if null >= 0 && len(o.Exchanges()) > 0 {
			p.clashes = clashesOf(o.Mails(), isNull, func(m *definition.Mail) definition.Pos { return m.Pos })
			p.report(o.Mails()[null].Pos, []definition.Name{o.Name()},
				"mail domain %s has none, and exchanges at %s: delete one of them", o.Name(), o.Exchanges()[0].Pos)
		}
	}
}

func mailSingleHost(p *pass) {
	for o := range p.index.Owners() {
		exchanges := o.Exchanges()
		another := func(e definition.Exchange) bool { return e.Host != exchanges[0].Host }
		if len(exchanges) > 0 && !slices.ContainsFunc(exchanges, another) {
			p.report(o.Mails()[0].Pos, []definition.Name{o.Name(), exchanges[0].Host},
				"mail domain %s has a single exchange, %s: add a second one, so that mail has somewhere to go while it is down", o.Name(), exchanges[0].Host)
		}
	}
}

func mailOneNetwork(p *pass) {
	var last []definition.Exchange // the domains of one line have the same
	var network netip.Prefix
	one := false
	for o := range p.index.Owners() {
		exchanges := o.Exchanges()
		if len(exchanges) < 2 {
			continue
		}
		if len(last) != len(exchanges) || &last[0] != &exchanges[0] {
			network, one = p.oneNetwork(exchanges)
			last = exchanges
		}
		if one {
			p.report(o.Mails()[0].Pos, []definition.Name{o.Name()},
				"all exchanges of %s are in %s: add one on another network", o.Name(), network)
		}
	}
}

// oneNetwork returns the network that all addresses of several hosts are in. A
// host whose addresses are not known here may be anywhere.
func (p *pass) oneNetwork(exchanges []definition.Exchange) (common netip.Prefix, ok bool) {
	var v4, v6 netip.Prefix
	hosts := 1
	for _, e := range exchanges {
		if e.Host != exchanges[0].Host {
			hosts++
		}
		addrs := p.index.At(e.Host).Addrs()
		if len(addrs) == 0 {
			return common, false
		}
		for _, addr := range addrs {
			network, bits := &v4, 24
			if addr.Is6() {
				network, bits = &v6, 64
			}
			of, _ := addr.Prefix(bits)
			if network.IsValid() && *network != of {
				return common, false
			}
			*network = of
		}
	}
	if v4.IsValid() {
		return v4, hosts > 1
	}
	return v6, hosts > 1
}
