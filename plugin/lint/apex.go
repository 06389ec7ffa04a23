package lint

import "github.com/mxsrv/mxsrv/plugin/definition"

func authoritativeTwice(p *pass) {
	for i := range p.set.Apexes {
		a := &p.set.Apexes[i]
		if first := p.index.At(a.Zone).Apex(); first != a {
			p.clashes = []Clash{{first.Pos, a.Pos}}
			p.report(a.Pos, []definition.Name{a.Zone},
				"%s is served whole here and at %s: delete one block of authoritative", a.Zone, first.Pos)
		}
	}
}

func nsTargetAlias(p *pass) {
	for _, a := range p.set.Apexes {
		for _, s := range a.Servers {
			if o := p.index.At(s.Host); len(o.Aliases()) > 0 {
				p.clashWithAliases(s.Pos, o)
				p.report(s.Pos, []definition.Name{a.Zone, s.Host},
					"name server %s of %s is an alias: write %s", s.Host, a.Zone, o.Aliases()[0].Host)
			}
		}
	}
}

func soaExpireShort(p *pass) {
	for _, a := range p.set.Apexes {
		if least := uint64(a.Refresh) + uint64(a.Retry); uint64(a.Expire) <= least {
			p.report(a.Pos, []definition.Name{a.Zone},
				"secondaries drop %s after %d seconds without news, and try again only after %d: write an expire of two weeks or more", a.Zone, a.Expire, least)
		}
	}
}
