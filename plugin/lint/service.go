package lint

import (
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func srvDotNotAlone(p *pass) {
	isNone := func(s *definition.Service) bool { return len(s.Targets) == 0 }
	for o := range p.index.Owners() {
		if none := slices.IndexFunc(o.Services(), isNone); none >= 0 && len(o.Targets()) > 0 {
			p.report(o.Services()[none].Pos, []definition.Name{o.Name()},
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

// longServices are names in use that are longer: of Microsoft Teams and of Puppet.
var longServices = map[string]bool{"_sipfederationtls": true, "_x-puppet-fileserver": true}

func serviceNameLong(p *pass) {
	for _, s := range p.set.Services {
		if name := firstLabel(s.Owner); len(name)-1 > longestService && !longServices[name] {
			p.report(s.Pos, []definition.Name{s.Owner},
				"service name %q has %d characters: write at most %d after the underscore", name, len(name)-1, longestService)
		}
	}
}

// firstLabel returns the first label of a name; that of the root is empty.
func firstLabel(name definition.Name) string {
	label, _, _ := strings.Cut(string(name), ".")
	return label
}

func serviceNameForm(p *pass) {
	for _, s := range p.set.Services {
		if name := firstLabel(s.Owner); len(name) > 1 && !wellFormed(name[1:]) && s.Owner.IsService() {
			p.report(s.Pos, []definition.Name{s.Owner},
				"service name %q: write letters, digits and single hyphens between them, with a letter at least", name)
		}
	}
}

// wellFormed reports whether a service name has the characters of RFC 6335 §5.1.
func wellFormed(name string) bool {
	isLetter := func(r rune) bool { return r >= 'a' && r <= 'z' }
	other := func(r rune) bool { return !isLetter(r) && r != '-' && (r < '0' || r > '9') }
	return strings.ContainsFunc(name, isLetter) && !strings.ContainsFunc(name, other) &&
		!strings.Contains("-"+name+"-", "--")
}
