package lint

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// What a name of each kind may be, as messages say it.
const (
	hostForm    = "letters, digits and inner hyphens in each label"
	serviceForm = "_SERVICE._PROTO or _SERVICE._PROTO.DOMAIN, like _ldap._tcp"
	aliasForm   = "letters, digits, hyphens and underscores"
	recordForm  = "an asterisk as the whole first label, or none"
)

func nameInvalid(p *pass) {
	fromReader(p)
	for _, h := range p.set.Hosts {
		p.wantForm(belowAsterisk(h.Owner, definition.Name.IsHostWithUnderscores), h.Pos, "host", h.Owner, h.Owner, hostForm)
	}
	for _, m := range p.set.Mails {
		isWildcard := strings.Contains(string(m.Owner), "*") // mail-wildcard says more
		p.wantForm(isWildcard || m.Owner.IsHost(), m.Pos, "mail domain", m.Owner, m.Owner, hostForm)
	}
	for _, s := range p.set.Services {
		p.wantForm(s.Owner.IsService(), s.Pos, "service", s.Owner, s.Owner, serviceForm)
	}
	eachTarget(p.set, func(t target) {
		p.wantForm(!t.isHost() || t.host.IsHostWithUnderscores(), t.pos, t.kind, t.host, t.owner, hostForm)
	})
	for _, a := range p.set.Aliases {
		p.wantForm(belowAsterisk(a.Owner, isAliasForm), a.Pos, "alias", a.Owner, a.Owner, aliasForm)
		p.wantForm(isAliasForm(a.Host), a.Pos, "alias", a.Host, a.Owner, aliasForm)
	}
	for _, r := range p.set.Records {
		p.wantForm(belowAsterisk(r.Owner, hasNoAsterisk), r.Pos, "record", r.Owner, r.Owner, recordForm)
		p.wantForm(r.Type != dns.TypeNS && r.Type != dns.TypeDS || hasNoAsterisk(r.Owner), r.Pos, "delegation", r.Owner,
			r.Owner, "each name, as a wildcard does not delegate")
	}
}

// belowAsterisk reports whether a name, or what a wildcard is below, has a form.
func belowAsterisk(name definition.Name, form func(definition.Name) bool) bool {
	if name.IsWildcard() && name != "*." {
		name = name.Parent()
	}
	return form(name)
}

func hasNoAsterisk(name definition.Name) bool { return !strings.Contains(string(name), "*") }

// wildcardInOverlay reports wildcards where the next plugin may have the names that they would be for.
func wildcardInOverlay(p *pass) {
	for h := range p.set.Heads {
		if !h.Owner.IsWildcard() || p.authoritative(h.Owner) || p.zones.Of(h.Owner) == "" ||
			len(p.index.At(h.Owner).Mails()) > 0 { // mail-wildcard says more
			continue
		}
		p.report(h.Pos, []definition.Name{h.Owner}, "wildcard %s is in a zone that the next plugin answers for, too: "+
			"declare it there, or write authoritative { ns NAME... } and declare the whole zone", h.Owner)
	}
}

// isAliasForm reports whether an alias may have a name, or be of it. Aliases of reverse names are in zones like
// 128/26.2.0.192.in-addr.arpa (RFC 2317 §4).
func isAliasForm(name definition.Name) bool {
	if name.IsReverse() {
		name = definition.Name(strings.ReplaceAll(string(name), "/", "-"))
	}
	return name.IsPlain()
}

func (p *pass) wantForm(ok bool, pos definition.Pos, kind string, name, owner definition.Name, form string) {
	if !ok {
		p.report(pos, []definition.Name{owner, name}, "%s %q: write %s", kind, name, form)
	}
}

func ownerOutsideZone(p *pass) {
	for h := range p.set.Heads {
		if p.zones.Of(h.Owner) == "" {
			p.report(h.Pos, []definition.Name{h.Owner},
				"%s is not below %s: write a name that is, or add its zone after mxsrv", h.Owner, list(p.opt.Zones))
		}
	}
}

// list returns zones as words of a message, the first few of many.
func list(zones definition.Zones) string {
	const few = 3
	var words []string
	for _, zone := range zones[:min(few, len(zones))] {
		words = append(words, string(zone))
	}
	if len(zones) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(words, ", "), len(zones)-few)
	}
	return strings.Join(words, " or ")
}

// nameUnderscore reports hosts that DNS servers serve, and some of their clients refuse.
// Above the first label an underscore at the start is common: gc._msdcs.
func nameUnderscore(p *pass) {
	for _, h := range p.set.Hosts {
		if strings.Contains(string(h.Owner), "_") && !isBelowUnderscores(h.Owner) {
			p.report(h.Pos, []definition.Name{h.Owner}, "host %s has an underscore, which many programs refuse in "+
				"the name of a host: write a hyphen if you can rename it", h.Owner)
		}
	}
	eachTarget(p.set, func(t target) {
		if !t.isHost() || !strings.Contains(string(t.host), "_") || len(p.index.At(t.host).Hosts()) > 0 {
			return
		}
		if p.zones.Of(t.host) == "" || !isBelowUnderscores(t.host) {
			p.report(t.pos, t.names(), "%s %s of %s has an underscore, which many programs refuse in "+
				"the name of a host: write another if there is one", t.kind, t.host, t.owner)
		}
	})
}

// isBelowUnderscores reports whether the only underscores of a name are at the start of labels
// that are not the first.
func isBelowUnderscores(name definition.Name) bool {
	return !strings.Contains(strings.ReplaceAll(string(name), "._", "."), "_")
}

func endsInZoneTwice(p *pass) {
	const twice = "write %q with its final dot: %s ends in its zone twice"
	for h := range p.set.Heads {
		if once, ok := p.zoneTwice(h.Owner); ok {
			p.report(h.Pos, []definition.Name{h.Owner}, twice, once, h.Owner)
		} else if reverse := reverseIn(once); reverse != "" && !strings.Contains(string(h.Owner), "._report._dmarc.") {
			p.report(h.Pos, []definition.Name{h.Owner}, "write %q with its final dot: %s has a reverse name before its zone",
				reverse, h.Owner)
		}
	}
	eachTarget(p.set, func(t target) {
		once, ok := p.zoneTwice(t.host)
		switch {
		case ok && (t.kind == ofPointer || p.isDefined(t) || p.fromFragment(t.pos)):
			p.report(t.pos, t.names(), twice, once, t.host)
		case ok:
			p.reportAs(Error, t.pos, t.names(), twice, once, t.host)
		case once != "" && p.endsInZones(once) && !p.isDefined(t):
			p.report(t.pos, t.names(), "write %q with its final dot: %s ends in a zone and then in its own", once, t.host)
		}
	})
}

// zoneTwice returns a name without the zone at its end, and whether what is left ends in
// that zone too: an absolute name without its final dot is read like that.
func (p *pass) zoneTwice(name definition.Name) (once definition.Name, ok bool) {
	zone := p.zones.Of(name)
	if zone == "" || zone == "." {
		return "", false
	}
	once = name[:len(name)-len(zone)]
	return once, once.Below(zone)
}

// reverseIn returns the reverse name that a name begins with, or "".
func reverseIn(name definition.Name) definition.Name {
	const arpa = ".arpa."
	if i := strings.Index(string(name), arpa); i > 0 && name[:i+len(arpa)].IsReverse() {
		return name[:i+len(arpa)]
	}
	return ""
}

// endsInZones reports whether a name ends in a zone but the root.
func (p *pass) endsInZones(name definition.Name) bool {
	zone := p.zones.Of(name)
	return zone != "" && zone != "."
}
