package lint

import "github.com/mxsrv/mxsrv/plugin/definition"

func authoritativeTwice(p *pass) {
	for i := range p.set.Apexes {
		a := &p.set.Apexes[i]
		if first := p.index.At(a.Zone).Apex(); first != a {
			p.report(a.Pos, []definition.Name{a.Zone},
				"zone %s has an authoritative block here and at %s: delete one of them", a.Zone, first.Pos)
		}
	}
}

func soaExpireShort(p *pass) {
	for _, a := range p.set.Apexes {
		if least := a.Refresh + a.Retry; a.Expire <= least { // both have at most 31 bits
			p.report(a.Pos, []definition.Name{a.Zone}, "secondaries drop %s after %d seconds without news, "+
				"and try again only after %d: write an expire of two weeks or more", a.Zone, a.Expire, least)
		}
	}
}
