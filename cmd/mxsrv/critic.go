package main

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/block"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// A critic says what a server block that serves fragments would say of them.
type critic struct {
	zones definition.Zones
	base  *definition.Set // what is declared beside the fragments
	errs  definition.Errors
	opt   lint.Options
	bare  bool // nothing says the zones: names must be absolute
}

// newCritic returns the critic of fragments of which only the zones are known, or not
// even these.
func newCritic(zones definition.Zones) *critic {
	c := &critic{zones: zones, base: new(definition.Set), bare: len(zones) == 0}
	if c.bare {
		c.zones = definition.Zones{nowhere}
	}
	c.opt = lint.Options{Zones: c.zones, Pos: definition.Pos{Source: "etcd", Line: 1}}
	return c
}

// blockCritic returns the critic of the fragments of e among all that a server block
// declares.
func blockCritic(stanzas *block.Block, e *source.Etcd, opt lint.Options) *critic {
	c := &critic{zones: e.Zones, base: stanzas.Inline, opt: opt}
	for _, f := range stanzas.Files {
		set, errs := f.Load().Read()
		c.base, c.errs = definition.Merge(c.base, set), append(c.errs, errs...)
	}
	return c
}

// nowhere is the zone of relative names that belong to none. It is no one's (RFC
// 6761 §6.4).
const nowhere = "nowhere.invalid."

// sourceOf names a fragment in positions.
func sourceOf(key string) string { return "etcd:" + key }

// findings returns all that is wrong with fragments, together with what is
// declared beside them.
func (c *critic) findings(fragments []definition.Fragment) []lint.Finding {
	set, errs := new(definition.Set), slices.Clone(c.errs)
	for _, f := range fragments {
		errs = append(errs, set.Read(sourceOf(f.Key), f.Text, c.zones)...)
	}
	findings := lint.Check(definition.Merge(c.base, set).Index(), errs, c.opt)
	if c.bare {
		about := func(n definition.Name) bool { return n.Below(nowhere) }
		findings = slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Rule.ID == outside || slices.ContainsFunc(f.Names, about) })
		findings = append(findings, relative(set)...)
	}
	return once(findings)
}

const outside = "owner-outside-zone"

// relative finds names without a zone that they could be relative to.
func relative(set *definition.Set) []lint.Finding {
	rules := lint.Rules()
	rule := rules[slices.IndexFunc(rules, func(r lint.Rule) bool { return r.ID == outside })]
	var findings []lint.Finding
	look := func(pos definition.Pos, name definition.Name) {
		if name.Below(nowhere) {
			findings = append(findings, lint.Finding{Rule: rule, Pos: pos, Names: []definition.Name{name},
				Text: "a relative name, and no zone is said: write it absolute, or --zone or --corefile"})
		}
	}
	for _, h := range set.Hosts {
		look(h.Pos, h.Owner)
	}
	for _, m := range set.Mails {
		look(m.Pos, m.Owner)
		for _, e := range m.Exchanges {
			look(e.Pos, e.Host)
		}
	}
	for _, v := range set.Services {
		look(v.Pos, v.Owner)
		for _, t := range v.Targets {
			look(t.Pos, t.Host)
		}
	}
	for _, a := range set.Aliases {
		look(a.Pos, a.Owner)
		look(a.Pos, a.Host)
	}
	return findings
}

// faults returns the errors of each fragment for which it is left out.
func (s *store) faults(all []kept) map[string][]lint.Finding {
	faults := map[string][]lint.Finding{}
	for _, c := range s.critics {
		for _, f := range c.findings(texts(all)) {
			if f.Rule.Severity == lint.Error && !(c.bare && f.Rule.ID == outside) { // the servers know the zones
				faults[f.Pos.Source] = append(faults[f.Pos.Source], f)
			}
		}
	}
	return faults
}

func texts(all []kept) []definition.Fragment {
	var fragments []definition.Fragment
	for _, k := range all {
		fragments = append(fragments, k.Fragment)
	}
	return fragments
}

// consequences returns what is wrong after some changes and was not before, or is
// in what they put.
func (s *store) consequences(all []kept, changes []change) []lint.Finding {
	put := map[string]bool{}
	for _, c := range changes {
		put[sourceOf(c.Key)] = true
	}
	var findings []lint.Finding
	for _, c := range s.critics {
		known := map[string]bool{}
		for _, f := range c.findings(texts(all)) {
			known[format(f)] = true
		}
		for _, f := range c.findings(after(all, changes)) {
			if put[f.Pos.Source] || !known[format(f)] {
				findings = append(findings, f)
			}
		}
	}
	return once(findings)
}

// alone returns the errors that a fragment has whatever else there is.
func (s *store) alone(f definition.Fragment) []lint.Finding {
	var findings []lint.Finding
	for _, c := range s.critics {
		only := *c
		only.base, only.errs = new(definition.Set), nil
		findings = append(findings, only.findings([]definition.Fragment{f})...)
	}
	return slices.DeleteFunc(once(findings), func(f lint.Finding) bool {
		return f.Rule.Severity != lint.Error || f.Rule.ID == "target-undefined"
	})
}
