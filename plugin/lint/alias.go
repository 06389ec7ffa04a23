package lint

import "github.com/mxsrv/mxsrv/plugin/definition"

func aliasWithOtherData(p *pass) {
	for o := range p.index.Owners() {
		if len(o.Aliases()) == 0 {
			continue
		}
		data := otherData(o)
		for i, a := range o.Aliases() {
			p.aliasAtApexOrTwice(a, o.Aliases()[0])
			if len(data) > 0 {
				p.reportClashes(clashesWithData(a.Pos, data, i == 0), a.Pos, []definition.Name{a.Owner},
					"%s is an alias, and a %s at %s: delete one of them", a.Owner, data[0].kind, data[0].pos)
			}
		}
	}
}

func (p *pass) aliasAtApexOrTwice(a, first *definition.Alias) {
	names := []definition.Name{a.Owner}
	switch {
	case p.zones[a.Owner]:
		p.report(a.Pos, names,
			"%s is the apex of a zone, which has SOA and NS records: write a host there, not an alias", a.Owner)
	case a.Host != first.Host:
		p.reportClashes([]Clash{{first.Pos, a.Pos}}, a.Pos, names,
			"%s is an alias of %s here and of %s at %s: delete one", a.Owner, a.Host, first.Host, first.Pos)
	}
}

// A datum is what a name is declared as besides an alias.
type datum struct {
	kind string
	pos  definition.Pos
}

// otherData returns the data of an owner, sorted by kind.
func otherData(o definition.Owner) (data []datum) {
	for _, h := range o.Hosts() {
		data = append(data, datum{"host", h.Pos})
	}
	for _, m := range o.Mails() {
		data = append(data, datum{"mail domain", m.Pos})
	}
	for _, s := range o.Services() {
		data = append(data, datum{"service", s.Pos})
	}
	return data
}

func aliasLoop(p *pass) {
	for _, a := range p.set.Aliases {
		if !p.loops(a) {
			continue
		}
		var clashes []Clash
		if a.Host != a.Owner {
			clashes = p.clashesWithAliases(a.Pos, p.index.At(a.Host))
		}
		p.reportClashes(clashes, a.Pos, []definition.Name{a.Owner, a.Host},
			"alias %s leads back to itself: write the host that has the addresses", a.Owner)
	}
}

func aliasOfAlias(p *pass) {
	for _, a := range p.set.Aliases {
		if o := p.index.At(a.Host); len(o.Aliases()) > 0 && !p.loops(a) {
			p.reportClashes(p.clashesWithAliases(a.Pos, o), a.Pos, []definition.Name{a.Owner, a.Host},
				"alias %s is of %s, itself an alias: write %s", a.Owner, a.Host, o.Aliases()[0].Host)
		}
	}
}

// longestLoop is how many aliases are followed in search of a loop. A longer loop
// is an error as well: it consists of aliases of aliases.
const longestLoop = 16

func (p *pass) loops(a definition.Alias) bool {
	host := a.Host
	for range longestLoop {
		if host == a.Owner {
			return true
		}
		o := p.index.At(host)
		if len(o.Aliases()) == 0 {
			return false
		}
		host = o.Aliases()[0].Host
	}
	return false
}
