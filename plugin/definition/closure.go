package definition

import (
	"maps"
	"slices"
	"strings"
)

// When a line among a million changes, it is enough to look anew at what that
// concerns, if this comes to what a look at everything would come to. The names
// that a change concerns are found in two directions.
//
// Upwards, from the names that are declared otherwise: what points to such a name
// is answered otherwise (an exchange's addresses come along as glue, an alias is
// answered with what its host holds) and may break a rule now (an exchange that
// has become an alias). So is what points to that, and so on.
//
// Downwards: to say what these names are answered, and which rules they break,
// takes everything that is declared of them, and of what they point to, and so
// on. The names that are reached only so are answered as before.
//
// A mail domain and its _smtp._tcp, which it may publish, always go together. The
// tops of zones that are served whole come along each time, and their aliases:
// their SOA has another serial after each change.

// mostNames is how many names may be concerned, with a name for the _smtp._tcp of
// each: 2000 take some 20 ms.
const mostNames = 4000

// Names are some names.
type Names map[Name]bool

// Add adds more names.
func (n Names) Add(more Names) { maps.Copy(n, more) }

// without returns those that are not among others.
func (n Names) without(others Names) Names {
	rest := Names{}
	for name := range n {
		if !others[name] {
			rest[name] = true
		}
	}
	return rest
}

const smtpLabels = "_smtp._tcp."

// paired returns the names together with those that mail domains of theirs may
// publish, or that publish them.
func (n Names) paired() Names {
	all := make(Names, 2*len(n))
	for name := range n {
		all[name] = true
		if domain, ok := strings.CutPrefix(string(name), smtpLabels); ok {
			all[Name(domain)] = true
		}
		if smtp, err := ParseName(smtpLabels[:len(smtpLabels)-1], name); err == nil {
			all[smtp] = true
		}
	}
	return all
}

// A Store holds declarations: a [Set] or a [Text] does.
type Store interface {
	// declaring returns what it declares of some names, and pointing what it
	// declares that points at one, in its order; false if that is too much. What is
	// declared comes with all apexes.
	declaring(names Names) (*Set, bool)
	pointing(at Names) (*Set, bool)

	apexes() []Apex
}

// A Part is what a change concerns of all that is declared.
type Part struct {
	Concerned Names // that may be answered otherwise than before, and perhaps some more
	Names     Names // those, and the tops of zones
	Set       *Set  // all that is declared of Names, of what they point to, and so on
}

// All returns all names that Set tells of, and those that are concerned.
func (p *Part) All() Names {
	all := p.Set.owners()
	all.Add(p.Set.pointed())
	all.Add(p.Concerned)
	return all
}

// PartOf returns what a change concerns, if some names are declared otherwise now.
// It returns false if there are too many names.
func PartOf(stores []Store, changed Names) (Part, bool) {
	c := closure{stores: stores}
	p := Part{Concerned: c.upwards(changed), Names: c.tops()}
	return c.complete(p)
}

// Around is PartOf without the tops of zones: enough to say which rules a change
// breaks.
func Around(stores []Store, changed Names) (Part, bool) {
	c := closure{stores: stores}
	return c.complete(Part{Concerned: c.upwards(changed), Names: Names{}})
}

// A closure looks for the names that a change concerns.
type closure struct {
	stores  []Store
	tooMuch bool
}

func (c *closure) complete(p Part) (Part, bool) {
	p.Names.Add(p.Concerned)
	c.tooMuch = c.tooMuch || len(p.Names) > mostNames
	p.Set = c.downwards(p.Names)
	return p, !c.tooMuch
}

// gather returns what the stores have, in their order.
func (c *closure) gather(of func(Store) (*Set, bool)) *Set {
	var sets []*Set
	for _, s := range c.stores {
		set, ok := of(s)
		if !ok {
			c.tooMuch = true
			return new(Set)
		}
		sets = append(sets, set)
	}
	return Merge(sets...)
}

func (c *closure) declaring(names Names) *Set {
	return c.gather(func(s Store) (*Set, bool) { return s.declaring(names) })
}

func (c *closure) pointing(at Names) *Set {
	return c.gather(func(s Store) (*Set, bool) { return s.pointing(at) })
}

// reach adds to names what a step from the last ones leads to, again and again.
func (c *closure) reach(names Names, most int, step func(Names) Names) Names {
	all := Names{}
	for next := names.paired(); len(next) > 0 && !c.tooMuch; {
		all.Add(next)
		c.tooMuch = c.tooMuch || len(all) > most
		next = step(next).paired().without(all)
	}
	return all
}

// upwards returns names with all that point to them.
func (c *closure) upwards(names Names) Names {
	return c.reach(names, mostNames, func(at Names) Names { return c.pointing(at).owners() })
}

// downwards returns all that is declared of names and of what they point to.
func (c *closure) downwards(names Names) *Set {
	const most = 4 * mostNames // a name points to few others
	all := c.reach(names, most, func(names Names) Names { return c.declaring(names).pointed() })
	return c.declaring(all)
}

// tops returns the tops of zones that are served whole, and their aliases.
func (c *closure) tops() Names {
	tops := Names{}
	for _, s := range c.stores {
		for _, a := range s.apexes() {
			tops[a.Zone] = true
		}
	}
	if len(tops) == 0 {
		return tops
	}
	for _, a := range c.pointing(tops).Aliases {
		tops[a.Owner] = true
	}
	return tops
}

// declaring implements Store.
func (s *Set) declaring(names Names) (*Set, bool) {
	return &Set{
		Hosts:    filter(s.Hosts, func(h *Host) bool { return names[h.Owner] }),
		Mails:    filter(s.Mails, func(m *Mail) bool { return names[m.Owner] }),
		Services: filter(s.Services, func(v *Service) bool { return names[v.Owner] }),
		Aliases:  filter(s.Aliases, func(a *Alias) bool { return names[a.Owner] }),
		Apexes:   s.Apexes,
	}, true
}

// pointing implements Store. Name servers are left out: the tops of zones are
// concerned anyway.
func (s *Set) pointing(at Names) (*Set, bool) {
	exchange := func(e Exchange) bool { return at[e.Host] }
	target := func(t Target) bool { return at[t.Host] }
	return &Set{
		Mails:    filter(s.Mails, func(m *Mail) bool { return slices.ContainsFunc(m.Exchanges, exchange) }),
		Services: filter(s.Services, func(v *Service) bool { return slices.ContainsFunc(v.Targets, target) }),
		Aliases:  filter(s.Aliases, func(a *Alias) bool { return at[a.Host] }),
	}, true
}

func (s *Set) apexes() []Apex { return s.Apexes }

func filter[D any](all []D, keep func(*D) bool) []D {
	var kept []D
	for i := range all {
		if keep(&all[i]) {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// owners returns the names that something is declared of, but for apexes.
func (s *Set) owners() Names {
	names := Names{}
	for i := range s.Hosts {
		names[s.Hosts[i].Owner] = true
	}
	for i := range s.Mails {
		names[s.Mails[i].Owner] = true
	}
	for i := range s.Services {
		names[s.Services[i].Owner] = true
	}
	for i := range s.Aliases {
		names[s.Aliases[i].Owner] = true
	}
	return names
}

// pointed returns the names that something points to.
func (s *Set) pointed() Names {
	names := Names{}
	for i := range s.Mails {
		for _, e := range s.Mails[i].Exchanges {
			names[e.Host] = true
		}
	}
	for i := range s.Services {
		for _, t := range s.Services[i].Targets {
			names[t.Host] = true
		}
	}
	for i := range s.Aliases {
		names[s.Aliases[i].Host] = true
	}
	for i := range s.Apexes {
		for _, n := range s.Apexes[i].Servers {
			names[n.Host] = true
		}
	}
	return names
}
