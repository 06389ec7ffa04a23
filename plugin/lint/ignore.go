package lint

import (
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
		ids := make([]string, len(rules))
		for i, r := range rules {
			ids[i] = r.ID
		}
		nearest, _ := definition.Nearest(id, ids)
		return errors.New(definition.Sprintf("unknown rule %q: the nearest is %s", id, nearest))
	case rules[i].Severity == Error && id != mailWildcard:
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
