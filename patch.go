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

// counts are of what is in service: names of each kind, and all.
type counts struct {
	held  map[kind]int
	names int
}

// mostPatched is how many names may have been patched since everything was loaded: with
// each patch their list is copied, in a millisecond then.
const mostPatched = 10000

// patch serves what has changed, or says what is wrong with it, if that can be
// told from a part of what is declared. Otherwise it returns false.
func (p *publisher) patch(c *source.Change) bool {
	began, before := time.Now(), p.table.Load()
	if p.counts == nil || len(before.Patched()) > mostPatched {
		return false
	}
	changed, ok := c.Names()
	if !ok {
		return false
	}
	part, ok := p.part(changed)
	if !ok {
		return false
	}
	index := part.Set.Index()
	if !p.judge(c.Source, p.check(index, nil)) {
		return true
	}
	p.warnAbout(index, part.Concerned)
	logUnkept(p.swap(func(opt table.Options) (*table.Table, *counts) {
		t := before.Patch(index, part.Names, opt)
		return t, p.counts.after(before, t, part.Names, p.zoneSet)
	}))
	count := 0
	for name := range part.Concerned {
		if before.HasRecords(name) || p.table.Load().HasRecords(name) {
			count++
		}
	}
	log.Infof("%v: names changed: %d, in %v; %d names are in service", c.Source, count, time.Since(began).Round(time.Millisecond/10), p.names)
	return true
}

// warnAbout logs what there is to warn of about some names.
func (p *publisher) warnAbout(index *definition.Index, names definition.Names) {
	opt := p.lintOptions()
	opt.Limit = 0 // there may be as much about other names
	findings := slices.DeleteFunc(lint.Check(index, nil, opt), func(f lint.Finding) bool {
		return !slices.ContainsFunc(f.Names, func(n definition.Name) bool { return names[n] })
	})
	warnings(findings[:min(len(findings), findingLimit)])
}

// after returns the counts after a patch of some names.
func (c *counts) after(before, patched *table.Table, names definition.Names, zones definition.ZoneSet) *counts {
	now := &counts{maps.Clone(c.held), c.names}
	for name := range names {
		now.names += recount(now.held, zones.Of(name), patched.Types(string(name)), 1)
		now.names += recount(now.held, zones.Of(name), before.Types(string(name)), -1)
	}
	return now
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
