package admit

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A judgement decides about some names.
type judgement struct {
	*Admission
	names  definition.Names
	index  *definition.Index  // what is declared of these, and of aliases that they point to, excluded or not
	some   *change.Contenders // of the names; nil if nothing was left out
	unsure bool               // something may be left out that matters
	base   definition.Set     // the apexes of zones, and the NS records in the Corefile and the files

	// pointers has for each alias in a fragment a declaration in the Corefile or a file that points to it, if any does.
	pointers map[definition.Name]*definition.Head

	lost   map[*change.Fragment]map[definition.Name]*reason // what is excluded, of other names too
	source struct {                                         // the last one that was asked for
		name string
		of   *change.Fragment
	}
}

// judge decides about some names. What is declared of them is in a set, with the aliases that they point to; what
// points to aliases of fragments is in another one, with all apexes and delegations. If some is not nil, it says what
// is left out of the first.
func (a *Admission) judge(
	declared, pointing *definition.Set, names definition.Names, some *change.Contenders,
) *judgement {
	j := &judgement{
		Admission: a, index: declared.Explicit().Index(), names: names, some: some,
		pointers: make(map[definition.Name]*definition.Head),
		lost:     make(map[*change.Fragment]map[definition.Name]*reason),
	}
	j.base.Apexes = pointing.Apexes
	for _, r := range pointing.Records {
		if r.Type == dns.TypeNS && j.of(r.Source) == nil {
			j.base.Records = append(j.base.Records, r)
		}
	}
	j.findPointers(pointing)
	j.ownership()
	j.pointing()
	j.drains()
	return j
}

// drains excludes the drains of names that fragments may not declare. Others belong to nobody: a host of the Corefile
// is drained by a fragment.
func (j *judgement) drains() {
	for i := range j.index.Set.Drains {
		d := &j.index.Set.Drains[i]
		if one := j.of(d.Source); one != nil && !j.allow.Allow(one.Key, d.Owner) {
			j.lose(one, d.Owner, &reason{rule: lint.FragmentNotAllowed, text: notAllowed, pos: d.Pos})
		}
	}
}

// of returns the fragment that a source is, or nil. Most declarations have the source of the one before.
func (j *judgement) of(source string) *change.Fragment {
	if j.source.name != source {
		j.source.name, j.source.of = source, j.fragments.Of(source)
	}
	return j.source.of
}

func (j *judgement) lose(one *change.Fragment, name definition.Name, why *reason) {
	if j.lost[one] == nil {
		j.lost[one] = make(map[definition.Name]*reason)
	}
	if j.lost[one][name] == nil {
		j.lost[one][name] = why
	}
}

// findPointers finds what in the Corefile and the files points to aliases of fragments.
func (j *judgement) findPointers(set *definition.Set) {
	aliases := j.aliases(j.index.Set)
	if len(aliases) == 0 {
		return
	}
	for h, target := range set.Pointers {
		if aliases[target] && j.pointers[target] == nil && j.of(h.Source) == nil {
			j.pointers[target] = h
		}
	}
	for i := range set.Apexes {
		a := &set.Apexes[i]
		for _, s := range a.Servers {
			if aliases[s.Host] && j.pointers[s.Host] == nil {
				j.pointers[s.Host] = &definition.Head{Pos: s.Pos, Owner: a.Zone}
			}
		}
	}
}

// ownership decides to whom names belong, and who may add to them. Nearly all claims are right, so those that are
// served then are checked together. Names of which some are wrong are decided again.
func (j *judgement) ownership() {
	together := definition.Merge(&j.base)
	for o := range j.index.Owners() {
		owner, more := j.contest(o, j.claims(o), func(*claim) *reason { return nil })
		if owner != nil && (owner.fragment != nil || len(more) > 0) {
			j.pick(together, o, append(more, owner))
		}
	}
	wrong := definition.Names{}
	for _, f := range lint.Alone(together.Index(), j.opt) {
		for name := range f.Owners {
			wrong[name] = true
		}
	}
	for name := range wrong {
		j.contestAgain(j.index.At(name))
	}
}

// contest decides between the claims of a name, the oldest first. It returns that of the owner, and those that add to
// it. The owner's is not wrong alone: wrong returns why a claim is, or nil.
func (j *judgement) contest(
	o definition.Owner, claims []claim, wrong func(*claim) *reason,
) (owner *claim, more []*claim) {
	if len(claims) > 0 && claims[0].fragment == nil {
		owner, claims = &claims[0], claims[1:]
	}
	for i := range claims {
		c := &claims[i]
		why := j.forbids(o, c)
		switch {
		case why != nil:
		case owner != nil:
			why = owner.refuses(c)
		default:
			why = wrong(c)
		}
		switch {
		case why != nil:
			j.lose(c.fragment, o.Name(), why)
		case owner != nil:
			more = append(more, c)
		default:
			owner = c
		}
	}
	j.unsure = j.unsure || !owner.decides(j.some.Omitted(o.Name()))
	return owner, more
}

// contestAgain decides between the claims of a name of which some are wrong.
func (j *judgement) contestAgain(o definition.Owner) {
	claims := j.claims(o)
	for _, c := range claims {
		delete(j.lost[c.fragment], o.Name())
	}
	owner, more := j.contest(o, claims, func(c *claim) *reason { return j.wrong(o, c) })
	if len(more) > 0 {
		j.addTo(o, owner, more)
	}
}

// forbids returns why a fragment must not declare what it declares of a name, whoever else declares something of it, or
// nil. It notes what points to an alias that is forbidden because of that.
func (j *judgement) forbids(o definition.Owner, c *claim) *reason {
	pointer := j.pointers[o.Name()]
	switch {
	case !j.allow.Allow(c.fragment.Key, o.Name()):
		return &reason{rule: lint.FragmentNotAllowed, text: notAllowed, pos: c.pos}
	case c.kinds&delegation != 0:
		return &reason{rule: lint.FragmentClosed, text: delegated, pos: c.pos, other: c.pos}
	case c.kinds&alias != 0 && pointer != nil:
		if j.pointed[pointer.Owner] == nil {
			j.pointed[pointer.Owner] = definition.Names{}
		}
		j.pointed[pointer.Owner][o.Name()] = true
		return &reason{rule: lint.FragmentClosed, text: pointed, pos: c.pos, other: pointer.Pos}
	}
	return nil
}

// addTo excludes those of the claims that add to a name which are wrong alone; and then the youngest, if all make more
// than an answer can have.
func (j *judgement) addTo(o definition.Owner, owner *claim, more []*claim) {
	findings := j.alone(o, append(slices.Clip(more), owner))
	if slices.ContainsFunc(findings, func(f lint.Finding) bool { return f.Rule.ID != lint.AnswerTooLarge }) {
		j.loseWrong(o, more)
		right := []*claim{owner}
		for _, c := range more {
			if j.lost[c.fragment][o.Name()] == nil {
				right = append(right, c)
			}
		}
		findings = j.alone(o, right)
	}
	for _, f := range findings {
		if one := j.of(f.Pos.Source); one != owner.fragment {
			j.lose(one, o.Name(), &reason{finding: &f})
		}
	}
}

// loseWrong excludes those of some claims that are wrong alone. Nearly all are right, so they are checked together,
// then by halves.
func (j *judgement) loseWrong(o definition.Owner, claims []*claim) {
	switch n := len(claims); {
	case n == 1:
		if why := j.wrong(o, claims[0]); why != nil {
			j.lose(claims[0].fragment, o.Name(), why)
		}
	case len(j.alone(o, claims)) > 0:
		j.loseWrong(o, claims[:n/2])
		j.loseWrong(o, claims[n/2:])
	}
}

// wrong returns why a claim is wrong alone, or nil.
func (j *judgement) wrong(o definition.Owner, c *claim) *reason {
	if findings := j.alone(o, []*claim{c}); len(findings) > 0 {
		return &reason{finding: &findings[0]}
	}
	return nil
}

// alone returns what is wrong with some claims of a name together, whatever other names there are.
func (j *judgement) alone(o definition.Owner, claims []*claim) []lint.Finding {
	set := new(definition.Set)
	for _, a := range j.base.Apexes {
		if o.Name().Below(a.Zone) {
			set.Apexes = append(set.Apexes, a)
		}
	}
	for _, r := range j.base.Records {
		if o.Name().Below(r.Owner) || r.Target() == o.Name() {
			set.Records = append(set.Records, r)
		}
	}
	j.pick(set, o, claims)
	return lint.Alone(set.Index(), j.opt)
}

// pointing excludes what points to an alias, and must not.
func (j *judgement) pointing() {
	served := func(h *definition.Head) bool { return j.lost[j.of(h.Source)][h.Owner] == nil }
	set := j.index.Set.Filter(func(h *definition.Head) bool { return j.of(h.Source) != nil && served(h) })
	set.Aliases = nil // or those of the Corefile and the files are missing
	for i := range j.index.Set.Aliases {
		if a := &j.index.Set.Aliases[i]; served(&a.Head) {
			set.Aliases = append(set.Aliases, *a)
		}
	}
	for _, f := range lint.Pointing(set.Index(), j.opt) {
		if one := j.of(f.Pos.Source); one != nil {
			for name := range f.Owners {
				j.lose(one, name, &reason{finding: &f})
			}
		}
	}
}

// excludedBefore goes through what was excluded before of the names, but what was left out and stays excluded.
func (j *judgement) excludedBefore(yield func(*change.Fragment, definition.Name) bool) {
	for name := range j.names {
		for one := range j.fragments.ExcludedAt(name) {
			if !j.some.Omits(one, name) && !yield(one, name) {
				return
			}
		}
	}
}
