package admit

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A Decision is that what a fragment declares of a name is excluded, or is not any more.
type Decision struct {
	Fragment *change.Fragment
	Name     definition.Name
	Excluded bool

	why *reason // of an exclusion
}

// A reason is why what a fragment declares of a name is excluded.
type reason struct {
	finding *lint.Finding // of a rule of package lint; else it is made of the rest

	rule       string
	text       string         // with the name and the other place
	pos, other definition.Pos // of the declaration, and of what it collides with
}

// The texts of reasons.
const (
	notAllowed = "%s is a name that %s may not declare: write one that a line of allow has for its key"
	closed     = "%s is declared at %s: delete it here"
	openable   = "%s is declared at %s: delete it here, or write open into the block there"
	pointed    = "%s must not be an alias, because %s points to it: write a host"
	delegated  = "%s: a fragment must not delegate: write its NS and DS records into the Corefile or a file, not at %s"
	younger    = "%s belongs to %s, which is older: delete it here or there"
	addable    = "%s belongs to %s, which is older: delete it here, or write open into the block there"
)

// Rule returns the id of the rule that is broken.
func (d *Decision) Rule() string {
	if d.why.finding != nil {
		return d.why.finding.Rule.ID
	}
	return d.why.rule
}

// Finding returns why something is excluded. Names that are wrong in the same line may share it.
func (d *Decision) Finding() lint.Finding {
	r := d.why
	if r.finding != nil {
		return *r.finding
	}
	place := r.other.String()
	if r.rule == lint.FragmentNotAllowed {
		place = d.Fragment.Source()
	}
	return lint.NewFinding(r.rule, r.pos, []definition.Name{d.Name}, fmt.Sprintf(r.text, d.Name, place))
}

// decisions returns how the judgement differs from what was excluded, the oldest fragment first. It readmits only of
// what about goes through: what was excluded of the names that are judged.
func (j *judgement) decisions(was change.Exclusions, about iter.Seq2[*change.Fragment, definition.Name]) []Decision {
	var made []Decision
	for one, name := range about {
		if j.lost[one][name] == nil {
			made = append(made, Decision{Fragment: one, Name: name})
		}
	}
	for one, names := range j.lost {
		for name, why := range names {
			if !was[one][name] {
				made = append(made, Decision{one, name, true, why})
			}
		}
	}
	slices.SortFunc(made, func(a, b Decision) int {
		return cmp.Or(a.Fragment.Compare(b.Fragment), a.Name.Compare(b.Name))
	})
	return made
}
