package definition

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// A Set is what was declared, in reading order. One owner may appear many times; see [Set.Index].
type Set struct {
	Hosts    []Host
	Mails    []Mail
	Services []Service
	Aliases  []Alias
	Records  []Record
	Drains   []Drain // of hosts, whoever declares these
	Apexes   []Apex  // of authoritative zones
}

// Merge returns the set of all that several sets declare, in their order. It may share memory with them.
func Merge(sets ...*Set) *Set {
	merged := new(Set)
	for _, s := range sets {
		merged.Hosts = join(merged.Hosts, s.Hosts)
		merged.Mails = join(merged.Mails, s.Mails)
		merged.Services = join(merged.Services, s.Services)
		merged.Aliases = join(merged.Aliases, s.Aliases)
		merged.Records = join(merged.Records, s.Records)
		merged.Drains = join(merged.Drains, s.Drains)
		merged.Apexes = join(merged.Apexes, s.Apexes)
	}
	return merged
}

// Add adds what another set declares, after what is there.
func (s *Set) Add(more *Set) {
	s.Hosts = append(s.Hosts, more.Hosts...)
	s.Mails = append(s.Mails, more.Mails...)
	s.Services = append(s.Services, more.Services...)
	s.Aliases = append(s.Aliases, more.Aliases...)
	s.Records = append(s.Records, more.Records...)
	s.Drains = append(s.Drains, more.Drains...)
	s.Apexes = append(s.Apexes, more.Apexes...)
}

// join copies only if there is something on both sides: often a few lines of a Corefile meet a file of a million.
func join[T any](a, b []T) []T {
	switch {
	case len(a) == 0:
		return slices.Clip(b)
	case len(b) == 0:
		return a
	}
	return slices.Concat(a, b)
}

// Since returns what was added to a set since it was as before. It shares memory with the set.
func (s *Set) Since(before *Set) Set {
	return Set{
		Hosts:    s.Hosts[len(before.Hosts):],
		Mails:    s.Mails[len(before.Mails):],
		Services: s.Services[len(before.Services):],
		Aliases:  s.Aliases[len(before.Aliases):],
		Records:  s.Records[len(before.Records):],
		Drains:   s.Drains[len(before.Drains):],
		Apexes:   s.Apexes[len(before.Apexes):],
	}
}

// Grow makes room for what a text seems to declare in one zone, and returns how many stanzas that are. To grow bit by
// bit would take several times the memory of a large set.
func (s *Set) Grow(text string) (stanzas int) {
	count := func(keyword string) int {
		n := strings.Count(text, keyword)
		stanzas += n
		return n
	}
	s.Hosts = slices.Grow(s.Hosts, count("host "))
	s.Mails = slices.Grow(s.Mails, count("mail "))
	s.Services = slices.Grow(s.Services, count("service "))
	s.Aliases = slices.Grow(s.Aliases, count("alias "))
	s.Records = slices.Grow(s.Records, count("record "))
	s.Drains = slices.Grow(s.Drains, count("drain "))
	return stanzas
}

// declarations goes through all that is declared, kind after kind, drains and apexes excepted.
func (s *Set) declarations(yield func(declaration) bool) {
	_ = each(s.Hosts, yield) && each(s.Mails, yield) && each(s.Services, yield) && each(s.Aliases, yield) &&
		each(s.Records, yield)
}

// A pointerTo is a pointer to a type that is a declaration by it.
type pointerTo[D any] interface {
	*D
	declaration
}

func each[D any, P pointerTo[D]](all []D, yield func(declaration) bool) bool {
	for i := range all {
		if !yield(P(&all[i])) {
			return false
		}
	}
	return true
}

// filter returns the declarations and drains that match, in their order; no apexes.
func (s *Set) filter(match func(declaration) bool) *Set {
	return &Set{
		Hosts:    filter(s.Hosts, match),
		Mails:    filter(s.Mails, match),
		Services: filter(s.Services, match),
		Aliases:  filter(s.Aliases, match),
		Records:  filter(s.Records, match),
		Drains:   filter(s.Drains, match),
	}
}

func filter[D any, P pointerTo[D]](all []D, match func(declaration) bool) []D {
	var matching []D
	for i := range all {
		if match(P(&all[i])) {
			matching = append(matching, all[i])
		}
	}
	return matching
}

// Declaring returns what is declared of some names and which of them are drained, in its order, and all apexes.
func (s *Set) Declaring(names Names) *Set {
	declaring := s.filter(func(d declaration) bool { return names[d.Header().Owner] })
	declaring.Apexes = s.Apexes
	return declaring
}

// Without returns what is declared of other names than some, and which of those are drained, in its order; no apexes. Mail domains do not publish a
// service whose name is one of these, and their addresses have no PTR records for them.
func (s *Set) Without(names Names) *Set {
	others := s.filter(func(d declaration) bool { return !names[d.Header().Owner] })
	others.Records = slices.DeleteFunc(others.Records, func(r Record) bool { return r.Derived && names[r.Host()] })
	for i := range others.Mails {
		m := &others.Mails[i]
		smtp, err := SMTPName(m.Owner)
		m.SRV = m.SRV && (err != nil || !names[smtp])
	}
	return others
}

// Pointers goes through what points to other names, apexes excepted: the head of a declaration with each of its targets.
func (s *Set) Pointers(yield func(*Head, Name) bool) {
	for d := range s.declarations {
		for i := range d.targets() {
			if !yield(d.Header(), d.target(i)) {
				return
			}
		}
	}
}

// Filter returns the declarations and drains whose heads match, in their order; no apexes.
func (s *Set) Filter(match func(*Head) bool) *Set {
	return s.filter(func(d declaration) bool { return match(d.Header()) })
}

// Pointing returns what is declared that points to one of some names, in its order; no apexes.
func (s *Set) Pointing(at Names) *Set {
	return s.filter(func(d declaration) bool {
		for i := range d.targets() {
			if at[d.target(i)] {
				return true
			}
		}
		return false
	})
}

// Heads goes through the heads of all that is declared, drains and apexes excepted.
func (s *Set) Heads(yield func(*Head) bool) {
	for d := range s.declarations {
		if !yield(d.Header()) {
			return
		}
	}
}

// EachOwner goes through the names that something is declared of or that are drained, apexes excepted, with repetitions.
func (s *Set) EachOwner(yield func(Name) bool) {
	more := true
	s.Heads(func(h *Head) bool {
		more = yield(h.Owner)
		return more
	})
	_ = more && each(s.Drains, func(d declaration) bool { return yield(d.Header().Owner) })
}

// EachTarget goes through the names that exchanges, targets, aliases and records point to, with
// repetitions, but not of those that the owners of a statement share.
func (s *Set) EachTarget(yield func(Name) bool) {
	var last any
	for d := range s.declarations {
		list := d.list()
		if list != nil && list == last {
			continue
		}
		last = list
		for i := range d.targets() {
			if !yield(d.target(i)) {
				return
			}
		}
	}
}

// Owners returns the names that something is declared of or that are drained, apexes excepted.
func (s *Set) Owners() Names { return collect(s.EachOwner) }

// Targets returns the names that exchanges, targets, aliases, records and name servers point to.
func (s *Set) Targets() Names {
	targets := collect(s.EachTarget)
	for i := range s.Apexes {
		for _, n := range s.Apexes[i].Servers {
			targets[n.Host] = true
		}
	}
	return targets
}

// Names are some names.
type Names map[Name]bool

func collect(names iter.Seq[Name]) Names {
	all := Names{}
	for name := range names {
		all[name] = true
	}
	return all
}

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
