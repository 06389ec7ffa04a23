package lint

import (
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func srvDotNotAlone(p *pass) {
	isNone := func(s *definition.Service) bool { return len(s.Targets) == 0 }
	for o := range p.index.Owners() {
		if clashes := clashesWithNone(o.Services(), isNone, servicePos); clashes != nil {
			none := o.Services()[slices.IndexFunc(o.Services(), isNone)]
			p.reportClashes(clashes, none.Pos, []definition.Name{o.Name()},
				"service %s has none, and targets at %s: delete one of them", o.Name(), o.Targets()[0].Pos)
		}
	}
}

func srvPortZero(p *pass) {
	for _, s := range p.set.Services {
		for _, t := range s.Targets {
			if t.Port == 0 {
				p.report(t.Pos, []definition.Name{s.Owner, t.Host},
					"target %s of %s has port 0: write the port, or none if the service is not offered", t.Host, s.Owner)
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
					"target %s of %s has weight 0 beside others, so it is almost never chosen: "+
						"write a weight, or a higher priority if it is a backup", t.Host, o.Name())
			}
		}
	}
}

// longestService is in characters without the underscore.
const longestService = 15

func serviceNameLong(p *pass) {
	for _, s := range p.set.Services {
		if name, _, _ := strings.Cut(string(s.Owner), "."); len(name)-1 > longestService {
			p.report(s.Pos, []definition.Name{s.Owner},
				"service name %q has %d characters: write at most %d after the underscore", name, len(name)-1, longestService)
		}
	}
}
