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
			return cmp.Compare(distance(id, a.ID), distance(id, b.ID))
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

// distance returns how many octets must be inserted, deleted or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // of the octets of a so far to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
