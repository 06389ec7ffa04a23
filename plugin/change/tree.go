package change

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Tree is the store of keys in etcd that are no fragments. It yields to all others: a name of which they declare
// something has nothing of a tree. What it declares is right by itself: no rule judges it.
type Tree interface {
	Store

	// Apply edits the keys. It returns the names whose declarations change with that, and perhaps some more, and the
	// mistakes in new keys, which declare nothing.
	Apply(edits []Edit) (changed definition.Names, errs definition.Errors)

	// DeclareAll adds to a set what is declared.
	DeclareAll(*definition.Set)

	// Len returns how many keys there are, and how many have a mistake.
	Len() (keys, excluded int)
}

// TreeSource is the source of all that trees declare.
const TreeSource = "the tree in etcd"

// IsTree reports whether a store is a tree.
func IsTree(s Store) bool {
	_, ok := s.(Tree)
	return ok
}

// WithTree returns the set of what other sources declare of some names, or of all, and trees of the same names.
func WithTree(others, tree *definition.Set) *definition.Set {
	declaring := *others
	declaring.Drains = nil // a name may be drained whoever declares it
	owners, apexes := ownersOf(&declaring), definition.Names{}
	for i := range others.Apexes {
		apexes[others.Apexes[i].Zone] = true
	}
	rest := tree.Filter(func(h *definition.Head) bool { return !owners[h.Owner] })
	rest.Records = slices.DeleteFunc(rest.Records, func(r definition.Record) bool {
		return r.Type == dns.TypeNS && apexes[r.Owner]
	})
	return definition.Merge(others, rest)
}

// Judged returns what the rules judge of a set: what no tree declares, and the hosts of trees, for others point to them.
// An alias is a host without addresses there, as nobody but the owner of the key can mend it.
func Judged(set *definition.Set) *definition.Set {
	judged := set.Filter(func(h *definition.Head) bool { return h.Source != TreeSource })
	judged.Apexes = set.Apexes
	for i := range set.Hosts {
		if h := &set.Hosts[i]; h.Source == TreeSource {
			judged.Hosts = append(judged.Hosts, *h)
		}
	}
	for i := range set.Aliases {
		if a := &set.Aliases[i]; a.Source == TreeSource {
			judged.Hosts = append(judged.Hosts, definition.Host{Head: a.Head})
		}
	}
	return judged
}
