// Package admit decides which fragments are served: all but those that break a
// rule, alone or with others. Of two that contradict each other the younger one is
// left out, and what stands in a Corefile or a file is older than any fragment.
//
// The decision depends on what there is, and on nothing else: not on what was
// there before, nor on the order in which it came. So it is the same on each
// server. [Admission.All] makes it for everything there is, [Admission.Part] for
// what a change concerns.
//
// # How
//
// At first all are in. Those go that are wrong alone. So do those that point to a name
// which nobody declares, in a zone that is served whole, and then those that point to
// theirs, and so on. Of what is left there are contradictions, each between two: the
// younger one goes, unless the older one may have to go too; that is seen in the next
// round, when what it contradicts has gone. A fragment that points to what has gone
// in this second part stays.
package admit

import (
	"maps"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// An Admission is the decision about all fragments there are. It is kept up to date,
// and is for one goroutine.
type Admission struct {
	stores    []change.Store
	fragments *change.Fragments
	opt       lint.Options

	why     map[*change.Fragment]lint.Finding             // of those that are left out and can be read
	because map[definition.Name]map[*change.Fragment]bool // those that are left out because of what is declared of a name
	was     map[*change.Fragment]bool                     // whether those were left out that the last decision was about
}

// New returns the admission of some fragments; opt is for everything that is
// declared.
func New(fragments *change.Fragments, opt lint.Options) *Admission {
	opt.RequireTargets = func(source string) bool { return fragments.Of(source) != nil }
	return &Admission{fragments: fragments, opt: opt,
		why: make(map[*change.Fragment]lint.Finding), because: make(map[definition.Name]map[*change.Fragment]bool)}
}

// Of reports whether it is that of these fragments.
func (a *Admission) Of(fragments *change.Fragments) bool { return a.fragments == fragments }

// All decides about all fragments, and returns what is declared then. Stores hold
// that, and read reads it.
func (a *Admission) All(stores []change.Store, read func() (*definition.Index, definition.Errors)) (*definition.Index, definition.Errors) {
	a.start(stores)
	for _, f := range a.fragments.Excluded() {
		a.letIn(f)
	}
	index, errs := read()
	for _, goners := range a.steps() {
		for round := 0; ; round++ {
			gone := goners(lint.Errors(index, errs, a.opt), round >= mostReads)
			if len(gone) == 0 {
				break
			}
			a.repeat(goners, a.leaveOut(gone))
			index, errs = read()
		}
	}
	return index, errs
}

// A long chain of fragments, each of which has to do with the next, takes as many rounds.
// After some it comes to an end: who points to what is gone stays, and of all
// contradictions the younger goes.
const (
	mostReads  = 10 // of everything
	mostRounds = 20 // between them, of a part
)

// goners returns who goes because of errors, with the error of each; last if it must
// come to an end.
type goners func(errors []lint.Finding, last bool) map[*change.Fragment]lint.Finding

// steps are who goes because of errors, first and then.
func (a *Admission) steps() []goners { return []goners{a.wrongAlone, a.yielding} }

// Part decides about the fragments that a change may concern, if some names are
// declared otherwise now, and returns what must be read then: see
// [change.Affected]. If that is too much it returns false, and [Admission.All]
// must decide.
func (a *Admission) Part(stores []change.Store, changed definition.Names) (change.Part, bool) {
	a.start(stores)
	names := definition.Names{}
	names.Add(changed)
	for {
		ok := a.letInAbout(names)
		before := len(names)
		if ok = ok && a.settle(names); !ok {
			a.undo()
			return change.Part{}, false
		}
		a.addFlipped(names)
		if len(names) == before {
			return change.Affected(stores, names)
		}
		for f := range a.was {
			a.letIn(f)
		}
	}
}

// undo leaves out what was before the decision.
func (a *Admission) undo() {
	for f, was := range a.was {
		a.letIn(f)
		a.fragments.Exclude(f, was)
	}
}

func (a *Admission) start(stores []change.Store) {
	a.stores, a.was = stores, make(map[*change.Fragment]bool)
}

// letInAbout lets all in that declare or point to a name which comes to matter, and
// adds theirs to the names. It returns false if that is too much.
func (a *Admission) letInAbout(names definition.Names) bool {
	for {
		part, ok := change.AffectedBare(a.stores, names)
		if !ok {
			return false
		}
		about := a.fragments.ExcludedAbout(part.All(), part.Concerned)
		for name := range part.Concerned {
			about = slices.AppendSeq(about, maps.Keys(a.because[name]))
		}
		if len(about) == 0 {
			return true
		}
		for _, f := range about {
			a.letIn(f)
			names.Add(a.fragments.Owners(f))
		}
	}
}

// settle leaves out what must be, as far as that is to be seen from some names. It
// adds the names of what it leaves out. It returns false if that is too much.
func (a *Admission) settle(names definition.Names) bool {
	for _, goners := range a.steps() {
		if !a.repeat(goners, names) {
			return false
		}
	}
	return true
}

// repeat is a step of settle: what goes may make others go.
func (a *Admission) repeat(goners goners, names definition.Names) bool {
	for range mostRounds {
		part, ok := change.AffectedBare(a.stores, names)
		if !ok {
			return false
		}
		gone := goners(lint.Errors(part.Set.Index(), nil, a.opt), false)
		if len(gone) == 0 {
			return true
		}
		names.Add(a.leaveOut(gone))
	}
	return false
}

// addFlipped adds the names of the fragments that are left out and were not, or
// the other way round.
func (a *Admission) addFlipped(names definition.Names) {
	for f, was := range a.was {
		if a.fragments.IsExcluded(f) != was {
			names.Add(a.fragments.Owners(f))
		}
	}
}

func (a *Admission) letIn(f *change.Fragment) {
	a.note(f)
	a.fragments.Exclude(f, false)
	a.forget(f)
}

// forget forgets why a fragment was left out.
func (a *Admission) forget(f *change.Fragment) {
	for _, name := range a.why[f].Names {
		if delete(a.because[name], f); len(a.because[name]) == 0 {
			delete(a.because, name)
		}
	}
	delete(a.why, f)
}

// leaveOut leaves fragments out, and returns their names.
func (a *Admission) leaveOut(gone map[*change.Fragment]lint.Finding) definition.Names {
	names := definition.Names{}
	for f, why := range gone {
		a.note(f)
		a.fragments.Exclude(f, true)
		a.why[f] = why
		for _, name := range why.Names {
			if a.because[name] == nil {
				a.because[name] = make(map[*change.Fragment]bool)
			}
			a.because[name][f] = true
		}
		names.Add(a.fragments.Owners(f))
	}
	return names
}

// note keeps whether a fragment was left out before the decision.
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
		if out := a.fragments.IsExcluded(f); out != was {
			made = append(made, Decision{f, out, a.why[f]})
		}
	}
	slices.SortFunc(made, func(a, b Decision) int { return a.Fragment.Compare(b.Fragment) })
	for f := range a.why {
		if !a.fragments.IsExcluded(f) {
			a.forget(f) // it is gone
		}
	}
	return made
}

// Why returns the error for which a fragment that can be read is left out.
func (a *Admission) Why(f *change.Fragment) (lint.Finding, bool) {
	why, ok := a.why[f]
	return why, ok && a.fragments.IsExcluded(f)
}
