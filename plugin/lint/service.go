package lint

import (
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func srvTargetAlias(p *pass) {
	for _, v := range p.set.Services {
		for _, t := range v.Targets {
			if o := p.index.At(t.Host); len(o.Aliases()) > 0 {
				p.clashWithAliases(t.Pos, o)
				p.report(t.Pos, []definition.Name{v.Owner, t.Host},
					"target %s of %s is an alias: write %s", t.Host, v.Owner, o.Aliases()[0].Host)
			}
		}
	}
}

func srvDotNotAlone(p *pass) {
	for o := range p.index.Owners() {
		isNone := func(v *definition.Service) bool { return len(v.Targets) == 0 }
		none := slices.IndexFunc(o.Services(), isNone)
		if none >= 0 && len(o.Targets()) > 0 {
			p.clashes = clashesOf(o.Services(), isNone, func(v *definition.Service) definition.Pos { return v.Pos })
			p.report(o.Services()[none].Pos, []definition.Name{o.Name()},
				"service %s has none, and targets at %s: delete one of them", o.Name(), o.Targets()[0].Pos)
		}
	}
}

func srvPortZero(p *pass) {
	for _, v := range p.set.Services {
		for _, t := range v.Targets {
			if t.Port == 0 {
				p.report(t.Pos, []definition.Name{v.Owner, t.Host},
					"target %s of %s has port 0: write the port, or none if the service is not offered", t.Host, v.Owner)
			}
		}
	}
}

func srvWeightZeroMixed(p *pass) {
	for o := range p.index.Owners() {
		weighted := map[uint16]bool{} // priorities in which a weight is not 0
		for _, t := range o.Targets() {
			weighted[t.Priority] = weighted[t.Priority] || t.Weight > 0
		}
		for _, t := range o.Targets() {
			if t.Weight == 0 && weighted[t.Priority] {
				p.report(t.Pos, []definition.Name{o.Name(), t.Host},
					"target %s of %s has weight 0 beside others, so it is almost never chosen: write a weight, or a higher priority if it is a backup", t.Host, o.Name())
			}
		}
	}
}

// longestService is in characters without the underscore.
const longestService = 15

func serviceNameLong(p *pass) {
	for _, v := range p.set.Services {
		if name, _, _ := strings.Cut(string(v.Owner), "."); len(name)-1 > longestService {
			p.report(v.Pos, []definition.Name{v.Owner},
				"service name %q has %d characters: write at most %d after the underscore", name, len(name)-1, longestService)
		}
	}
}
