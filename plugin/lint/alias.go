package lint

import "github.com/mxsrv/mxsrv/plugin/definition"

func aliasWithOtherData(p *pass) {
	for o := range p.index.Owners() {
		for _, a := range o.Aliases() {
			switch {
			case p.zones[a.Owner]:
				p.report(a.Pos, []definition.Name{a.Owner},
					"%s is the top of a zone, which holds SOA and NS: write a host there, not an alias", a.Owner)
			case a.Host != o.Aliases()[0].Host:
				p.clashes = []Clash{{o.Aliases()[0].Pos, a.Pos}}
				p.report(a.Pos, []definition.Name{a.Owner},
					"%s is an alias of %s here and of %s at %s: delete one", a.Owner, a.Host, o.Aliases()[0].Host, o.Aliases()[0].Pos)
			}
			if kind, pos, ok := otherData(o); ok {
				p.clashWithData(a, o)
				p.report(a.Pos, []definition.Name{a.Owner},
					"%s is an alias, and a %s at %s: delete one of them", a.Owner, kind, pos)
			}
		}
	}
}

// otherData returns what an owner is beside an alias.
func otherData(o definition.Owner) (kind string, pos definition.Pos, ok bool) {
	switch {
	case len(o.Hosts()) > 0:
		return "host", o.Hosts()[0].Pos, true
	case len(o.Mails()) > 0:
		return "mail domain", o.Mails()[0].Pos, true
	case len(o.Services()) > 0:
		return "service", o.Services()[0].Pos, true
	}
	return "", definition.Pos{}, false
}

func aliasLoop(p *pass) {
	for _, a := range p.set.Aliases {
		if p.loops(a) {
			if a.Host != a.Owner {
				p.clashWithAliases(a.Pos, p.index.At(a.Host))
			}
			p.report(a.Pos, []definition.Name{a.Owner, a.Host},
				"alias %s leads back to itself: write the host that has the addresses", a.Owner)
		}
	}
}

func aliasOfAlias(p *pass) {
	for _, a := range p.set.Aliases {
		if o := p.index.At(a.Host); len(o.Aliases()) > 0 && !p.loops(a) {
			p.clashWithAliases(a.Pos, o)
			p.report(a.Pos, []definition.Name{a.Owner, a.Host},
				"alias %s is of %s, itself an alias: write %s", a.Owner, a.Host, o.Aliases()[0].Host)
		}
	}
}

// longestLoop is how many aliases are followed in search of a loop; a longer
// one is refused as aliases of aliases.
const longestLoop = 16

func (p *pass) loops(a definition.Alias) bool {
	for host, n := a.Host, 0; n < longestLoop; n++ {
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
