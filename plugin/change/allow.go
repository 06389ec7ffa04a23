package change

import (
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// An Allowance says that the fragment with a key, and those with keys below it, may declare some names and those below
// them.
type Allowance struct {
	Key   string // ends in "/" if only what is below it is meant
	Names []definition.Name
}

// Allowances add up. If there are none, fragments may declare any name in the zones.
type Allowances []Allowance

// reportsOf is between a domain and another, to which its DMARC reports may go: example.org._report._dmarc.example.net.
const reportsOf = "._report._dmarc."

// Allow reports whether the fragment with a key may declare a name. What allows the DMARC reports of a domain to go
// elsewhere belongs to that domain.
func (a Allowances) Allow(key string, name definition.Name) bool {
	if domain, _, ok := strings.Cut(string(name), reportsOf); ok && a.allow(key, definition.Name(domain+".")) {
		return true
	}
	return a.allow(key, name)
}

func (a Allowances) allow(key string, name definition.Name) bool {
	return len(a) == 0 || slices.ContainsFunc(a, func(one Allowance) bool {
		return one.covers(key) && slices.ContainsFunc(one.Names, name.Below)
	})
}

func (a *Allowance) covers(key string) bool {
	below, ok := strings.CutPrefix(key, a.Key)
	return ok && (below == "" || strings.HasSuffix(a.Key, "/") || below[0] == '/')
}
