package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const hostForm = "letters, digits and inner hyphens"

func nameInvalid(p *pass) {
	read(p)
	for _, h := range p.set.Hosts {
		p.hostName(h.Pos, "host", h.Owner)
	}
	for _, m := range p.set.Mails {
		if !strings.Contains(string(m.Owner), "*") { // mail-wildcard says more
			p.hostName(m.Pos, "mail domain", m.Owner)
		}
		for _, e := range m.Exchanges {
			p.hostName(e.Pos, "exchange", e.Host)
		}
	}
	for _, v := range p.set.Services {
		if !v.Owner.IsService() {
			p.report(v.Pos, []definition.Name{v.Owner},
				"service %q: write _SERVICE._PROTO or _SERVICE._PROTO.DOMAIN, like _ldap._tcp", v.Owner)
		}
		for _, t := range v.Targets {
			p.hostName(t.Pos, "target", t.Host)
		}
	}
	for _, a := range p.set.Apexes {
		for _, s := range a.Servers {
			p.hostName(s.Pos, "name server", s.Host)
		}
	}
	for _, a := range p.set.Aliases {
		for _, name := range []definition.Name{a.Owner, a.Host} {
			if !name.IsPlain() {
				p.report(a.Pos, []definition.Name{name}, "alias %q: write letters, digits, hyphens and underscores, no wildcard", name)
			}
		}
	}
}

func (p *pass) hostName(pos definition.Pos, kind string, name definition.Name) {
	if !name.IsHost() {
		p.report(pos, []definition.Name{name}, "%s %q: write %s in each label", kind, name, hostForm)
	}
}

func ownerOutsideZone(p *pass) {
	p.eachOwner(func(pos definition.Pos, owner definition.Name) {
		if p.zones.Of(owner) == "" {
			p.report(pos, []definition.Name{owner},
				"%s is not below %s: write a name that is, or add its zone after mxsrv", owner, list(p.opt.Zones))
		}
	})
}

// list writes zones for a message, the first few of many.
func list(zones definition.Zones) string {
	const few = 3
	var words []string
	for i, zone := range zones {
		if i == few {
			return fmt.Sprintf("%s and %d more", strings.Join(words, ", "), len(zones)-few)
		}
		words = append(words, string(zone))
	}
	return strings.Join(words, " or ")
}

func finalDotMissing(p *pass) {
	p.eachOwner(p.finalDot)
	p.eachTarget(func(pos definition.Pos, _ string, owner, target definition.Name) { p.finalDot(pos, target) })
}

func (p *pass) finalDot(pos definition.Pos, name definition.Name) {
	if once, ok := p.zoneTwice(name); ok {
		p.report(pos, []definition.Name{name}, "%s ends in its zone twice: write %q with its final dot", name, once)
	}
}

// zoneTwice returns a name without the zone at its end, if what is left ends in
// that zone too: what an absolute name without its final dot turns into.
func (p *pass) zoneTwice(name definition.Name) (definition.Name, bool) {
	zone := p.zones.Of(name)
	if zone == "" || zone == "." || zone == name {
		return "", false
	}
	once := name[:len(name)-len(zone)]
	return once, once.Below(zone)
}

func targetUndefined(p *pass) {
	p.eachTarget(func(pos definition.Pos, kind string, owner, target definition.Name) {
		o := p.index.At(target)
		if len(o.Hosts()) > 0 || len(o.Aliases()) > 0 || kind == "alias" && o.Name() != "" {
			return
		}
		names := []definition.Name{owner, target}
		_, twice := p.zoneTwice(target)
		switch zone := p.zones.Of(target); {
		case zone == "":
		case p.index.At(zone).Apex() != nil && p.fallsThrough.Of(target) == "" && p.requiresTargets(pos.Source):
			p.reportAs(Error, pos, names, "%s of %s is %s, which does not exist: write \"host %s ADDRESS...\", or a final dot if it is elsewhere", kind, owner, target, target)
		case !twice:
			p.report(pos, names, "%s of %s is %s, which has no addresses here: write \"host %s ADDRESS...\", or a final dot if it is elsewhere; right only if the plugin behind has them", kind, owner, target, target)
		}
	})
}

func (p *pass) requiresTargets(source string) bool {
	return p.opt.RequireTargets == nil || p.opt.RequireTargets(source)
}

// eachOwner calls f for every declaration.
func (p *pass) eachOwner(f func(definition.Pos, definition.Name)) {
	for _, h := range p.set.Hosts {
		f(h.Pos, h.Owner)
	}
	for _, m := range p.set.Mails {
		f(m.Pos, m.Owner)
	}
	for _, v := range p.set.Services {
		f(v.Pos, v.Owner)
	}
	for _, a := range p.set.Aliases {
		f(a.Pos, a.Owner)
	}
}

// eachTarget calls f for every name that is pointed to.
func (p *pass) eachTarget(f func(pos definition.Pos, kind string, owner, target definition.Name)) {
	for _, m := range p.set.Mails {
		for _, e := range m.Exchanges {
			f(e.Pos, "exchange", m.Owner, e.Host)
		}
	}
	for _, v := range p.set.Services {
		for _, t := range v.Targets {
			f(t.Pos, "target", v.Owner, t.Host)
		}
	}
	for _, a := range p.set.Apexes {
		for _, s := range a.Servers {
			f(s.Pos, "name server", a.Zone, s.Host)
		}
	}
	for _, a := range p.set.Aliases {
		f(a.Pos, "alias", a.Owner, a.Host)
	}
}

func ttlConflict(p *pass) {
	for o := range p.index.Owners() {
		ttls(p, o, "host", o.Hosts(), func(h *definition.Host) (definition.Pos, definition.TTL) { return h.Pos, h.TTL })
		ttls(p, o, "mail domain", o.Mails(), func(m *definition.Mail) (definition.Pos, definition.TTL) { return m.Pos, m.TTL })
		ttls(p, o, "service", o.Services(), func(v *definition.Service) (definition.Pos, definition.TTL) { return v.Pos, v.TTL })
		ttls(p, o, "alias", o.Aliases(), func(a *definition.Alias) (definition.Pos, definition.TTL) { return a.Pos, a.TTL })
	}
}

// ttls reports that declarations of one kind do not agree on the TTL of an owner.
// Defaults yield to own ones.
func ttls[D any](p *pass, o definition.Owner, kind string, declared []D, of func(D) (definition.Pos, definition.TTL)) {
	if len(declared) < 2 {
		return
	}
	first := slices.IndexFunc(declared, func(d D) bool { _, ttl := of(d); return ttl.Own })
	pos, meant := of(declared[max(first, 0)])
	lowest := meant.Seconds
	for _, d := range declared {
		if at, ttl := of(d); ttl.Own == meant.Own && ttl.Seconds != meant.Seconds {
			lowest = min(lowest, ttl.Seconds)
			p.clashes = append(p.clashes, Clash{pos, at})
		}
	}
	if len(p.clashes) > 0 {
		last, _ := of(declared[len(declared)-1])
		p.report(last, []definition.Name{o.Name()},
			"%s %s is declared with different ttls, the lowest %d: write one, in one place", kind, o.Name(), lowest)
	}
}
