// Package lint checks definitions before they are served.
//
// [Rules] is the one table of rules: an id that never changes, how bad a finding is, the RFC that says so, and a
// function that reports findings. [Check] runs all of them over a set and over the mistakes of its reader, and
// returns every [Finding] in the order of the definitions. A set with an error must not be served: [Err].
//
// The result depends on the arguments only: there is no I/O, no clock and no map order in it.
package lint

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Severity says whether a set with the finding may be served.
type Severity int

const (
	Warning Severity = iota // may be served, and somebody should look
	Error                   // must not be served
)

func (s Severity) String() string { return [...]string{"warning", "error"}[s] }

// A Finding is one place where a rule is broken.
type Finding struct {
	Rule  Rule // with the severity of this finding, which may be higher than that of the rule
	Pos   definition.Pos
	Names []definition.Name // the owner first
	More  []definition.Name // owners of the same line that are counted in the text; only with Options.Limit 0
	Text  string            // what is wrong: what to write instead
}

// Owners goes through the names whose declarations are wrong: of an error it is at fault, whatever it points to.
func (f *Finding) Owners(yield func(definition.Name) bool) {
	if len(f.Names) > 0 && yield(f.Names[0]) {
		slices.Values(f.More)(yield)
	}
}

// String returns "file:line: severity: text [id, RFC]": the log and the tool print findings so.
func (f Finding) String() string {
	plain := func(text string) string { return text }
	return f.Format(plain, plain)
}

// Format is like String, but calls severity and rule for these parts, as for the colors of a terminal.
func (f Finding) Format(severity, rule func(text string) string) string {
	id := f.Rule.ID
	if f.Rule.RFC != "" {
		id += ", " + f.Rule.RFC
	}
	return fmt.Sprintf("%s: %s: %s %s", f.Pos, severity(f.Rule.Severity.String()), f.Text, rule("["+id+"]"))
}

// Options are what the rules must know besides the definitions.
type Options struct {
	Pos     definition.Pos // where the block with the definitions starts
	Zones   definition.Zones
	ZonePos map[definition.Name]definition.Pos // where a zone is named, if not at Pos

	// Fallthrough are zones in which the next plugins may declare names, too, even if they are authoritative.
	Fallthrough definition.Zones

	// BlockZones are the zones of the server block: it gets the queries below these. If
	// there is no server block, it is nil.
	BlockZones definition.Zones
	Plugins    Plugins                   // the others of the server block, as far as they are known
	OnlySource bool                      // nobody else, no plugin and no server block, has names of Zones
	Ignore     map[string]definition.Pos // rules by id whose warnings are accepted, and where it says so

	// Detection is how long it takes to see that a checked target is down, about: the time between probes, times the
	// failures that it takes. 0 is 30 s, as without checks in the Corefile.
	Detection time.Duration

	// Probed reports whether an address of a host that is checked is probed. If it is nil: each is.
	Probed func(host definition.Owner, addr netip.Addr, fragment func(source string) bool) bool

	Limit int // findings of each rule to return, the last of which counts the rest; 0 for all

	// Fragment says which sources are fragments: a TTL that differs from an older declaration, and a target that is not
	// declared, are warnings there. If it is nil: none.
	Fragment func(source string) bool

	// OptionalTargets says that a target that an authoritative zone lacks is a warning, not an error: fragments may
	// declare it.
	OptionalTargets bool

	// WarnAbout limits warnings to those about one of these names. Errors are
	// returned whatever they are about. If it is nil: all warnings.
	WarnAbout definition.Names

	zones, fallsThrough definition.ZoneSet // see Prepared
	alone               bool               // names may have nothing to do with each other: see Alone
	pointing            bool               // see Pointing
}

// Prepared returns options with which a check of few names does not cost something for each zone.
func (o Options) Prepared() Options {
	o.zones, o.fallsThrough = o.Zones.Set(), o.Fallthrough.Set()
	return o
}

// Plugins are the other plugins of a server block, by name. A query passes them in the
// order of plugin.cfg: those before mxsrv, mxsrv, and those after it.
type Plugins struct {
	Known         bool // that these are all
	Before, After []string
	Signed        definition.Zones // as which the dnssec plugin signs
}

// Check returns what is wrong with a set and with what could not be read of it, sorted by place.
func Check(index *definition.Index, errs definition.Errors, opt Options) []Finding {
	return run(rules, index, errs, opt)
}

// Alone returns the errors for which the declarations of a name must not be served, whatever other names are declared
// as, without a limit.
func Alone(index *definition.Index, opt Options) []Finding {
	opt.alone = true
	return errorsOf(ofOneName, index, opt)
}

// Pointing returns the errors for which a name must not be served because of what it points to, without a limit. An
// alias of an alias is one if both are of fragments.
func Pointing(index *definition.Index, opt Options) []Finding {
	opt.pointing = true
	return errorsOf(ofTwoNames, index, opt)
}

func errorsOf(some []Rule, index *definition.Index, opt Options) []Finding {
	opt.Limit, opt.WarnAbout = 0, definition.Names{}
	return run(some, index, nil, opt)
}

// CheckPlugins returns the findings of Check that depend on opt.Plugins, which may be known later than the rest.
func CheckPlugins(index *definition.Index, opt Options) []Finding {
	other := func(r Rule) bool { return !slices.Contains(aboutPlugins, r.ID) }
	return run(slices.DeleteFunc(Rules(), other), index, nil, opt)
}

func run(some []Rule, index *definition.Index, errs definition.Errors, opt Options) []Finding {
	if opt.zones == nil {
		opt = opt.Prepared()
	}
	p := &pass{
		set: index.Set, errs: errs, index: index, opt: opt, all: rules,
		zones: opt.zones, fallsThrough: opt.fallsThrough, places: make(map[place]tally),
	}
	p.findCuts()
	for _, r := range some {
		p.rule, p.kept, p.left = r, 0, 0
		r.check(p)
		p.countRest()
	}
	slices.SortStableFunc(p.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Source, b.Pos.Source), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	return p.findings
}

// Err returns the errors among findings as one error, a line for each, or nil if the set may be served.
func Err(findings []Finding) error {
	lines := Lines(findings, Error)
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Lines returns the findings of a severity as text, each once: a file may be named in several stanzas.
func Lines(findings []Finding, severity Severity) (lines []string) {
	seen := make(map[string]bool)
	for _, f := range findings {
		if line := f.String(); f.Rule.Severity == severity && !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	return lines
}
