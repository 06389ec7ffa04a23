package lint

import "github.com/mxsrv/mxsrv/plugin/definition"

// A Clash is where two declarations are that contradict each other.
type Clash [2]definition.Pos

// clash notes for the next report that a declaration contradicts others.
func clash[D any](p *pass, pos definition.Pos, others []D, posOf func(D) definition.Pos) {
	for _, other := range others {
		p.clashes = append(p.clashes, Clash{pos, posOf(other)})
	}
}

// clashWithAliases notes for the next report that a declaration contradicts the
// aliases of a name: if it is the first that does, all of them, else the first. All
// with all would be a million pairs of two thousand lines.
func (p *pass) clashWithAliases(pos definition.Pos, of definition.Owner) {
	aliases := of.Aliases()
	if p.clashed[of.Name()] {
		aliases = aliases[:1]
	}
	p.clashed[of.Name()] = true
	clash(p, pos, aliases, func(a *definition.Alias) definition.Pos { return a.Pos })
}

// clashWithData notes for the next report what an alias contradicts: if it is the
// first of them all data, else what comes first of that.
func (p *pass) clashWithData(a *definition.Alias, o definition.Owner) {
	hosts, mails, services := o.Hosts(), o.Mails(), o.Services()
	if a != o.Aliases()[0] {
		hosts, mails, services = hosts[:min(1, len(hosts))], mails[:min(1, len(mails))], services[:min(1, len(services))]
	}
	clash(p, a.Pos, hosts, func(h *definition.Host) definition.Pos { return h.Pos })
	clash(p, a.Pos, mails, func(m *definition.Mail) definition.Pos { return m.Pos })
	clash(p, a.Pos, services, func(v *definition.Service) definition.Pos { return v.Pos })
}

// clashesOf returns the pairs of declarations of which one says none: the first of
// either kind with all of the other.
func clashesOf[D any](declared []D, none func(D) bool, pos func(D) definition.Pos) (clashes []Clash) {
	var first [2]*definition.Pos // that says none, and that does not
	kind := func(d D) int {
		if none(d) {
			return 0
		}
		return 1
	}
	for _, d := range declared {
		if at := pos(d); first[kind(d)] == nil {
			first[kind(d)] = &at
		}
	}
	for _, d := range declared {
		clashes = append(clashes, Clash{*first[1-kind(d)], pos(d)})
	}
	return clashes
}
