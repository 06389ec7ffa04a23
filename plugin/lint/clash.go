package lint

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func hostPos(h *definition.Host) definition.Pos       { return h.Pos }
func mailPos(m *definition.Mail) definition.Pos       { return m.Pos }
func servicePos(s *definition.Service) definition.Pos { return s.Pos }
func aliasPos(a *definition.Alias) definition.Pos     { return a.Pos }

// clashesWith appends the clashes of the declaration at pos with each of others.
func clashesWith[D any](clashes []Clash, pos definition.Pos, others []D, posOf func(D) definition.Pos) []Clash {
	for _, other := range others {
		clashes = append(clashes, Clash{pos, posOf(other)})
	}
	return clashes
}

// clashesWithAliases returns the clashes of the declaration at pos with the
// aliases of a name: with all of them for the first declaration that the rule
// asks about, with the first alias for others. All with all would be a million
// pairs of two thousand lines.
func (p *pass) clashesWithAliases(pos definition.Pos, o definition.Owner) []Clash {
	aliases := o.Aliases()
	if p.clashed[o.Name()] {
		aliases = aliases[:1]
	}
	p.clashed[o.Name()] = true
	return clashesWith(nil, pos, aliases, aliasPos)
}

// clashesWithData returns the clashes of an alias with the other data of its
// owner: with all of it for the first alias, with the first of each kind for
// others.
func clashesWithData(a *definition.Alias, o definition.Owner) []Clash {
	hosts, mails, services := o.Hosts(), o.Mails(), o.Services()
	if a != o.Aliases()[0] {
		hosts, mails, services = hosts[:min(1, len(hosts))], mails[:min(1, len(mails))], services[:min(1, len(services))]
	}
	clashes := clashesWith(nil, a.Pos, hosts, hostPos)
	clashes = clashesWith(clashes, a.Pos, mails, mailPos)
	return clashesWith(clashes, a.Pos, services, servicePos)
}

// clashesWithNone returns the clashes between declarations of which some say none
// and others do not: the first of either kind with all of the other. If all agree
// there are none.
func clashesWithNone[D any](declared []D, none func(D) bool, pos func(D) definition.Pos) (clashes []Clash) {
	no, yes := slices.IndexFunc(declared, none), slices.IndexFunc(declared, func(d D) bool { return !none(d) })
	if no < 0 || yes < 0 {
		return nil
	}
	for _, d := range declared {
		other := declared[no]
		if none(d) {
			other = declared[yes]
		}
		clashes = append(clashes, Clash{pos(other), pos(d)})
	}
	return clashes
}
