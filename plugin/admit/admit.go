// Package admit decides which names of fragments are served. What a fragment declares of a name is served or excluded,
// whatever becomes of its other names.
//
// A name belongs to the Corefile and the files if they declare it, else to the oldest fragment that reads, is allowed
// to declare it, and makes no mistake about it. Others may add to a service of another fragment, and to a host or a
// service whose oldest declaration says open. Of a name that belongs to a fragment and points to an alias, although its
// kind must not, the declaration that points is excluded, never the alias. A target that is not declared excludes
// nothing. A drain is no declaration of its host, which may belong to anybody; but the fragment must be allowed the name.
//
// The decision depends on what there is, and on nothing else: not on what was there before, nor on the order in which
// it came. So it is the same on each server. What is decided about a name depends on what is declared of it and of its
// targets, on what in the Corefile and the files points to it, and on the zones and delegations that it is in. So
// [Admission.All] decides about all names in one pass, and [Admission.Part] about those that a change concerns.
//
// # Limitations
//
// That srv in a mail domain declares its _smtp._tcp counts there even if another fragment has the domain.
package admit

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// An Admission is the decision about all fragments there are. It is for one goroutine.
type Admission struct {
	fragments *change.Fragments
	allow     change.Allowances
	opt       lint.Options

	pointed   map[definition.Name]definition.Names // by what points: aliases that are refused because of it
	decisions []Decision
}

// New returns the admission of some fragments; opt is for everything that is declared.
func New(fragments *change.Fragments, allow change.Allowances, opt lint.Options) *Admission {
	opt.Fragment = func(source string) bool { return fragments.Of(source) != nil }
	return &Admission{
		fragments: fragments, allow: allow, opt: opt.Prepared(), pointed: make(map[definition.Name]definition.Names),
	}
}

// Of reports whether it is that of these fragments.
func (a *Admission) Of(fragments *change.Fragments) bool { return a.fragments == fragments }

// All decides about all fragments, and returns what is declared then, which read reads.
func (a *Admission) All(read func() (*definition.Index, definition.Errors)) (*definition.Index, definition.Errors) {
	a.decisions = nil
	was := a.fragments.ReadmitAll()
	clear(a.pointed)
	index, errs := read()
	names := change.WithSMTP(a.claimed(index.Set))
	if len(names) == 0 && len(was) == 0 {
		return index, errs
	}
	j := a.judge(a.about(index.Set, names), index.Set, names, nil)
	a.decisions = j.decisions(was, was.All)
	if len(j.lost) == 0 {
		return index, errs
	}
	index = nil // two of a large set are too much memory
	for one, names := range j.lost {
		for name := range names {
			a.fragments.Exclude(one, name, true)
		}
	}
	return read()
}

// claimed returns the names of which fragments declare something.
func (a *Admission) claimed(set *definition.Set) definition.Names {
	names := definition.Names{}
	for h := range set.Heads {
		if a.fragments.Of(h.Source) != nil {
			names[h.Owner] = true
		}
	}
	for i := range set.Drains {
		if d := &set.Drains[i]; a.fragments.Of(d.Source) != nil {
			names[d.Owner] = true
		}
	}
	return names
}

// about returns what of a set the decision about some names depends on: what fragments declare, what else is declared
// of the names, and aliases.
func (a *Admission) about(set *definition.Set, names definition.Names) *definition.Set {
	about := set.Filter(func(h *definition.Head) bool { return names[h.Owner] })
	about.Aliases = set.Aliases
	return about
}

// Part decides about the names that a change of the declarations of some names may concern, and returns what must be
// read then: see [change.Affected]. If that is too much it returns false, and [Admission.All] must decide.
func (a *Admission) Part(stores []change.Store, changed definition.Names) (change.Part, bool) {
	a.decisions = nil
	j, ok := a.judgePart(stores, changed)
	if !ok {
		return change.Part{}, false
	}
	a.decisions = j.decisions(a.fragments.Excluded(), j.excludedBefore)
	concerned := a.concerns()
	concerned.Add(changed)
	for _, d := range a.decisions {
		a.fragments.Exclude(d.Fragment, d.Name, d.Excluded)
	}
	part, ok := change.Affected(stores, concerned)
	if !ok {
		for _, d := range a.decisions {
			a.fragments.Exclude(d.Fragment, d.Name, !d.Excluded)
		}
		a.decisions = nil
	}
	return part, ok
}

// concerns returns the names that the last decision is about, and those of their addresses.
func (a *Admission) concerns() definition.Names {
	names := definition.Names{}
	var last *change.Fragment
	var pointers map[definition.Name][]definition.Name // of the last fragment, by host
	for _, d := range a.decisions {
		if d.Fragment != last {
			last, pointers = d.Fragment, a.pointers(d.Fragment)
		}
		names[d.Name] = true
		for _, name := range pointers[d.Name] {
			names[name] = true
		}
	}
	return names
}

func (a *Admission) pointers(one *change.Fragment) map[definition.Name][]definition.Name {
	pointers := make(map[definition.Name][]definition.Name)
	own, _ := a.fragments.Read(one)
	for _, r := range own.Records {
		if r.Derived {
			pointers[r.Host()] = append(pointers[r.Host()], r.Owner)
		}
	}
	return pointers
}

// judgePart judges the names that a change may concern. It returns false if these, or what is declared of them, are
// too many. It reads everything that fragments declare of a name only if it must.
func (a *Admission) judgePart(stores []change.Store, changed definition.Names) (*judgement, bool) {
	others := slices.DeleteFunc(slices.Clone(stores), func(s change.Store) bool {
		return s == a.fragments || change.IsTree(s)
	})
	names, ok := a.dependents(others, changed)
	if !ok {
		return nil, false
	}
	some := a.fragments.Contenders()
	j, ok := a.judgeNames(others, some, names)
	if ok && j.unsure {
		some.All = true
		j, ok = a.judgeNames(others, some, names)
	}
	return j, ok
}

func (a *Admission) judgeNames(
	others []change.Store, some *change.Contenders, names definition.Names,
) (*judgement, bool) {
	stores := append(slices.Clip(others), some)
	set, ok := change.Declaring(stores, names)
	if !ok {
		return nil, false
	}
	with := change.WithSMTP(set.Targets())
	with.Add(names)
	set, ok = change.Declaring(stores, with)
	if !ok {
		return nil, false
	}
	pointing, ok := change.Pointing(others, a.aliases(set))
	if !ok {
		return nil, false
	}
	delegations, ok := change.Declaring(others, change.Cuts(others))
	if !ok {
		return nil, false
	}
	pointing.Add(delegations) // and all apexes
	return a.judge(set, pointing, names, some), true
}

// dependents returns names with those about which something else may be decided after a change of these: what in the
// fragments points to them, and to what they pointed and point in the Corefile and the files.
func (a *Admission) dependents(others []change.Store, changed definition.Names) (definition.Names, bool) {
	names := change.WithSMTP(changed)
	for name := range changed {
		names.Add(a.pointed[name])
	}
	set, ok := change.Declaring(others, names)
	if !ok {
		return nil, false
	}
	for _, target := range set.Pointers {
		if a.fragments.Has(target) {
			names[target] = true
		}
	}
	pointing, ok := a.fragments.Contenders().Pointing(names)
	names.Add(pointing.Owners())
	return change.WithSMTP(names), ok
}

// aliases returns the names that fragments declare as aliases.
func (a *Admission) aliases(set *definition.Set) definition.Names {
	names := definition.Names{}
	for i := range set.Aliases {
		if d := &set.Aliases[i]; a.fragments.Of(d.Source) != nil {
			names[d.Owner] = true
		}
	}
	return names
}

// Decisions returns what the last decision has changed, the oldest fragment first.
func (a *Admission) Decisions() []Decision { return a.decisions }
