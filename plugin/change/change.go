// Package change finds out what a change of definitions concerns, so that a changed line
// among a million costs milliseconds and not a load of everything.
//
// A [Document] is a definitions file as a list of stanzas, which are its statements with their blocks, and [Fragments]
// are the keys of etcd. When they change, both return the owners of what was removed and of what was added. [Affected]
// then finds in two directions what that concerns.
//
// Towards the dependents: what points to a changed name gets other answers (the
// addresses of an exchange are glue, an alias is answered with the records of its host)
// and may break a rule now (an exchange that has become an alias). So may what points
// to that, and so on.
//
// Towards the targets: the answers for these names, and the rules that they break, depend
// on everything that is declared of them, of what they point to, and so on. Names
// that are reached only in this direction have the same answers as before.
//
// A name with NS records delegates all names below it: what is declared of it is included for these, for the rules. If
// itself changes, that concerns everything.
//
// A mail domain and its _smtp._tcp, which it may publish, always go together. What is
// declared of the apexes of authoritative zones, and of their aliases, is always included,
// for the rules; their answers are concerned only if their name servers are.
//
// # Limitations
//
// A change that concerns more than a few thousand names, or a wildcard, is treated as a change of
// everything. Documents and fragments are for one goroutine.
package change

import (
	"maps"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// maxNames is how many names may be concerned. Most count twice, with their _smtp._tcp;
// the 2000 that are left take some 20 ms.
const maxNames = 4000

// A Store returns declarations by owner or by target. In a list of stores a [Tree] comes after all others.
type Store interface {
	// Declaring returns what is declared of some names, and all apexes. It returns
	// false if that is so much that everything should be read instead.
	Declaring(names definition.Names) (*definition.Set, bool)

	// Pointing returns what is declared that points to one of some names, or false
	// likewise. Apexes are not part of it: there are few, and Apexes returns them.
	Pointing(at definition.Names) (*definition.Set, bool)

	// Apexes returns those of authoritative zones.
	Apexes() []definition.Apex

	// Cuts returns the names that have NS records, and perhaps some that had.
	Cuts() definition.Names
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

func (s static) Cuts() definition.Names {
	cuts := definition.Names{}
	addCuts(cuts, s.set)
	return cuts
}

// addCuts adds the names that a set declares NS records of.
func addCuts(cuts definition.Names, set *definition.Set) {
	for i := range set.Records {
		if r := &set.Records[i]; r.Type == dns.TypeNS {
			cuts[r.Owner] = true
		}
	}
}

// A Part is what must be checked and compiled again after a change.
type Part struct {
	Concerned definition.Names // whose answers may change, and perhaps some more
	Names     definition.Names // those, and the apexes of zones
	Set       *definition.Set  // all that is declared of Names, of what they point to, and so on
}

// Declaring returns what stores declare of some names, in their order, and all apexes. It returns false if that is too
// much.
func Declaring(stores []Store, names definition.Names) (*definition.Set, bool) {
	c := search{stores: stores, tooMuch: len(names) > maxFound}
	return c.declaring(names), !c.tooMuch
}

// Pointing returns what stores declare that points to one of some names, in their order; no apexes. It returns false if
// that is too much.
func Pointing(stores []Store, at definition.Names) (*definition.Set, bool) {
	c := search{stores: stores}
	return c.pointing(at), !c.tooMuch
}

// Cuts returns the names of which stores declare NS records, and perhaps some more.
func Cuts(stores []Store) definition.Names {
	cuts := definition.Names{}
	for _, s := range stores {
		cuts.Add(s.Cuts())
	}
	return cuts
}

// Affected returns what a change of the declarations of some names concerns. It returns
// false if that is too much.
func Affected(stores []Store, changed definition.Names) (Part, bool) {
	c := newSearch(stores, changed)
	p := Part{Concerned: c.dependents(changed), Names: c.apexes()}
	return c.complete(p)
}

// haveWildcard reports whether there is a wildcard among names: whatever points below it may be concerned.
func haveWildcard(names definition.Names) bool {
	for name := range names {
		if name.IsWildcard() {
			return true
		}
	}
	return false
}

// A search looks for the names that a change concerns.
type search struct {
	stores  []Store
	cuts    definition.Names // of all stores
	tooMuch bool
}

// newSearch returns a search for what a change of some names concerns: too much if one of them delegates or did, as
// that concerns all names below it.
func newSearch(stores []Store, changed definition.Names) *search {
	c := &search{stores: stores, cuts: Cuts(stores)}
	for name := range c.cuts {
		c.tooMuch = c.tooMuch || changed[name]
	}
	c.tooMuch = c.tooMuch || haveWildcard(changed)
	return c
}

// cutsAbove returns the names that delegate at or above some names.
func (c *search) cutsAbove(names definition.Names) definition.Names {
	above := definition.Names{}
	if len(c.cuts) == 0 {
		return above
	}
	for name := range names {
		for ; name != "."; name = name.Parent() {
			if c.cuts[name] {
				above[name] = true
			}
		}
	}
	return above
}

func (c *search) complete(p Part) (Part, bool) {
	p.Names.Add(p.Concerned)
	c.tooMuch = c.tooMuch || len(p.Names) > maxNames
	p.Set = c.targets(p.Names)
	return p, !c.tooMuch
}

// gather returns what stores have, in their order.
func (c *search) gather(stores []Store, of func(Store) (*definition.Set, bool)) *definition.Set {
	var sets []*definition.Set
	for _, s := range stores {
		set, ok := of(s)
		if !ok {
			c.tooMuch = true
			return new(definition.Set)
		}
		sets = append(sets, set)
	}
	return definition.Merge(sets...)
}

func (c *search) declaring(names definition.Names) *definition.Set {
	of := func(s Store) (*definition.Set, bool) { return s.Declaring(names) }
	first := slices.IndexFunc(c.stores, IsTree)
	if first < 0 {
		return c.gather(c.stores, of)
	}
	return WithTree(c.gather(c.stores[:first], of), c.gather(c.stores[first:], of))
}

func (c *search) pointing(at definition.Names) *definition.Set {
	return c.gather(c.stores, func(s Store) (*definition.Set, bool) { return s.Pointing(at) })
}

// reach returns names with all that steps from them lead to, or stops at too many.
func (c *search) reach(
	names definition.Names, most int, step func(definition.Names) definition.Names,
) definition.Names {
	all := definition.Names{}
	for next := WithSMTP(names); len(next) > 0 && !c.tooMuch; {
		all.Add(next)
		c.tooMuch = c.tooMuch || len(all) > most
		next = WithSMTP(step(next)).Without(all)
	}
	return all
}

// dependents returns names with all that point to them.
func (c *search) dependents(names definition.Names) definition.Names {
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

// targets returns all that is declared of names and of what they point to, and of the delegations above all of these.
func (c *search) targets(names definition.Names) *definition.Set {
	const most = 4 * maxNames // a name points to few others
	all := c.reach(names, most, func(names definition.Names) definition.Names {
		next := c.declaring(names).Targets()
		next.Add(c.cutsAbove(names))
		return next
	})
	for name := range maps.Clone(all) {
		for ; name != "."; name = name.Parent() { // perhaps it is a wildcard that has the records
			all[name.Parent().Wildcard()] = true
		}
	}
	return c.declaring(all)
}

// apexes returns the apexes of authoritative zones, and their aliases.
func (c *search) apexes() definition.Names {
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

// WithSMTP returns names together with those that mail domains of theirs may
// publish, or that publish them.
func WithSMTP(names definition.Names) definition.Names {
	all := make(definition.Names, 2*len(names))
	for name := range names {
		all[name] = true
		if domain, ok := definition.SMTPDomain(name); ok {
			all[domain] = true
		}
		if smtp, err := definition.SMTPName(name); err == nil {
			all[smtp] = true
		}
	}
	return all
}
