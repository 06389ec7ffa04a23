package definition

import (
	"maps"
	"slices"
)

// Names are some names.
type Names map[Name]bool

// Add adds more names.
func (n Names) Add(more Names) { maps.Copy(n, more) }

// Without returns those that are not among others.
func (n Names) Without(others Names) Names {
	rest := Names{}
	for name := range n {
		if !others[name] {
			rest[name] = true
		}
	}
	return rest
}

// Owners returns the names that something is declared of, apexes excepted.
func (s *Set) Owners() Names {
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

// Targets returns the names that exchanges, targets, aliases and name servers point to.
func (s *Set) Targets() Names {
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

// Declaring returns what is declared of some names, in its order, and all apexes.
func (s *Set) Declaring(names Names) *Set {
	return &Set{
		Hosts:    filter(s.Hosts, func(h *Host) bool { return names[h.Owner] }),
		Mails:    filter(s.Mails, func(m *Mail) bool { return names[m.Owner] }),
		Services: filter(s.Services, func(v *Service) bool { return names[v.Owner] }),
		Aliases:  filter(s.Aliases, func(a *Alias) bool { return names[a.Owner] }),
		Apexes:   s.Apexes,
	}
}

// Pointing returns what is declared that points to one of some names, in its order;
// no apexes.
func (s *Set) Pointing(at Names) *Set {
	exchange := func(e Exchange) bool { return at[e.Host] }
	target := func(t Target) bool { return at[t.Host] }
	return &Set{
		Mails:    filter(s.Mails, func(m *Mail) bool { return slices.ContainsFunc(m.Exchanges, exchange) }),
		Services: filter(s.Services, func(v *Service) bool { return slices.ContainsFunc(v.Targets, target) }),
		Aliases:  filter(s.Aliases, func(a *Alias) bool { return at[a.Host] }),
	}
}

func filter[D any](all []D, keep func(*D) bool) []D {
	var kept []D
	for i := range all {
		if keep(&all[i]) {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// Since returns what was added to a set since it was as before. It shares memory with
// the set.
func (s *Set) Since(before *Set) Set {
	return Set{
		Hosts:    s.Hosts[len(before.Hosts):],
		Mails:    s.Mails[len(before.Mails):],
		Services: s.Services[len(before.Services):],
		Aliases:  s.Aliases[len(before.Aliases):],
		Apexes:   s.Apexes[len(before.Apexes):],
	}
}

// Records returns how many records a set declares, names by hosts or addresses.
func (s *Set) Records() int {
	n := len(s.Aliases)
	for i := range s.Hosts {
		n += len(s.Hosts[i].Addrs)
	}
	for i := range s.Mails {
		n += max(len(s.Mails[i].Exchanges), 1)
	}
	for i := range s.Services {
		n += max(len(s.Services[i].Targets), 1)
	}
	return n
}
