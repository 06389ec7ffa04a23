package admit

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// kinds are kinds of declarations.
type kinds uint8

const (
	host kinds = 1 << iota
	mail
	service
	alias
	record
	pointer    // the PTR record of an address of a host
	delegation // NS and DS
)

// A claim is what a fragment declares of a name; or the Corefile and the files, which count as one.
type claim struct {
	fragment *change.Fragment // nil: the Corefile and the files
	pos      definition.Pos   // of the first declaration
	kinds    kinds
	open     kinds // those that others may add to
	none     bool  // a service that is not offered
}

// claims returns the claims of a name, the oldest first.
func (j *judgement) claims(o definition.Owner) []claim {
	var all []claim
	at := make(map[*change.Fragment]int, 1)
	add := func(h *definition.Head, of, open kinds, none bool) {
		one := j.of(h.Source)
		i, ok := at[one]
		if !ok {
			i = len(all)
			at[one] = i
			all = append(all, claim{fragment: one, pos: h.Pos})
		}
		c := &all[i]
		c.kinds, c.open, c.none = c.kinds|of, c.open|open, c.none || none
	}
	eachDeclared(o, add)
	slices.SortFunc(all, func(a, b claim) int { return compare(a.fragment, b.fragment) })
	return all
}

// compare orders by age. What is in the Corefile and in files is older than any fragment.
func compare(a, b *change.Fragment) int {
	switch {
	case a == b:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(b)
}

// eachDeclared calls f for all that is declared of a name.
func eachDeclared(o definition.Owner, f func(h *definition.Head, of, open kinds, none bool)) {
	for _, h := range o.Hosts() {
		f(&h.Head, host, open(host, h.Open), false)
	}
	for _, m := range o.Mails() {
		f(&m.Head, mail, 0, false)
	}
	for _, s := range o.Services() {
		f(&s.Head, service, open(service, s.Open), len(s.Targets) == 0)
	}
	for _, a := range o.Aliases() {
		f(&a.Head, alias, 0, false)
	}
	for _, r := range o.Records() {
		switch {
		case r.Derived:
			f(&r.Head, pointer, pointer, false)
		case r.Type == dns.TypeNS || r.Type == dns.TypeDS:
			f(&r.Head, delegation, 0, false)
		default:
			f(&r.Head, record, 0, false)
		}
	}
}

func open(of kinds, is bool) kinds {
	if is {
		return of
	}
	return 0
}

// refuses returns why a younger claim yields to that of the owner of a name, or nil if it adds to it.
func (c *claim) refuses(younger *claim) *reason {
	if younger.kinds&^c.shared() == 0 && younger.none == c.none {
		return nil
	}
	return c.refusal(younger)
}

// shared returns the kinds that others may add to if this is the claim of the owner.
func (c *claim) shared() kinds {
	if c.fragment == nil {
		return c.open
	}
	return c.open | c.kinds&service
}

// decides reports whether this, as the claim of the owner, excludes a fragment and all that are younger, whatever they
// declare; the fragment may be nil.
func (c *claim) decides(oldest *change.Fragment) bool {
	return oldest == nil || c != nil && c.shared() == 0 && compare(c.fragment, oldest) < 0
}

// refusal returns the reason, with a remedy that the kinds of both allow.
func (c *claim) refusal(of *claim) *reason {
	r := &reason{rule: lint.FragmentYounger, text: younger, pos: of.pos, other: c.pos}
	addsTo := of.kinds == c.kinds && (c.kinds == host || c.kinds == service) && of.none == c.none
	switch {
	case c.fragment == nil && addsTo:
		r.rule, r.text = lint.FragmentClosed, openable
	case c.fragment == nil:
		r.rule, r.text = lint.FragmentClosed, closed
	case addsTo:
		r.text = addable
	}
	return r
}

// pick adds what some claims of a name declare to a set, in their order in the index.
func (j *judgement) pick(set *definition.Set, o definition.Owner, claims []*claim) {
	among := make(map[*change.Fragment]bool, len(claims))
	for _, c := range claims {
		among[c.fragment] = true
	}
	pick(j, &set.Hosts, o.Hosts(), among)
	pick(j, &set.Mails, o.Mails(), among)
	pick(j, &set.Services, o.Services(), among)
	pick(j, &set.Aliases, o.Aliases(), among)
	pick(j, &set.Records, o.Records(), among)
}

func pick[D any, P interface {
	*D
	Header() *definition.Head
}](j *judgement, to *[]D, declared []*D, among map[*change.Fragment]bool) {
	for _, d := range declared {
		if among[j.of(P(d).Header().Source)] {
			*to = append(*to, *d)
		}
	}
}
