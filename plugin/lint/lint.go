// Package lint judges definitions before they are served.
//
// [Rules] is the one table of rules: an id that never changes, how bad it is,
// the RFC that says so, and a function that reports. [Check] runs them all over
// a set and over what the reader could not read, and returns every [Finding] in
// the order of the definitions. A set with an error must not be served: [Err].
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Severity says whether a set with the finding may be served.
type Severity int

const (
	Warning Severity = iota // may be served, and somebody should look
	Error                   // must not be served
)

func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// A Rule is one thing that can be wrong.
type Rule struct {
	ID       string
	Severity Severity
	RFC      string // "RFC 2181 §10.3", or empty where no RFC says it
	Doc      string // what is wrong, in a line
	check    func(*pass)
}

// A Finding is one place where a rule is broken.
type Finding struct {
	Rule  Rule
	Pos   definition.Pos
	Names []definition.Name // the owner first
	Text  string            // what is wrong: what to write instead

	// Clashes are the pairs of declarations that are right alone, and wrong
	// together: so many that if one of each pair goes, another [Check] finds what is
	// left of it. A finding without is of a declaration that is wrong alone.
	Clashes []Clash
}

func (f Finding) String() string {
	why := f.Rule.ID
	if f.Rule.RFC != "" {
		why += ", " + f.Rule.RFC
	}
	return fmt.Sprintf("%s: %s: %s [%s]", f.Pos, f.Rule.Severity, f.Text, why)
}

// Options are what the rules must know besides the definitions.
type Options struct {
	Zones       definition.Zones
	Fallthrough definition.Zones // names in these may also be declared by the next plugins, even in an authoritative zone
	Plugins     []string         // the other plugins of the server block
	Pos         definition.Pos   // where the block with the definitions starts
	Limit       int              // findings of each rule to return, the last of which counts the rest; 0 for all

	// RequireTargets says in which sources a target that an authoritative zone
	// lacks is an error, not a warning. If it is nil: in all.
	RequireTargets func(source string) bool
}

// Check returns what is wrong with a set and with what could not be read of it.
func Check(index *definition.Index, errs definition.Errors, opt Options) []Finding {
	return check(rules, index, errs, opt)
}

// Errors returns the errors that Check finds, all of them.
func Errors(index *definition.Index, errs definition.Errors, opt Options) []Finding {
	may := slices.DeleteFunc(Rules(), func(r Rule) bool { return r.Severity == Warning && !mayBeError[r.ID] })
	opt.Limit = 0
	return slices.DeleteFunc(check(may, index, errs, opt), func(f Finding) bool { return f.Rule.Severity == Warning })
}

// mayBeError are the warnings that are errors under some circumstances.
var mayBeError = map[string]bool{TargetUndefined: true}

// TargetUndefined is the id of the one rule that is broken by what is missing.
const TargetUndefined = "target-undefined"

// CheckPlugins returns what Check finds because of opt.Plugins, which may be
// known later than the rest. These are warnings.
func CheckPlugins(index *definition.Index, opt Options) []Finding {
	about := slices.DeleteFunc(Rules(), func(r Rule) bool { return !aboutPlugins[r.ID] })
	return check(about, index, nil, opt)
}

func check(rules []Rule, index *definition.Index, errs definition.Errors, opt Options) []Finding {
	p := &pass{
		set: index.Set, errs: errs, index: index, opt: opt,
		zones: opt.Zones.Set(), fallsThrough: opt.Fallthrough.Set(), at: make(map[place]tally),
	}
	for _, r := range rules {
		p.rule, p.kept, p.left, p.clashed = r, 0, 0, definition.Names{}
		r.check(p)
		p.sumUp()
	}
	slices.SortStableFunc(p.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Source, b.Pos.Source), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	return p.findings
}

// Err returns the errors among the findings as one error, or nil if the set
// may be served.
func Err(findings []Finding) error {
	var lines []string
	for _, f := range findings {
		if f.Rule.Severity == Error {
			lines = append(lines, f.String())
		}
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// Rules returns all rules, errors first, each part sorted by id.
func Rules() []Rule { return slices.Clone(rules) }

// A pass is what a rule sees, and where it reports.
type pass struct {
	set          *definition.Set
	errs         definition.Errors
	index        *definition.Index
	opt          Options
	zones        definition.ZoneSet
	fallsThrough definition.ZoneSet
	findings     []Finding

	rule       Rule
	clashes    []Clash          // of the finding that is reported next
	clashed    definition.Names // aliases that the rule has noted clashes with
	kept, left int              // findings of the rule, and those that its last finding speaks for
	at         map[place]tally
}

// A place is a line that a rule speaks of. What is wrong alone there is not counted
// with what is not, nor an error with a warning: see Errors.
type place struct {
	id       string
	severity Severity
	alone    bool
	pos      definition.Pos
}

// perPlace is how often one rule may speak of one line: a line can stand for a
// million names.
const perPlace = 3

// A tally is how often a rule has spoken of a place.
type tally struct {
	count int
	last  int // index of the last finding that was kept
}

// report keeps a finding, or counts it where there are enough of its kind.
func (p *pass) report(pos definition.Pos, names []definition.Name, format string, args ...any) {
	clashes := p.clashes
	p.clashes = nil
	if p.opt.Limit > 0 && p.kept == p.opt.Limit {
		p.left++
		return
	}
	at := place{p.rule.ID, p.rule.Severity, len(clashes) == 0, pos}
	t := p.at[at]
	t.count++
	if t.count <= perPlace {
		t.last = len(p.findings)
		p.kept++
		p.findings = append(p.findings, Finding{p.rule, pos, names, fmt.Sprintf(format, args...), clashes})
	} else if f := &p.findings[t.last]; p.opt.Limit == 0 {
		f.Names, f.Clashes = append(f.Names, names...), append(f.Clashes, clashes...)
	}
	p.at[at] = t
}

// reportAs is report with a severity that is not that of the rule.
func (p *pass) reportAs(s Severity, pos definition.Pos, names []definition.Name, format string, args ...any) {
	before := p.rule.Severity
	p.rule.Severity = s
	p.report(pos, names, format, args...)
	p.rule.Severity = before
}

// sumUp lets the last findings of a rule speak for those that were not kept.
func (p *pass) sumUp() {
	for _, t := range p.at {
		if t.count > perPlace {
			p.findings[t.last].Text += fmt.Sprintf(" (and %d more of this line)", t.count-perPlace)
		}
	}
	clear(p.at)
	if p.left > 0 {
		p.findings[len(p.findings)-1].Text += fmt.Sprintf(" (and %d more like this)", p.left)
	}
}

// read reports what the reader found for the rule.
func read(p *pass) {
	for _, e := range p.errs {
		if e.ID == p.rule.ID {
			p.report(e.Pos, nil, "%s", e.Text)
		}
	}
}

// aboutPlugins are the rules that look at the other plugins.
var aboutPlugins = map[string]bool{"glue-ttl-lower": true, "minimal-strips-glue": true}

// rules is sorted: errors, then warnings, each by id. A rule that the reader
// finds has read as its function.
var rules []Rule

// The table refers to functions that refer to it by way of pass, so it is
// filled here.
func init() {
	rules = []Rule{
		{"alias-loop", Error, "RFC 1034 §3.6.2", "aliases that lead back to themselves", aliasLoop},
		{"alias-of-alias", Error, "RFC 1034 §3.6.2", "an alias of an alias", aliasOfAlias},
		{"alias-with-other-data", Error, "RFC 1034 §3.6.2", "an alias that is declared as something else too, twice, or at the top of a zone", aliasWithOtherData},
		{"authoritative-twice", Error, "RFC 1034 §4.2", "a zone that is served whole by two blocks of authoritative", authoritativeTwice},
		{definition.FileUnreadable, Error, "", "a definitions file that is missing, empty or not to be read", read},
		{"mail-wildcard", Error, "RFC 1912 §2.7", "a wildcard mail domain", mailWildcard},
		{"mx-target-alias", Error, "RFC 2181 §10.3", "an exchange that is an alias", mxTargetAlias},
		{definition.NameInvalid, Error, "RFC 1035 §2.3, RFC 1123 §2.1, RFC 2782", "a name that is too long or has characters that its kind does not allow", nameInvalid},
		{"ns-target-alias", Error, "RFC 2181 §10.3", "a name server that is an alias", nsTargetAlias},
		{"null-mx-not-alone", Error, "RFC 7505 §3", "a mail domain with exchanges and none", nullMXNotAlone},
		{"owner-outside-zone", Error, "RFC 1034 §4.2", "a name outside every zone of the block", ownerOutsideZone},
		{"srv-dot-not-alone", Error, "RFC 2782", "a service with targets and none", srvDotNotAlone},
		{"srv-target-alias", Error, "RFC 2782", "a target of a service that is an alias", srvTargetAlias},
		{definition.Syntax, Error, "", "a line that is not of the language", read},
		{definition.TargetIsAddress, Error, "RFC 1035 §3.3.9, RFC 2782", "an address where the name of a host belongs", read},
		{"ttl-conflict", Error, "RFC 2181 §5.2", "two TTLs for the same records", ttlConflict},
		{definition.ValueOutOfRange, Error, "RFC 1035 §3.3.9, RFC 2782, RFC 2181 §8", "a number outside its field", read},

		{"answer-over-1232", Warning, "RFC 9715", "an answer that does not fit the usual UDP size", answerOver1232},
		{"final-dot-missing", Warning, "RFC 1035 §5.1", "a name that ends in its zone twice", finalDotMissing},
		{"glue-ttl-lower", Warning, "RFC 2181 §5.2", "a host with a lower TTL than what points to it, behind the cache plugin", glueTTLLower},
		{"mail-one-network", Warning, "RFC 2182 §3", "a mail domain whose exchanges are all in one network", mailOneNetwork},
		{"mail-single-host", Warning, "RFC 5321 §5.1", "a mail domain with a single exchange", mailSingleHost},
		{"minimal-strips-glue", Warning, "", "the minimal plugin in the same server block", minimalStripsGlue},
		{"service-name-long", Warning, "RFC 6335 §5.1", "a service name of more than 15 characters", serviceNameLong},
		{"soa-expire-short", Warning, "RFC 1912 §2.2", "a zone that secondaries drop before they have tried again", soaExpireShort},
		{"srv-port-zero", Warning, "RFC 2782", "a target at port 0", srvPortZero},
		{"srv-weight-zero-mixed", Warning, "RFC 2782", "weight 0 beside other weights of the same priority", srvWeightZeroMixed},
		{TargetUndefined, Warning, "RFC 2181 §10.3", "a target in a zone of the block that is not declared; an error if the zone is served whole", targetUndefined},
	}
}
