package lint

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// clashesWithAliases returns the clashes of the declaration at pos with the aliases of a name: with all of them for
// the first declaration that the rule asks about, with the first alias for others. All with all would be a million
// pairs of two thousand lines.
func (p *pass) clashesWithAliases(pos definition.Pos, o definition.Owner) (clashes []Clash) {
	for _, a := range o.Aliases() {
		if clashes = append(clashes, Clash{pos, a.Pos}); p.clashed[o.Name()] {
			break
		}
	}
	p.clashed[o.Name()] = true
	return clashes
}

// clashesWithData returns the clashes of the alias at pos with the other data of its owner: with all of it for the
// first alias, with the first of each kind for others.
func clashesWithData(pos definition.Pos, data []datum, first bool) (clashes []Clash) {
	for i, d := range data {
		if first || i == 0 || d.kind != data[i-1].kind {
			clashes = append(clashes, Clash{pos, d.pos})
		}
	}
	return clashes
}

// clashesWithNone returns the clashes between declarations of which some say none and others do not: the first of
// either kind with all of the other. If all agree there are none.
func clashesWithNone[D declaration](declared []D, none func(D) bool) (clashes []Clash) {
	no, yes := slices.IndexFunc(declared, none), slices.IndexFunc(declared, func(d D) bool { return !none(d) })
	if no < 0 || yes < 0 {
		return nil
	}
	for _, d := range declared {
		other := declared[no]
		if none(d) {
			other = declared[yes]
		}
		clashes = append(clashes, Clash{other.Header().Pos, d.Header().Pos})
	}
	return clashes
}
