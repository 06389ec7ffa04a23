package store

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A Simulator judges fragments as a server block does that serves them. It does not change.
type Simulator struct {
	Zones    definition.Zones  // of relative names in fragments; nil: there are no fragments
	Declared *definition.Set   // what the server block declares beside the fragments
	Errs     definition.Errors // mistakes in that
	Options  lint.Options

	absolute bool // the zones are not known: names must be absolute
}

// unknownZone is the zone of relative names where the zones are not known. It belongs to nobody (RFC 6761 §6.4).
const unknownZone = "unknown.invalid."

// NewSimulator returns the simulator of a server block of which only the zones are known, or not even these: then
// fragments must have absolute names.
func NewSimulator(zones definition.Zones) *Simulator {
	s := &Simulator{Zones: zones, Declared: new(definition.Set), Options: lint.Options{Zones: zones}}
	if len(zones) == 0 {
		s.absolute, s.Zones, s.Options.Zones = true, definition.Zones{unknownZone}, definition.Zones{"."}
	}
	s.Options.Pos = definition.Pos{Source: "etcd", Line: 1}
	return s
}

// An Outcome is what becomes of fragments on a server.
type Outcome struct {
	Excluded map[string][]lint.Finding // the errors of the fragments that are not served, by key
	Index    *definition.Index         // what is served
	Findings []lint.Finding            // about what is served
}

// Simulate returns what a server makes of fragments. It costs as much as a load of all of them.
func (s *Simulator) Simulate(fragments []change.Fragment) Outcome {
	if len(fragments) == 0 {
		index := s.Declared.Index()
		return Outcome{nil, index, s.check(index, s.Errs)}
	}
	held := change.NewFragments(s.Zones)
	var edits []change.Edit
	for _, f := range fragments {
		edits = append(edits, change.Edit{Fragment: f})
	}
	_, unread := held.Apply(edits)
	admission := admit.New(held, s.Options)
	index, errs := admission.All([]change.Store{change.Static(s.Declared), held}, func() (*definition.Index, definition.Errors) {
		set := definition.Merge(s.Declared)
		held.ReadAll(set)
		return set.Index(), s.Errs
	})
	return Outcome{s.excluded(held, admission, unread), index, s.check(index, errs)}
}

// excluded returns the errors of the fragments that are not served: those that cannot be read, and those that are not
// admitted.
func (s *Simulator) excluded(held *change.Fragments, admission *admit.Admission, unread definition.Errors) map[string][]lint.Finding {
	excluded := map[string][]lint.Finding{}
	for _, f := range lint.Check(new(definition.Set).Index(), unread, s.Options) {
		key := held.Of(f.Pos.Source).Key
		excluded[key] = append(excluded[key], f)
	}
	for _, f := range held.Excluded() {
		if why, ok := admission.Why(f); ok {
			excluded[f.Key] = append(excluded[f.Key], why)
		}
	}
	return excluded
}

func (s *Simulator) check(index *definition.Index, errs definition.Errors) []lint.Finding {
	opt := s.Options
	if s.Zones != nil {
		opt.RequireTargets = func(string) bool { return false } // what a missing target excludes is excluded by now
	}
	findings := lint.Check(index, errs, opt)
	if s.absolute { // targets may be declared in any zone
		findings = slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Rule.ID == lint.TargetUndefined })
	}
	return findings
}

// relative returns a finding for each name in a fragment that needs a zone, if the zones are not known.
func (s *Simulator) relative(f change.Fragment) (findings []lint.Finding) {
	if !s.absolute {
		return nil
	}
	rules := lint.Rules()
	rule := rules[slices.IndexFunc(rules, func(r lint.Rule) bool { return r.ID == "owner-outside-zone" })]
	set, _ := definition.Read(f.Source(), f.Text, s.Zones)
	report := func(pos definition.Pos, name definition.Name) {
		if name.Below(unknownZone) {
			findings = append(findings, lint.Finding{Rule: rule, Pos: pos, Names: []definition.Name{name},
				Text: "a relative name, and the zone is not known: write it absolute, or --zone or --corefile"})
		}
	}
	for head := range set.Heads {
		report(head.Pos, head.Owner)
	}
	for _, m := range set.Mails {
		for _, e := range m.Exchanges {
			report(e.Pos, e.Host)
		}
	}
	for _, v := range set.Services {
		for _, t := range v.Targets {
			report(t.Pos, t.Host)
		}
	}
	for _, a := range set.Aliases {
		report(a.Pos, a.Host)
	}
	return findings
}

// consequences returns what Store.Consequences does, for one server block.
func (s *Simulator) consequences(entries []Entry, changes []Change) []lint.Finding {
	fragments := apply(entries, changes)
	before, after := s.Simulate(Fragments(entries)), s.Simulate(fragments)
	put, known := map[string]bool{}, map[string]bool{}
	for _, c := range changes {
		put[c.Source()] = true
	}
	for _, f := range before.Findings {
		known[f.String()] = true
	}
	findings := slices.DeleteFunc(after.Findings, func(f lint.Finding) bool { return known[f.String()] && !put[f.Pos.Source] })
	for _, f := range fragments {
		if put[f.Source()] || before.Excluded[f.Key] == nil {
			findings = append(findings, after.Excluded[f.Key]...)
		}
		if put[f.Source()] {
			findings = append(findings, s.relative(f)...)
		}
	}
	return findings
}
