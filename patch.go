package mxsrv

import (
	"maps"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A small change of a large set is served as a patch: what it concerns is read,
// judged and compiled alone, which takes milliseconds where a load of a million
// names takes a second or two and as much memory again. What is served and refused
// is the same. Package definition says what a change concerns.

// A base is the last load of everything. Patches are made from it, each of all
// that has changed since.
type base struct {
	table *table.Table
	names int
	held  map[kind]int
}

// patch serves what has changed, or says what is wrong with it, if that can be
// told from a part of what is declared. Otherwise it returns false.
func (p *publisher) patch(c *source.Change) bool {
	if p.base == nil || p.admitted != nil && len(p.table.Load().Patched()) > p.mostPatched() {
		return false
	}
	began, before := time.Now(), p.table.Load()
	changed, ok := c.Names()
	if !ok {
		return false
	}
	part, ok := p.part(changed, before.Patched())
	if !ok {
		return false
	}
	index := part.Set.Index()
	if !p.judge(c.Source, p.check(index, nil)) {
		return true
	}
	p.warnAbout(index, part.Concerned)
	logUnkept(p.swap(p.base, func(opt table.Options) *table.Table { return before.Patch(index, part.Names, opt) }))
	count := 0
	for name := range part.Concerned {
		if before.Holds(name) || p.table.Load().Holds(name) {
			count++
		}
	}
	log.Infof("%v: names changed: %d, in %v; %d names are in service", c.Source, count, time.Since(began).Round(time.Millisecond/10), p.names)
	return true
}

// mostPatched is how many names are looked at again with each change of fragments,
// which change all the time: with few names, to load all takes no longer.
func (p *publisher) mostPatched() int { return max(250, p.names/100) }

// warnAbout logs what there is to warn of about some names.
func (p *publisher) warnAbout(index *definition.Index, names definition.Names) {
	opt := p.lintOptions()
	opt.Limit = 0 // there may be as much about other names
	findings := slices.DeleteFunc(lint.Check(index, nil, opt), func(f lint.Finding) bool {
		return !slices.ContainsFunc(f.Names, func(n definition.Name) bool { return names[n] })
	})
	warnings(findings[:min(len(findings), findingLimit)])
}

// count counts the names of each kind, and all, in a table that is made from b.
func (b *base) count(t *table.Table, zones definition.ZoneSet) (held map[kind]int, names int) {
	held, names = maps.Clone(b.held), b.names
	for name := range t.Patched() {
		names += recount(held, zones.Of(name), t.Types(string(name)), 1)
		names += recount(held, zones.Of(name), b.table.Types(string(name)), -1)
	}
	return held, names
}

// kindOf is what a name was declared as that holds a type. A host with addresses
// of both families holds two.
var kindOf = map[uint16]string{
	dns.TypeA: "host", dns.TypeAAAA: "host", dns.TypeMX: "mail", dns.TypeSRV: "service", dns.TypeCNAME: "alias",
}

// recount counts a name with these types by times, and returns how many that is.
func recount(held map[kind]int, zone definition.Name, types []uint16, by int) int {
	of := make(map[string]bool)
	for _, t := range types {
		if k := kindOf[t]; k != "" && !of[k] {
			of[k] = true
			held[kind{zone, k}] += by
		}
	}
	if len(types) == 0 {
		return 0
	}
	return by
}
