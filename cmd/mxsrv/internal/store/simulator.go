package store

import (
	"maps"
	"slices"
	"strings"

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
	Allow    change.Allowances
	Tree     *Tree // of the etcd plugin, which yields to all others; or nil
	Options  lint.Options

	absolute bool // the zones are not known: names must be absolute
	strict   bool // what an authoritative zone lacks is an error, as where there are no fragments
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
	Excluded map[string][]lint.Finding // by key: why fragments, or names of them, are not served
	Index    *definition.Index         // what is served
	Findings []lint.Finding            // about what is served

	lost map[string]map[definition.Name][]lint.Finding // all of that, by name; "" for mistakes of the whole fragment
}

// Simulate returns what a server makes of fragments. It costs as much as a load of all of them.
func (s *Simulator) Simulate(fragments []change.Fragment) Outcome {
	if len(fragments) == 0 {
		return s.outcome(s.Declared.Index(), s.Errs, nil)
	}
	held := change.NewFragments(s.Zones)
	var edits []change.Edit
	for _, f := range fragments {
		edits = append(edits, change.Edit{Fragment: f})
	}
	_, unread := held.Apply(edits)
	admission := admit.New(held, s.Allow, s.Options)
	index, errs := admission.All(func() (*definition.Index, definition.Errors) {
		set := definition.Merge(s.Declared)
		held.ReadAll(set)
		return set.Index(), s.Errs
	})
	outcome := s.outcome(index, errs, held)
	for _, f := range lint.Check(new(definition.Set).Index(), unread, s.Options) {
		outcome.exclude(held.Of(f.Pos.Source).Key, "", f)
	}
	for _, d := range admission.Decisions() {
		outcome.exclude(d.Fragment.Key, d.Name, d.Finding())
	}
	return outcome
}

// mostReasons is how many reasons an outcome has for one fragment, which may have a hundred thousand names.
const mostReasons = 20

// newlyExcluded returns why names of a fragment are excluded that were not before, or all that are if it is put.
func (o *Outcome) newlyExcluded(key string, before Outcome, put bool) []lint.Finding {
	var names []definition.Name
	for _, name := range slices.Sorted(maps.Keys(o.lost[key])) {
		if _, was := before.lost[key][name]; put || !was {
			names = append(names, name)
		}
	}
	var findings []lint.Finding
	for _, name := range names[:min(len(names), mostReasons)] {
		findings = append(findings, o.lost[key][name]...)
	}
	return findings
}

func (o *Outcome) exclude(key string, name definition.Name, why lint.Finding) {
	if o.lost[key] == nil {
		o.lost[key] = map[definition.Name][]lint.Finding{}
	}
	o.lost[key][name] = append(o.lost[key][name], why)
	if len(o.Excluded[key]) < mostReasons {
		o.Excluded[key] = append(o.Excluded[key], why)
	}
}

// outcome returns what becomes of all that is declared, with the tree, before anything is excluded.
func (s *Simulator) outcome(index *definition.Index, errs definition.Errors, held *change.Fragments) Outcome {
	o := Outcome{Index: index, Excluded: map[string][]lint.Finding{}, lost: map[string]map[definition.Name][]lint.Finding{}}
	if s.Tree == nil {
		o.Findings = s.check(index, errs, held)
		return o
	}
	o.Index = change.WithTree(index.Set, s.Tree.Declared).Index()
	findings := s.check(change.Judged(o.Index.Set).Index(), errs, held)
	o.Findings = slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Pos.Source == change.TreeSource })
	return o
}

func (s *Simulator) check(index *definition.Index, errs definition.Errors, held *change.Fragments) []lint.Finding {
	opt := s.Options
	opt.Fragment = func(source string) bool { return held.Of(source) != nil }
	opt.OptionalTargets = s.Zones != nil && !s.strict
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
	set, _ := definition.Read(f.Source(), f.Text, s.Zones)
	report := func(pos definition.Pos, name definition.Name) {
		if name.Below(unknownZone) {
			findings = append(findings, lint.NewFinding("owner-outside-zone", pos, []definition.Name{name},
				"a relative name, and the zone is not known: write it absolute, or --zone or --corefile"))
		}
	}
	for head := range set.Heads {
		report(head.Pos, head.Owner)
	}
	for _, d := range set.Drains {
		report(d.Pos, d.Owner)
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
	for _, r := range set.Records { // of any type, of which some have several names
		rr := r.RR(r.Owner, 0)
		for word := range strings.FieldsSeq(strings.TrimPrefix(rr.String(), rr.Header().String())) {
			report(r.Pos, definition.Name(word))
		}
	}
	return findings
}

// consequences returns what Store.Consequences does, for one server block.
func (s *Simulator) consequences(entries []Entry, changes []Change) []lint.Finding {
	strict := *s
	strict.strict = true
	fragments := apply(entries, changes)
	before, after := strict.Simulate(Fragments(entries)), strict.Simulate(fragments)
	put, known := map[string]bool{}, map[string]bool{}
	for _, c := range changes {
		put[c.Source()] = true
	}
	for _, f := range before.Findings {
		known[f.String()] = true
	}
	findings := slices.DeleteFunc(after.Findings, func(f lint.Finding) bool { return known[f.String()] && !put[f.Pos.Source] })
	for _, f := range fragments {
		findings = append(findings, after.newlyExcluded(f.Key, before, put[f.Source()])...)
		if put[f.Source()] {
			findings = append(findings, s.relative(f)...)
		}
	}
	return findings
}
