package lint

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Ignorable returns an error if there is no rule with an id among some rules, or if its findings cannot be ignored.
func Ignorable(id string, rules []Rule) error {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	switch {
	case i < 0:
		nearest := slices.MinFunc(rules, func(a, b Rule) int {
			return cmp.Compare(Distance(id, a.ID), Distance(id, b.ID))
		})
		return errors.New(definition.Sprintf("unknown rule %q: the nearest is %s", id, nearest.ID))
	case rules[i].Severity == Error:
		return fmt.Errorf("%s is an error, and only warnings can be ignored: "+
			"delete it here, and correct what it finds", id)
	}
	return nil
}

// syntax reports the mistakes of readers, and rules that cannot be ignored.
func syntax(p *pass) {
	fromReader(p)
	for _, id := range slices.Sorted(maps.Keys(p.opt.Ignore)) {
		if err := Ignorable(id, p.all); err != nil {
			p.report(p.opt.Ignore[id], nil, "ignore: %v", err)
		}
	}
}

// Distance returns how many octets must be inserted, deleted, replaced or swapped with the next one to make b of a.
func Distance(a, b string) int {
	last := make([]int, len(b)+1)   // of the octets of a so far but two to each beginning of b,
	before := make([]int, len(b)+1) // but one,
	row := make([]int, len(b)+1)    // and of all so far
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last, before, row = before, row, last
		row[0] = i + 1
		for j := range len(b) {
			replaced := before[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, row[j]+1, before[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], last[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
