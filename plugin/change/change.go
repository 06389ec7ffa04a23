// Package change says what a change of definitions concerns, so that a changed line
// among a million costs milliseconds and not a load of everything.
//
// A [Document] is a definitions file as a list of stanzas, and [Fragments] are the keys
// of etcd. When they change, both name the owners of what has gone and of what has
// come. [Affected] then finds in two directions what that concerns.
//
// Towards the dependents: what points to a changed name is answered otherwise (an
// exchange's addresses come along as glue, an alias is answered with what its host has)
// and may break a rule now (an exchange that has become an alias). So may what points
// to that, and so on.
//
// Towards the targets: to say what these names are answered, and which rules they break,
// takes everything that is declared of them, of what they point to, and so on. Names
// that are reached only so are answered as before.
//
// A mail domain and its _smtp._tcp, which it may publish, always go together. What is
// declared of the apexes of authoritative zones, and of their aliases, comes along each
// time, for the rules; their answers are concerned only if their name servers are.
//
// # Limitations
//
// What concerns more than a few thousand names is not told apart from a change of
// everything. Documents and fragments are for one goroutine.
package change

import (
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// maxNames is how many names may be concerned, with a name for the _smtp._tcp of
// each: 2000 take some 20 ms.
const maxNames = 4000

// A Store has declarations.
type Store interface {
	// Declaring returns what is declared of some names, and all apexes. It returns
	// false if that is too much to be read apart.
	Declaring(names definition.Names) (*definition.Set, bool)

	// Pointing returns what is declared that points to one of some names, likewise.
	// Apexes are left out: there are few, and Apexes has them.
	Pointing(at definition.Names) (*definition.Set, bool)

	// Apexes returns those of authoritative zones.
	Apexes() []definition.Apex
}

// Static returns the store of a set that never changes.
func Static(set *definition.Set) Store { return static{set} }

type static struct{ set *definition.Set }

func (s static) Declaring(names definition.Names) (*definition.Set, bool) {
	return s.set.Declaring(names), true
}
func (s static) Pointing(at definition.Names) (*definition.Set, bool) {
	return s.set.Pointing(at), true
}
func (s static) Apexes() []definition.Apex { return s.set.Apexes }

// A Part is what a change concerns of all that is declared.
type Part struct {
	Concerned definition.Names // that may be answered otherwise than before, and perhaps some more
	Names     definition.Names // those, and the apexes of zones
	Set       *definition.Set  // all that is declared of Names, of what they point to, and so on
}

// All returns all names that Set speaks of, and those that are concerned.
func (p *Part) All() definition.Names {
	all := p.Set.Owners()
	all.Add(p.Set.Targets())
	all.Add(p.Concerned)
	return all
}

// Affected returns what a change concerns, if some names are declared otherwise now.
// It returns false if that is too much.
func Affected(stores []Store, changed definition.Names) (Part, bool) {
	c := closure{stores: stores}
	p := Part{Concerned: c.dependents(changed), Names: c.apexes()}
	return c.complete(p)
}

// AffectedBare is Affected without the apexes of zones: enough to say which rules a
// change breaks.
func AffectedBare(stores []Store, changed definition.Names) (Part, bool) {
	c := closure{stores: stores}
	return c.complete(Part{Concerned: c.dependents(changed), Names: definition.Names{}})
}

// A closure looks for the names that a change concerns.
type closure struct {
	stores  []Store
	tooMuch bool
}

func (c *closure) complete(p Part) (Part, bool) {
	p.Names.Add(p.Concerned)
	c.tooMuch = c.tooMuch || len(p.Names) > maxNames
	p.Set = c.targets(p.Names)
	return p, !c.tooMuch
}

// gather returns what the stores have, in their order.
func (c *closure) gather(of func(Store) (*definition.Set, bool)) *definition.Set {
	var sets []*definition.Set
	for _, s := range c.stores {
		set, ok := of(s)
		if !ok {
			c.tooMuch = true
			return new(definition.Set)
		}
		sets = append(sets, set)
	}
	return definition.Merge(sets...)
}

func (c *closure) declaring(names definition.Names) *definition.Set {
	return c.gather(func(s Store) (*definition.Set, bool) { return s.Declaring(names) })
}

func (c *closure) pointing(at definition.Names) *definition.Set {
	return c.gather(func(s Store) (*definition.Set, bool) { return s.Pointing(at) })
}

// reach adds to names what a step from the last ones leads to, again and again.
func (c *closure) reach(
	names definition.Names, most int, step func(definition.Names) definition.Names,
) definition.Names {
	all := definition.Names{}
	for next := withSMTP(names); len(next) > 0 && !c.tooMuch; {
		all.Add(next)
		c.tooMuch = c.tooMuch || len(all) > most
		next = withSMTP(step(next)).Without(all)
	}
	return all
}

// dependents returns names with all that point to them.
func (c *closure) dependents(names definition.Names) definition.Names {
	return c.reach(names, maxNames, func(at definition.Names) definition.Names {
		owners := c.pointing(at).Owners()
		for _, s := range c.stores {
			for _, a := range s.Apexes() {
				if slices.ContainsFunc(a.Servers, func(n definition.NameServer) bool { return at[n.Host] }) {
					owners[a.Zone] = true
				}
			}
		}
		return owners
	})
}

// targets returns all that is declared of names and of what they point to.
func (c *closure) targets(names definition.Names) *definition.Set {
	const most = 4 * maxNames // a name points to few others
	all := c.reach(names, most, func(names definition.Names) definition.Names { return c.declaring(names).Targets() })
	return c.declaring(all)
}

// apexes returns the apexes of authoritative zones, and their aliases.
func (c *closure) apexes() definition.Names {
	apexes := definition.Names{}
	for _, s := range c.stores {
		for _, a := range s.Apexes() {
			apexes[a.Zone] = true
		}
	}
	if len(apexes) == 0 {
		return apexes
	}
	for _, a := range c.pointing(apexes).Aliases {
		apexes[a.Owner] = true
	}
	return apexes
}

// withSMTP returns names together with those that mail domains of theirs may
// publish, or that publish them.
func withSMTP(names definition.Names) definition.Names {
	all := make(definition.Names, 2*len(names))
	for name := range names {
		all[name] = true
		if domain, ok := strings.CutPrefix(string(name), "_smtp._tcp."); ok {
			all[definition.Name(domain)] = true
		}
		if smtp, err := definition.SMTPName(name); err == nil {
			all[smtp] = true
		}
	}
	return all
}
