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
		null := slices.IndexFunc(o.Mails(), func(m *definition.Mail) bool { return len(m.Exchanges) == 0 })
		if null >= 0 && len(o.Exchanges()) > 0 {
			p.report(o.Mails()[null].Pos, []definition.Name{o.Name()},
				"mail domain %s has none, and exchanges at %s: delete one of them", o.Name(), o.Exchanges()[0].Pos)
		}
	}
}

func mailSingleHost(p *pass) {
	for o := range p.index.Owners() {
		if hosts := exchangeHosts(o); len(hosts) == 1 {
			p.report(o.Mails()[0].Pos, []definition.Name{o.Name(), hosts[0]},
				"mail domain %s has a single exchange, %s: add a second one, so that mail has somewhere to go while it is down", o.Name(), hosts[0])
		}
	}
}

func mailOneNetwork(p *pass) {
	for o := range p.index.Owners() {
		hosts := exchangeHosts(o)
		if len(hosts) < 2 {
			continue
		}
		if network, ok := p.oneNetwork(hosts); ok {
			p.report(o.Mails()[0].Pos, []definition.Name{o.Name()},
				"all exchanges of %s are in %s: add one on another network", o.Name(), network)
		}
	}
}

// oneNetwork returns the network that all addresses of the hosts are in. A host
// whose addresses are not known here may be anywhere.
func (p *pass) oneNetwork(hosts []definition.Name) (netip.Prefix, bool) {
	networks := map[bool]netip.Prefix{} // by whether it is IPv6
	for _, host := range hosts {
		o := p.index.At(host)
		if len(o.Hosts()) == 0 {
			return netip.Prefix{}, false
		}
		for _, addr := range o.Addrs() {
			bits := 24
			if addr.Is6() {
				bits = 64
			}
			network, _ := addr.Prefix(bits)
			if known, ok := networks[addr.Is6()]; ok && known != network {
				return netip.Prefix{}, false
			}
			networks[addr.Is6()] = network
		}
	}
	if v4, ok := networks[false]; ok {
		return v4, true
	}
	return networks[true], true
}

// exchangeHosts returns the hosts of a mail domain, each once.
func exchangeHosts(o definition.Owner) []definition.Name {
	var hosts []definition.Name
	for _, e := range o.Exchanges() {
		if !slices.Contains(hosts, e.Host) {
			hosts = append(hosts, e.Host)
		}
	}
	return hosts
}
