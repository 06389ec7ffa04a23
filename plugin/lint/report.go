package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A pass is one run of rules: what they see, and their findings so far.
type pass struct {
	cuts  map[definition.Name]definition.Pos // names that delegate, and the first of their NS records
	glued definition.Names                   // name servers, if there are such names

	set          *definition.Set
	errs         definition.Errors
	index        *definition.Index
	opt          Options
	zones        definition.ZoneSet
	fallsThrough definition.ZoneSet
	aliasLoops   definition.Names                 // names that lead back to themselves, once a rule has asked: see loops
	existing     definition.Names                 // names that exist below the apexes of zones, once a rule has asked: see existsBelow
	notProbed    map[definition.Name][]netip.Addr // addresses of hosts, once a rule has asked: see unprobed
	subjects     *subjectRecords                  // once a rule has asked: see about
	all          []Rule
	findings     []Finding

	// Of the rule that runs.
	rule       Rule
	kept, left int // findings, and those above the limit
	places     map[place]tally
}

// A place is a line that a rule reports. Errors are not counted together with warnings, because whoever asks for one of
// them must see them all.
type place struct {
	severity Severity
	pos      definition.Pos
}

// perPlace is how many findings of a rule one line may have: a line can declare a million names.
const perPlace = 3

// A tally is how often a rule has reported a place.
type tally struct {
	count int
	last  int // index of the last finding that was kept
}

// report adds a finding about some names, the owner first.
func (p *pass) report(pos definition.Pos, names []definition.Name, format string, args ...any) {
	p.add(p.rule, pos, names, format, args...)
}

// reportAs is report with a severity, whatever that of the rule is.
func (p *pass) reportAs(s Severity, pos definition.Pos, names []definition.Name, format string, args ...any) {
	r := p.rule
	r.Severity = s
	p.add(r, pos, names, format, args...)
}

// add keeps a finding, or counts it where there are enough of its kind. Its text
// is formatted only if it is kept: there may be a million findings.
func (p *pass) add(r Rule, pos definition.Pos, names []definition.Name, format string, args ...any) {
	switch {
	case r.Severity == Warning && (p.ignores(r.ID) || !p.warnsAbout(names)):
		return
	case p.opt.Limit > 0 && p.kept == p.opt.Limit:
		p.left++
		return
	}
	at := place{r.Severity, pos}
	t := p.places[at]
	if t.count++; t.count <= perPlace {
		t.last = len(p.findings)
		p.kept++
		p.findings = append(p.findings, Finding{Rule: r, Pos: pos, Names: names, Text: fmt.Sprintf(format, args...)})
	} else if f := &p.findings[t.last]; p.opt.Limit == 0 {
		f.More = append(f.More, names[:min(1, len(names))]...)
	}
	p.places[at] = t
}

// fromFragment reports whether a declaration is one of a fragment.
func (p *pass) fromFragment(pos definition.Pos) bool {
	return p.opt.Fragment != nil && p.opt.Fragment(pos.Source)
}

func (p *pass) ignores(rule string) bool {
	_, ok := p.opt.Ignore[rule]
	return ok
}

func (p *pass) warnsAbout(names []definition.Name) bool {
	wanted := func(n definition.Name) bool { return p.opt.WarnAbout[n] }
	return p.opt.WarnAbout == nil || slices.ContainsFunc(names, wanted)
}

// countRest adds to the texts of the last findings of a rule how many more there
// are, and forgets the places of the rule.
func (p *pass) countRest() {
	for _, t := range p.places {
		if t.count > perPlace {
			p.findings[t.last].Text += fmt.Sprintf(" (and %d more of this line)", t.count-perPlace)
		}
	}
	clear(p.places)
	if p.left > 0 {
		p.findings[len(p.findings)-1].Text += fmt.Sprintf(" (and %d more like this)", p.left)
	}
}
