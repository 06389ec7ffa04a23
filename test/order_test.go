package test

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// byFixedOrder compares two records of an RRset as `order fixed` does.
func byFixedOrder(a, b dns.RR) int {
	switch a := a.(type) {
	case *dns.SRV:
		if b, ok := b.(*dns.SRV); ok {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
				cmp.Compare(a.Target, b.Target), cmp.Compare(a.Port, b.Port))
		}
	case *dns.MX:
		if b, ok := b.(*dns.MX); ok {
			return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(a.Mx, b.Mx))
		}
	case *dns.A:
		if b, ok := b.(*dns.A); ok {
			return bytes.Compare(a.A, b.A)
		}
	case *dns.AAAA:
		if b, ok := b.(*dns.AAAA); ok {
			return bytes.Compare(a.AAAA, b.AAAA)
		}
	}
	return 0 // those of another type stay where they are
}

// byPriority compares two records as every order does: priority or preference, and weight 0 after all others.
func byPriority(a, b dns.RR) int {
	switch a := a.(type) {
	case *dns.SRV:
		if b, ok := b.(*dns.SRV); ok {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(min(b.Weight, 1), min(a.Weight, 1)))
		}
	case *dns.MX:
		if b, ok := b.(*dns.MX); ok {
			return cmp.Compare(a.Preference, b.Preference)
		}
	}
	return 0
}

// glueInOrder returns the records of a section as glue of an answer is: the addresses of each target, as they are among
// these records, in the order of the targets.
func glueInOrder(answer, glue []dns.RR) (ordered []dns.RR) {
	added := map[string]bool{}
	for _, rr := range answer {
		target := targetOf(rr)
		for _, g := range glue {
			if g.Header().Name == target && !added[target] {
				ordered = append(ordered, g)
			}
		}
		added[target] = true
	}
	return ordered
}

// inFixedOrder returns a message as it would be with `order fixed`, if its records are in an order in which they may be
// sent, and otherwise the message as it is.
func inFixedOrder(m *dns.Msg) *dns.Msg {
	isGlue := func(rr dns.RR) bool {
		return slices.ContainsFunc(m.Answer, func(a dns.RR) bool { return targetOf(a) == rr.Header().Name })
	}
	glue := slices.DeleteFunc(slices.Clone(m.Extra), func(rr dns.RR) bool { return !isGlue(rr) })
	if !slices.IsSortedFunc(m.Answer, byPriority) || !slices.Equal(glueInOrder(m.Answer, glue), glue) {
		return m
	}
	fixed := *m
	fixed.Answer = slices.Clone(m.Answer)
	slices.SortStableFunc(fixed.Answer, byFixedOrder)
	fixed.Extra = slices.Concat(glueInOrder(fixed.Answer, glue), slices.DeleteFunc(slices.Clone(m.Extra), isGlue))
	return &fixed
}

// order finds what is wrong with the order of our answer: it may be any within a priority, unless the fixed one is
// declared.
func (e *exchanged) order() string {
	answer := e.answers[0].msg.Answer
	if len(answer) == 0 {
		return ""
	}
	compare, last := byPriority, answer[len(answer)-1].Header()
	if e.fixed[fixedKey(strings.ToLower(last.Name), last.Rrtype)] {
		compare = byFixedOrder
	}
	if !slices.IsSortedFunc(answer, compare) {
		return strings.Join(texts(answer), "\n")
	}
	return ""
}
