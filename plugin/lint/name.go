package lint

import (
	"fmt"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// What a name of each kind may be, as messages say it.
const (
	hostForm    = "letters, digits and inner hyphens in each label"
	serviceForm = "_SERVICE._PROTO or _SERVICE._PROTO.DOMAIN, like _ldap._tcp"
	aliasForm   = "letters, digits, hyphens and underscores, no wildcard"
)

func nameInvalid(p *pass) {
	fromReader(p)
	for _, h := range p.set.Hosts {
		p.wantForm(h.Owner.IsHost(), h.Pos, "host", h.Owner, hostForm)
	}
	for _, m := range p.set.Mails {
		isWildcard := strings.Contains(string(m.Owner), "*") // mail-wildcard says more
		p.wantForm(isWildcard || m.Owner.IsHost(), m.Pos, "mail domain", m.Owner, hostForm)
	}
	for _, s := range p.set.Services {
		p.wantForm(s.Owner.IsService(), s.Pos, "service", s.Owner, serviceForm)
	}
	eachHostTarget(p.set, func(t target) { p.wantForm(t.host.IsHost(), t.pos, t.kind, t.host, hostForm) })
	for _, a := range p.set.Aliases {
		p.wantForm(a.Owner.IsPlain(), a.Pos, "alias", a.Owner, aliasForm)
		p.wantForm(a.Host.IsPlain(), a.Pos, "alias", a.Host, aliasForm)
	}
}

func (p *pass) wantForm(ok bool, pos definition.Pos, kind string, name definition.Name, form string) {
	if !ok {
		p.report(pos, []definition.Name{name}, "%s %q: write %s", kind, name, form)
	}
}

func ownerOutsideZone(p *pass) {
	eachOwner(p.set, func(pos definition.Pos, owner definition.Name) {
		if p.zones.Of(owner) == "" {
			p.report(pos, []definition.Name{owner},
				"%s is not below %s: write a name that is, or add its zone after mxsrv", owner, list(p.opt.Zones))
		}
	})
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

func finalDotMissing(p *pass) {
	eachOwner(p.set, p.finalDot)
	eachTarget(p.set, func(t target) { p.finalDot(t.pos, t.host) })
}

func (p *pass) finalDot(pos definition.Pos, name definition.Name) {
	if once, ok := p.zoneTwice(name); ok {
		p.report(pos, []definition.Name{name}, "%s ends in its zone twice: write %q with its final dot", name, once)
	}
}

// zoneTwice returns a name without the zone at its end, if what is left ends in
// that zone too: an absolute name without its final dot is read like that.
func (p *pass) zoneTwice(name definition.Name) (once definition.Name, ok bool) {
	zone := p.zones.Of(name)
	if zone == "" || zone == "." {
		return "", false
	}
	once = name[:len(name)-len(zone)]
	return once, once.Below(zone)
}

// eachOwner calls f for every declaration of records.
func eachOwner(set *definition.Set, f func(definition.Pos, definition.Name)) {
	for _, h := range set.Hosts {
		f(h.Pos, h.Owner)
	}
	for _, m := range set.Mails {
		f(m.Pos, m.Owner)
	}
	for _, s := range set.Services {
		f(s.Pos, s.Owner)
	}
	for _, a := range set.Aliases {
		f(a.Pos, a.Owner)
	}
}
