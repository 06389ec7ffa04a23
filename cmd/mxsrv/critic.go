package main

import (
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
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
	c := &critic{zones: zones, base: new(definition.Set), opt: lint.Options{Zones: zones}}
	if len(zones) == 0 {
		c.bare, c.zones, c.opt.Zones = true, definition.Zones{nowhere}, definition.Zones{"."}
	}
	c.opt.Pos = definition.Pos{Source: "etcd", Line: 1}
	return c
}

// blockCritic returns the critic of the fragments of e among all that a server block
// declares.
func blockCritic(stanzas *corefile.Block, e *etcd.Source, opt lint.Options) *critic {
	c := &critic{zones: e.Zones, base: stanzas.Inline, errs: stanzas.Errs, opt: opt}
	for _, f := range stanzas.Files {
		set, errs := f.Load().Read()
		c.base, c.errs = definition.Merge(c.base, set), append(c.errs, errs...)
	}
	return c
}

// nowhere is the zone of relative names that belong to none. It is no one's (RFC
// 6761 §6.4).
const nowhere = "nowhere.invalid."

// A verdict is what becomes of fragments.
type verdict struct {
	out      map[string][]lint.Finding // of those that are left out, by key: the reasons
	index    *definition.Index         // of what is served
	findings []lint.Finding            // what is wrong with that
}

// judge decides about fragments as the server does.
func (c *critic) judge(fragments []plugchange.Fragment) verdict {
	held := plugchange.NewFragments(c.zones)
	var edits []plugchange.Edit
	for _, f := range fragments {
		edits = append(edits, plugchange.Edit{Fragment: f})
	}
	_, unread := held.Apply(edits)
	admission := admit.New(held, c.opt)
	index, errs := admission.All([]plugchange.Store{plugchange.Static(c.base), held}, func() (*definition.Index, definition.Errors) {
		set := definition.Merge(c.base)
		held.ReadAll(set)
		return set.Index(), c.errs
	})
	v := verdict{out: make(map[string][]lint.Finding), index: index}
	for _, f := range lint.Check(new(definition.Set).Index(), unread, c.opt) {
		key := held.Of(f.Pos.Source).Key
		v.out[key] = append(v.out[key], f)
	}
	for _, f := range held.Excluded() {
		if why, ok := admission.Why(f); ok {
			v.out[f.Key] = append(v.out[f.Key], why)
		}
	}
	opt := c.opt
	opt.RequireTargets = func(string) bool { return false } // what must not be served for that is left out already
	v.findings = lint.Check(index, errs, opt)
	if c.bare {
		v.findings = slices.DeleteFunc(v.findings, func(f lint.Finding) bool { return f.Rule.ID == "target-undefined" })
	}
	return v
}

// relative finds names in a fragment that need a zone.
func (c *critic) relative(f plugchange.Fragment) (findings []lint.Finding) {
	if !c.bare {
		return nil
	}
	set, _ := definition.Read(f.Source(), f.Text, c.zones)
	rules := lint.Rules()
	rule := rules[slices.IndexFunc(rules, func(r lint.Rule) bool { return r.ID == "owner-outside-zone" })]
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

// faults returns why fragments are left out, by key.
func (s *store) faults(all []kept) map[string][]lint.Finding {
	faults := map[string][]lint.Finding{}
	for _, c := range s.critics {
		for key, why := range c.judge(texts(all)).out {
			faults[key] = once(append(faults[key], why...))
		}
	}
	return faults
}

func texts(all []kept) []plugchange.Fragment {
	var fragments []plugchange.Fragment
	for _, k := range all {
		fragments = append(fragments, k.Fragment)
	}
	return fragments
}

// consequences returns what is wrong with the fragments that changes put, and what
// becomes wrong with others. The errors among it are why fragments are left out.
func (s *store) consequences(all []kept, changes []change) []lint.Finding {
	put := map[string]bool{}
	for _, c := range changes {
		put[c.Source()] = true
	}
	var findings []lint.Finding
	for _, c := range s.critics {
		then, now := c.judge(after(all, changes)), c.judge(texts(all))
		known := map[string]bool{}
		for _, f := range now.findings {
			known[format(f)] = true
		}
		for _, f := range then.findings {
			if put[f.Pos.Source] || !known[format(f)] {
				findings = append(findings, f)
			}
		}
		for _, f := range after(all, changes) {
			if put[f.Source()] || now.out[f.Key] == nil {
				findings = append(findings, then.out[f.Key]...)
			}
			if put[f.Source()] {
				findings = append(findings, c.relative(f)...)
			}
		}
	}
	return once(findings)
}

// alone returns the errors for which a fragment is left out whatever else there is.
func (s *store) alone(f plugchange.Fragment) []lint.Finding {
	var errors []lint.Finding
	for _, c := range s.critics {
		only := *c
		only.base, only.errs = new(definition.Set), nil
		errors = append(errors, only.judge([]plugchange.Fragment{f}).out[f.Key]...)
		errors = append(errors, c.relative(f)...)
	}
	return once(errors)
}
