package lint

import (
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func aliasWithOtherData(p *pass) {
	for o := range p.index.Owners() {
		if len(o.Aliases()) == 0 {
			continue
		}
		data := data(o)[len(o.Aliases()):]
		for _, a := range o.Aliases() {
			p.aliasAtApexOrTwice(a, o.Aliases()[0])
			if len(data) > 0 {
				p.report(a.Pos, []definition.Name{a.Owner},
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
		p.report(a.Pos, names,
			"%s is an alias of %s here and of %s at %s: delete one", a.Owner, a.Host, first.Host, first.Pos)
	}
}

// A datum is one thing that a name is declared as.
type datum struct {
	kind string
	pos  definition.Pos
}

// data returns what an owner is declared as, aliases first, by kind.
func data(o definition.Owner) (data []datum) {
	for _, a := range o.Aliases() {
		data = append(data, datum{"alias", a.Pos})
	}
	for _, h := range o.Hosts() {
		data = append(data, datum{"host", h.Pos})
	}
	for _, m := range o.Mails() {
		data = append(data, datum{"mail domain", m.Pos})
	}
	for _, s := range o.Services() {
		data = append(data, datum{"service", s.Pos})
	}
	for _, s := range o.RRsets() {
		for _, r := range s.Declared {
			data = append(data, datum{dns.Type(s.Type).String() + " record", r.Pos})
		}
	}
	return data
}

func aliasLoop(p *pass) {
	for _, a := range p.set.Aliases {
		if p.loops(a) && (!p.opt.alone || a.Host == a.Owner) {
			p.report(a.Pos, []definition.Name{a.Owner, a.Host},
				"alias %s leads back to itself: write the host that has the addresses", a.Owner)
		}
	}
}

func aliasOfAlias(p *pass) {
	for _, a := range p.set.Aliases {
		o := p.index.At(a.Host)
		if len(o.Aliases()) == 0 || p.aliasOfFragments(a, o.Aliases()[0]) || p.loops(a) {
			continue
		}
		p.report(a.Pos, []definition.Name{a.Owner, a.Host}, "alias %s is of %s, itself an alias: "+
			"it is answered, but write %s, which every client can follow", a.Owner, a.Host, o.Aliases()[0].Host)
	}
}

// aliasOfFragments reports an alias of a fragment that is one of another alias of a fragment, if the rules are to find
// what must not be served of fragments: whether aliases lead back to themselves could be known only by following all.
func (p *pass) aliasOfFragments(a definition.Alias, of *definition.Alias) bool {
	if !p.opt.pointing || !p.fromFragment(a.Pos) || !p.fromFragment(of.Pos) {
		return false
	}
	p.reportAs(Error, a.Pos, []definition.Name{a.Owner, a.Host},
		"alias %s is of %s, itself an alias in a fragment: write %s", a.Owner, a.Host, of.Host)
	return true
}

// loops reports whether an alias leads back to itself.
func (p *pass) loops(a definition.Alias) bool {
	if p.aliasLoops == nil {
		p.aliasLoops = p.findLoops()
	}
	return p.aliasLoops[a.Owner] && a.Host == p.index.At(a.Owner).Aliases()[0].Host
}

// findLoops returns the names in loops of aliases. It follows each alias once, and only those of other aliases, as most
// are of hosts.
func (p *pass) findLoops() definition.Names {
	loops, seen := definition.Names{}, definition.Names{}
	for i := range p.set.Aliases {
		o := p.index.At(p.set.Aliases[i].Owner)
		if len(p.next(o).Aliases()) == 0 {
			continue
		}
		path := definition.Names{}
		for ; len(o.Aliases()) > 0 && !seen[o.Name()]; o = p.next(o) {
			seen[o.Name()], path[o.Name()] = true, true
		}
		for ; path[o.Name()] && !loops[o.Name()]; o = p.next(o) {
			loops[o.Name()] = true
		}
	}
	return loops
}

// next returns what the host of an alias is, by a wildcard if it is not declared.
func (p *pass) next(o definition.Owner) definition.Owner {
	host := o.Aliases()[0].Host
	if o := p.index.At(host); o.Name() != "" {
		return o
	}
	w := p.wildcardFor(host)
	if len(w.Aliases()) == 0 || p.existsBelow(w.Name().Parent(), host) {
		return definition.Owner{}
	}
	return w
}

// existsBelow reports whether a name exists, or one between it and another above it: then the wildcard of the other is
// not for it (RFC 4592 §3.3.1).
func (p *pass) existsBelow(above, name definition.Name) bool {
	if p.existing == nil {
		p.existing = definition.Names{}
		for o := range p.index.Owners() {
			zone := p.zones.Of(o.Name())
			for n := o.Name(); zone != "" && n != zone && !p.existing[n]; n = n.Parent() {
				p.existing[n] = true
			}
		}
	}
	for ; name != above; name = name.Parent() {
		if p.existing[name] {
			return true
		}
	}
	return false
}
