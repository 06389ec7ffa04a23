package admit

import (
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A contradiction is between two fragments, or one and what is older than all of
// them: then older is nil.
type contradiction struct {
	older, younger *change.Fragment
	why            lint.Finding
}

// wrongAlone returns the fragments that are wrong without contradicting another, with
// the error of each. To point to what nobody declares is such an error, until the last
// round.
func (a *Admission) wrongAlone(errors []lint.Finding, last bool) map[*change.Fragment]lint.Finding {
	wrong := make(map[*change.Fragment]lint.Finding)
	for _, e := range errors {
		f, stays := a.fragments.Of(e.Pos.Source), last && e.Rule.ID == lint.TargetUndefined
		if f != nil && len(e.Clashes) == 0 && !stays {
			wrong[f] = e
		}
	}
	return wrong
}

// yielding returns the fragments that must be excluded because they contradict others,
// with the error of each: some at least if any must. Those stay for now that contradict
// only what may have to be excluded, too, until the last round.
func (a *Admission) yielding(errors []lint.Finding, last bool) map[*change.Fragment]lint.Finding {
	var all []contradiction
	yield := make(map[*change.Fragment]bool)
	for _, e := range errors {
		for _, clash := range e.Clashes {
			if c, ok := a.contradiction(clash, e); ok {
				all = append(all, c)
				yield[c.younger] = true
			}
		}
	}
	selected := make(map[*change.Fragment]lint.Finding)
	for _, c := range all {
		if _, again := selected[c.younger]; !again && (last || !yield[c.older]) {
			selected[c.younger] = c.why
		}
	}
	return selected
}

// contradiction says who of a clash is the older one. It returns false if no fragment
// takes part. One that contradicts itself yields, whatever else there is.
func (a *Admission) contradiction(clash lint.Clash, why lint.Finding) (contradiction, bool) {
	one, other := a.fragments.Of(clash[0].Source), a.fragments.Of(clash[1].Source)
	switch {
	case one == nil && other == nil:
		return contradiction{}, false
	case one == other:
		return contradiction{nil, one, why}, true
	case one == nil || other != nil && one.Compare(other) < 0:
		return contradiction{one, other, why}, true
	}
	return contradiction{other, one, why}, true
}
