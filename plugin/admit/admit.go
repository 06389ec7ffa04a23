// Package admit decides which fragments are served: all but those that break a
// rule, alone or with others. Of two that contradict each other the younger one is
// excluded, and what stands in a Corefile or a file is older than any fragment.
//
// The decision depends on what there is, and on nothing else: not on what was
// there before, nor on the order in which it came. So it is the same on each
// server. [Admission.All] makes it for everything there is, [Admission.Part] for
// what a change concerns.
//
// # How
//
// All fragments are candidates at first. Those are excluded that are wrong alone; those
// that point to a name which nobody declares in an authoritative zone; then those that
// point to the names of these, and so on. What is left contradicts each other two by two:
// the younger one is excluded, unless the older one may have to be excluded, too. That is
// seen in the next round, without what the older one contradicts. A fragment that points
// to what was excluded in this second step stays.
package admit

import (
	"maps"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// An Admission is the decision about all fragments there are. It is for one goroutine.
type Admission struct {
	stores    []change.Store
	fragments *change.Fragments
	opt       lint.Options

	why         map[*change.Fragment]lint.Finding             // of those that are excluded and can be read
	excludedFor map[definition.Name]map[*change.Fragment]bool // those by the names in why
	was         map[*change.Fragment]bool                     // whether those were that the last decision is about
}

// New returns the admission of some fragments; opt is for everything that is
// declared.
func New(fragments *change.Fragments, opt lint.Options) *Admission {
	opt.RequireTargets = func(source string) bool { return fragments.Of(source) != nil }
	return &Admission{fragments: fragments, opt: opt,
		why: make(map[*change.Fragment]lint.Finding), excludedFor: make(map[definition.Name]map[*change.Fragment]bool)}
}

// Of reports whether it is that of these fragments.
func (a *Admission) Of(fragments *change.Fragments) bool { return a.fragments == fragments }

// All decides about all fragments, and returns what is declared then. Stores have
// that, and read reads it.
func (a *Admission) All(
	stores []change.Store, read func() (*definition.Index, definition.Errors),
) (*definition.Index, definition.Errors) {
	a.start(stores)
	for _, f := range a.fragments.Excluded() {
		a.readmit(f)
	}
	index, errs := read()
	for _, sel := range a.steps() {
		for round := 0; ; round++ {
			selected := sel(lint.Errors(index, errs, a.opt), round >= maxReads)
			if len(selected) == 0 {
				break
			}
			a.repeat(sel, a.exclude(selected))
			index, errs = read()
		}
	}
	return index, errs
}

// A long chain of fragments, each of which has to do with the next, takes as many rounds.
// After some it comes to an end: what points to what is excluded stays, and of all
// contradictions the younger fragment is excluded.
const (
	maxReads  = 10 // of everything
	maxRounds = 20 // between them, of a part
)

// A selection returns the fragments that errors exclude, and for which; last if it must
// come to an end.
type selection func(errors []lint.Finding, last bool) map[*change.Fragment]lint.Finding

// steps returns what is selected first and then.
func (a *Admission) steps() []selection { return []selection{a.wrongAlone, a.yielding} }

// Part decides about the fragments that a change of the declarations of some names may
// concern, and returns what must be read then: see [change.Affected]. If that is too much
// it returns false, and [Admission.All] must decide.
func (a *Admission) Part(stores []change.Store, changed definition.Names) (change.Part, bool) {
	a.start(stores)
	names := definition.Names{}
	names.Add(changed)
	for {
		ok := a.readmitAbout(names)
		before := len(names)
		for _, sel := range a.steps() {
			ok = ok && a.repeat(sel, names)
		}
		if !ok {
			a.undo()
			return change.Part{}, false
		}
		if len(names) == before {
			return change.Affected(stores, names)
		}
		for f := range a.was {
			a.readmit(f)
		}
	}
}

// undo excludes what was before the decision.
func (a *Admission) undo() {
	for f, was := range a.was {
		a.readmit(f)
		a.fragments.Exclude(f, was)
	}
}

func (a *Admission) start(stores []change.Store) {
	a.stores, a.was = stores, make(map[*change.Fragment]bool)
}

// readmitAbout readmits all that declare or point to a name which comes to matter, and
// adds theirs to the names. It returns false if that is too much.
func (a *Admission) readmitAbout(names definition.Names) bool {
	for {
		part, ok := change.AffectedBare(a.stores, names)
		if !ok {
			return false
		}
		about := a.fragments.ExcludedAbout(part.All(), part.Concerned)
		for name := range part.Concerned {
			about = slices.AppendSeq(about, maps.Keys(a.excludedFor[name]))
		}
		if len(about) == 0 {
			return true
		}
		for _, f := range about {
			a.readmit(f)
			names.Add(a.fragments.Owners(f))
		}
	}
}

// repeat excludes what is selected, as far as that can be seen from some names, again and
// again: what is excluded may make others so. It adds the names of all these. It returns
// false if that is too much.
func (a *Admission) repeat(sel selection, names definition.Names) bool {
	for range maxRounds {
		part, ok := change.AffectedBare(a.stores, names)
		if !ok {
			return false
		}
		selected := sel(lint.Errors(part.Set.Index(), nil, a.opt), false)
		if len(selected) == 0 {
			return true
		}
		names.Add(a.exclude(selected))
	}
	return false
}

func (a *Admission) readmit(f *change.Fragment) {
	a.note(f)
	a.fragments.Exclude(f, false)
	a.forget(f)
}

// forget forgets why a fragment was excluded.
func (a *Admission) forget(f *change.Fragment) {
	for _, name := range a.why[f].Names {
		if delete(a.excludedFor[name], f); len(a.excludedFor[name]) == 0 {
			delete(a.excludedFor, name)
		}
	}
	delete(a.why, f)
}

// exclude excludes fragments, and returns their names.
func (a *Admission) exclude(selected map[*change.Fragment]lint.Finding) definition.Names {
	names := definition.Names{}
	for f, why := range selected {
		a.note(f)
		a.fragments.Exclude(f, true)
		a.why[f] = why
		for _, name := range why.Names {
			if a.excludedFor[name] == nil {
				a.excludedFor[name] = make(map[*change.Fragment]bool)
			}
			a.excludedFor[name][f] = true
		}
		names.Add(a.fragments.Owners(f))
	}
	return names
}

// note notes whether a fragment was excluded before the decision.
func (a *Admission) note(f *change.Fragment) {
	if _, ok := a.was[f]; !ok {
		a.was[f] = a.fragments.IsExcluded(f)
	}
}

// A Decision is that a fragment is excluded for an error, or is no more.
type Decision struct {
	Fragment *change.Fragment
	Excluded bool
	Why      lint.Finding
}

// Decisions returns what the last decision has changed, the oldest fragment first.
func (a *Admission) Decisions() []Decision {
	var made []Decision
	for f, was := range a.was {
		if excluded := a.fragments.IsExcluded(f); excluded != was {
			made = append(made, Decision{f, excluded, a.why[f]})
		}
	}
	slices.SortFunc(made, func(a, b Decision) int { return a.Fragment.Compare(b.Fragment) })
	for f := range a.why {
		if !a.fragments.IsExcluded(f) {
			a.forget(f) // the fragment is gone
		}
	}
	return made
}

// Why returns the error for which a fragment that can be read is excluded.
func (a *Admission) Why(f *change.Fragment) (lint.Finding, bool) {
	why, ok := a.why[f]
	return why, ok && a.fragments.IsExcluded(f)
}
