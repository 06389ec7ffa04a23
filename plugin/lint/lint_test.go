package lint

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// index reads definitions of example.org without mistakes.
func index(t *testing.T, text string) *definition.Index {
	t.Helper()
	set, errs := definition.Read("x", text, zones[:1])
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return set.Index()
}

// authoritative is index for an authoritative zone.
func authoritative(t *testing.T, text string) *definition.Index {
	t.Helper()
	set := index(t, text).Set
	set.Apexes = []definition.Apex{{Pos: definition.Pos{Source: "Corefile", Line: 1}, Zone: zones[0], Expire: 1}}
	return set.Index()
}

func TestErr(t *testing.T) {
	if err := Err(find("host mx1 192.0.2.1\nmail @ 10 mx1", "", "")); err != nil {
		t.Errorf("a warning alone is an error: %v", err)
	}
	err := Err(find("host mx1 192.0.2.1\nhost mx1\nmail @ 10 mx1", "", ""))
	if err == nil || err.Error() != "mail.conf:2: error: usage: host NAME ADDRESS... [syntax]" {
		t.Errorf("%v, want the error and not the warning", err)
	}
}

// TestFold: a line that stands for many names does not fill the log.
func TestFold(t *testing.T) {
	var text strings.Builder
	text.WriteString("mail")
	for range 50 {
		text.WriteString(" " + strings.Repeat("d", text.Len()%40+1))
	}
	text.WriteString(" a b c d1 e f g h i j 10 mx1\nhost mx1 192.0.2.1")
	count, more := 0, 0
	for _, f := range find(text.String(), "", "") {
		if f.Rule.ID == "mail-single-host" {
			count++
			more += strings.Count(f.Text, "more of this line)")
		}
	}
	if count != perPlace || more != 1 {
		t.Errorf("%d findings and %d that count the rest, want %d and 1", count, more, perPlace)
	}
}

// TestLimit: what is wrong a hundred thousand times is reported a few times.
func TestLimit(t *testing.T) {
	set, errs := definition.Read("x", strings.Repeat("host\n", 10)+"mail a b c d e 10 mx1\nhost mx1 192.0.2.1\nmail f g 10 mx1", zones[:1])
	got := text(Check(set.Index(), errs, Options{Zones: zones, Limit: 2}))
	want := `x:1: error: usage: host NAME ADDRESS... [syntax]
x:2: error: usage: host NAME ADDRESS... (and 8 more like this) [syntax]
x:11: warning: mail domain a.example.org. has a single exchange, mx1.example.org.: add a second one, so that mail has somewhere to go while it is down [mail-single-host, RFC 5321 §5.1]
x:11: warning: mail domain b.example.org. has a single exchange, mx1.example.org.: add a second one, so that mail has somewhere to go while it is down (and 5 more like this) [mail-single-host, RFC 5321 §5.1]`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestLimitByOne: one finding above the limit is counted, too.
func TestLimitByOne(t *testing.T) {
	_, errs := definition.Read("x", "host\nhost", zones[:1])
	got := text(Check(new(definition.Set).Index(), errs, Options{Zones: zones, Limit: 1}))
	if want := "x:1: error: usage: host NAME ADDRESS... (and 1 more like this) [syntax]"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestCheckPlugins: the rules about plugins can be asked for alone.
func TestCheckPlugins(t *testing.T) {
	set, _ := definition.Read("x", "host mx1 192.0.2.1 {\n ttl 60\n}\nmail sub 10 mx1", zones[:1])
	opt := Options{Zones: zones, Plugins: Plugins{Before: []string{"cache", "dnssec", "minimal"}}}
	seen := map[string]bool{}
	for _, f := range CheckPlugins(set.Index(), opt) {
		seen[f.Rule.ID] = true
	}
	if len(seen) != 2 || !seen["glue-ttl-lower"] || !seen["minimal-strips-glue"] {
		t.Errorf("%v, want glue-ttl-lower and minimal-strips-glue", seen)
	}
}

// TestTargetUndefinedAuthoritative: in an authoritative zone nobody else can have
// the records of a target, but where it falls through.
func TestTargetUndefinedAuthoritative(t *testing.T) {
	const definitions, apex = "mail @ 10 mx1 mx.example.net.", "authoritative {\nns ns1 ns.example.net.\n}"
	for _, tc := range []struct{ name, corefile, want string }{
		{"authoritative", apex, `Corefile:2: error: name server of example.org. is ns1.example.org., which does not exist: write "host ns1.example.org. ADDRESS...", or a final dot if it is elsewhere [target-undefined, RFC 2181 §10.3]
mail.conf:1: error: exchange of example.org. is mx1.example.org., which does not exist: write "host mx1.example.org. ADDRESS...", or a final dot if it is elsewhere [target-undefined, RFC 2181 §10.3]`},
		{"fallthrough", apex + "\nfallthrough", `Corefile:2: warning: name server of example.org. is ns1.example.org., which has no addresses here: write "host ns1.example.org. ADDRESS...", or a final dot if it is elsewhere; right only if the next plugin has them [target-undefined, RFC 2181 §10.3]
mail.conf:1: warning: exchange of example.org. is mx1.example.org., which has no addresses here: write "host mx1.example.org. ADDRESS...", or a final dot if it is elsewhere; right only if the next plugin has them [target-undefined, RFC 2181 §10.3]`},
	} {
		if got := text(find(definitions, "", tc.corefile)); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestWildcardLines: a wildcard mail domain that is accepted has MX alone.
func TestWildcardLines(t *testing.T) {
	const apex = "authoritative {\nns ns.example.net.\n}\nignore mail-wildcard"
	got := text(find("mail *.apps 10 mx.example.net. {\nspf mx\nclients mx.example.net. imaps\n}", "", apex))
	want := `mail.conf:2: error: spf of *.apps.example.org.: no wildcard has this record: write the names that have it, or delete the line [name-invalid, RFC 1035 §2.3, RFC 1123 §2.1, RFC 2782]
mail.conf:3: error: clients of *.apps.example.org.: no wildcard has this record: write the names that have it, or delete the line [name-invalid, RFC 1035 §2.3, RFC 1123 §2.1, RFC 2782]`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestPointerUndefined: a PTR record needs nothing of its target, not even in an authoritative zone.
func TestPointerUndefined(t *testing.T) {
	const apex = "authoritative {\nns ns.example.net.\n}\nreverse 2.0.192.in-addr.arpa"
	got := text(find("record 1.2.0.192.in-addr.arpa. PTR gw", "", apex))
	const want = `mail.conf:1: warning: PTR target of 1.2.0.192.in-addr.arpa. is gw.example.org., which does not exist: `
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestOfOneName: what is wrong whatever other names are, and what is wrong because of what a name points to, which is
// never at fault.
func TestOfOneName(t *testing.T) {
	x := authoritative(t, `mail a 10 undeclared
mail b 10 w
service _s._tcp 0 0 1 w
alias v w
alias w h
alias l m
alias m l
alias self self
mail * 10 h
mail n none
mail n 10 h
alias h2 h
host h2 192.0.2.1
mail @ 10 h+h
host h 192.0.2.1`)
	x.Set.Apexes[0].Servers = []definition.NameServer{{Pos: x.Set.Apexes[0].Pos, Host: "w.example.org."}}
	lines := func(findings []Finding) string {
		var all []string
		for _, f := range findings {
			all = append(all, fmt.Sprint(f.Pos.Line, " ", f.Rule.ID, " ", f.Names[0].Labels()[0]))
		}
		return strings.Join(all, ", ")
	}
	opt := Options{Zones: zones, Plugins: Plugins{Before: []string{"minimal"}}, BlockZones: zones[1:], Limit: 1}.Prepared()
	opt.Fragment = func(source string) bool { return source == "x" }
	want := "8 alias-loop self, 9 mail-wildcard *, 10 null-mx-not-alone n, 12 alias-with-other-data h2, 14 name-invalid example"
	if got := lines(Alone(x, opt)); got != want {
		t.Errorf("alone\n%s, want\n%s", got, want)
	}
	want = "1 ns-target-alias example, 2 mx-target-alias b, 3 srv-target-alias _s, 4 alias-of-alias v, " +
		"6 alias-of-alias l, 7 alias-of-alias m, 8 alias-of-alias self"
	if got := lines(Pointing(x, opt)); got != want {
		t.Errorf("pointing\n%s, want\n%s", got, want)
	}
	opt.Fragment = nil
	if got, want := lines(Pointing(x, opt)), "1 ns-target-alias example, 2 mx-target-alias b, 3 srv-target-alias _s"; got != want {
		t.Errorf("of no fragments\n%s, want\n%s", got, want)
	}
}

// TestFragment: of a fragment three findings are warnings that are errors of others.
func TestFragment(t *testing.T) {
	base := index(t, "host a 192.0.2.1 {\nttl 60\norder weighted\n}").Set
	other, _ := definition.Read("y", "host a 192.0.2.2 {\nttl 30\norder fixed\n}\nmail @ 10 mx1.example.org", zones[:1])
	twice, _ := definition.Read("y", "host b 192.0.2.2 {\nttl 30\n}\nhost b 192.0.2.3 {\nttl 20\n}", zones[:1])
	for _, tc := range []struct {
		fragment, want string
	}{
		{"", "y:1 error order-conflict, y:1 error ttl-conflict, y:5 error final-dot-missing, y:4 error ttl-conflict"},
		{"y", "y:1 warning order-conflict, y:1 warning ttl-conflict, y:5 warning final-dot-missing, y:4 error ttl-conflict"},
	} {
		opt := Options{Zones: zones, Ignore: map[string]definition.Pos{"mail-single-host": {}},
			Fragment: func(source string) bool { return source == tc.fragment }}
		var got []string
		for _, f := range Check(definition.Merge(base, other, twice).Index(), nil, opt) {
			got = append(got, fmt.Sprintf("%v %v %s", f.Pos, f.Rule.Severity, f.Rule.ID))
		}
		slices.Sort(got)
		if want := strings.Split(tc.want, ", "); !slices.Equal(slices.Sorted(slices.Values(want)), got) {
			t.Errorf("fragment %q: %v, want %v", tc.fragment, got, want)
		}
	}
}

// TestConflictOfSources: what counts less does not contradict what counts more: nothing, the default of a source, and what
// a declaration says itself.
func TestConflictOfSources(t *testing.T) {
	const service = "service _s._tcp 0 0 1 mx1"
	said := map[string]string{
		"nothing":  service,
		"fixed":    "order fixed\n" + service,
		"weighted": "order weighted\n" + service,
		"itself":   service + " {\norder fixed\n}",
		"other":    service + " {\norder weighted\n}",
		"ttl":      "ttl 60\n" + service,
		"own ttl":  service + " {\nttl 30\n}",
	}
	for _, tc := range []struct{ first, second, want string }{
		{"nothing", "fixed", ""}, {"nothing", "weighted", ""}, {"fixed", "fixed", ""}, {"fixed", "weighted", "order-conflict"},
		{"weighted", "itself", ""}, {"itself", "other", "order-conflict"}, {"itself", "itself", ""},
		{"nothing", "ttl", "ttl-conflict"}, {"ttl", "own ttl", ""}, {"own ttl", "own ttl", ""},
	} {
		for _, sources := range [][2]string{{tc.first, tc.second}, {tc.second, tc.first}} {
			one, _ := definition.Read("x", said[sources[0]], zones[:1])
			two, _ := definition.Read("y", said[sources[1]], zones[:1])
			var got []string
			for _, f := range Check(definition.Merge(one, two).Index(), nil, Options{Zones: zones}) {
				if strings.HasSuffix(f.Rule.ID, "-conflict") {
					got = append(got, f.Rule.ID)
				}
			}
			if strings.Join(got, ", ") != tc.want {
				t.Errorf("%v: %v, want %q", sources, got, tc.want)
			}
		}
	}
}

// TestOptionalTargets: what an authoritative zone lacks is an error, whatever source points to it, unless targets are
// optional. What others have is no finding.
func TestOptionalTargets(t *testing.T) {
	set := authoritative(t, "mail @ 10 mx1 mx.example.net.").Set
	other, _ := definition.Read("y", "mail a 10 mx1 mx.example.net.", zones[:1])
	x := definition.Merge(set, other).Index()
	for _, tc := range []struct {
		optional bool
		want     string
	}{
		{false, "x:1 error, y:1 error"},
		{true, "x:1 warning, y:1 warning"},
	} {
		var got []string
		for _, f := range Check(x, nil, Options{Zones: zones, OptionalTargets: tc.optional}) {
			if f.Rule.ID == TargetUndefined {
				got = append(got, fmt.Sprintf("%v %v", f.Pos, f.Rule.Severity))
			}
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("optional %t: %v, want %s", tc.optional, got, tc.want)
		}
	}
}

// TestWarnAbout: one call has the errors about all names and the warnings about some,
// which a limit leaves room for.
func TestWarnAbout(t *testing.T) {
	const definitions = "mail a b c d e f g 10 mx1\nmail h 10 mx1\nhost mx1 192.0.2.1\nalias www www"
	opt := Options{Zones: zones, Plugins: Plugins{Before: []string{"minimal"}}, Limit: 2}
	for _, tc := range []struct {
		name  string
		about definition.Names
		want  string
	}{
		{"all", nil, "Corefile:1 minimal-strips-glue, x:1 mail-single-host, x:1 mail-single-host, x:4 alias-loop"},
		{"some", definition.Names{"f.example.org.": true, "h.example.org.": true},
			"x:1 mail-single-host, x:2 mail-single-host, x:4 alias-loop"},
		{"none", definition.Names{}, "x:4 alias-loop"},
	} {
		opt.WarnAbout, opt.Pos = tc.about, definition.Pos{Source: "Corefile", Line: 1}
		var got []string
		for _, f := range Check(index(t, definitions), nil, opt) {
			got = append(got, fmt.Sprintf("%v %s", f.Pos, f.Rule.ID))
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, strings.Join(got, ", "), tc.want)
		}
	}
}

// TestFoldTogether: the last finding of a line has the owners of those that it counts, of its severity.
func TestFoldTogether(t *testing.T) {
	for _, tc := range []struct {
		name  string
		index *definition.Index
		want  string
	}{
		{"names", index(t, "mail a b c d e 10 mx1\nhost mx1 192.0.2.1"), "warning a, warning b, warning c d e (and 2 more of this line)"},
		{"severities", authoritative(t, "service _s._tcp {\n0 0 1 a\n}\nmail @ 10 a b c x.example.com. d"),
			"error _s, error example, error example, error example example (and 1 more of this line), warning example"},
	} {
		var lines []string
		for _, f := range Check(tc.index, nil, Options{Zones: zones}) {
			if f.Pos.Source == "x" {
				line := f.Rule.Severity.String()
				for owner := range f.Owners {
					line += " " + owner.Labels()[0]
				}
				if _, more, folded := strings.Cut(f.Text, " (and"); folded {
					line += " (and" + more
				}
				lines = append(lines, line)
			}
		}
		if got := strings.Join(lines, ", "); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestOrder: findings are sorted by source and line, and those of one line as the rules
// are.
func TestOrder(t *testing.T) {
	var sets []*definition.Set
	for _, source := range []string{"b", "a"} {
		set, _ := definition.Read(source, strings.Repeat("mail @ 10 a.example.org\nservice _s._tcp 0 0 0 a.example.org\n", 10), zones[:1])
		sets = append(sets, set)
	}
	findings := Check(definition.Merge(sets...).Index(), nil, Options{Zones: zones})
	rank := func(f Finding) int { return slices.IndexFunc(Rules(), func(r Rule) bool { return r.ID == f.Rule.ID }) }
	if len(findings) < 60 {
		t.Errorf("%d findings, want 60 or more", len(findings))
	}
	for i, f := range findings[1:] {
		before := findings[i]
		if a, b := before.Pos, f.Pos; a.Source > b.Source || a.Source == b.Source && a.Line > b.Line {
			t.Errorf("%v is after %v", b, a)
		} else if a == b && rank(before) > rank(f) {
			t.Errorf("%v: %s is after %s", b, f.Rule.ID, before.Rule.ID)
		}
	}
}

// TestAliasLoop: every alias of a loop is reported, however long the loop is; one that leads into a loop is an alias of
// an alias.
func TestAliasLoop(t *testing.T) {
	for _, length := range []int{1, 2, 20} {
		definitions := "alias b a0\nalias c b\n"
		for i := range length {
			definitions += fmt.Sprintf("alias a%d a%d\n", i, (i+1)%length)
		}
		got := map[string]int{}
		for _, f := range Check(index(t, definitions), nil, Options{Zones: zones}) {
			got[f.Rule.ID]++
		}
		if want := map[string]int{"alias-loop": length, "alias-of-alias": 2}; !maps.Equal(got, want) {
			t.Errorf("a loop of %d aliases: %v, want %v", length, got, want)
		}
	}
}

// TestManyZones: a message names the first few zones.
func TestManyZones(t *testing.T) {
	for n, want := range map[int]string{
		1: "a. is not below z0.: ", 3: "a. is not below z0. or z1. or z2.: ", 4: "a. is not below z0., z1., z2. and 1 more: ",
	} {
		var many definition.Zones
		for i := range n {
			many = append(many, definition.Name(fmt.Sprintf("z%d.", i)))
		}
		findings := Check(index(t, "host a. 192.0.2.1"), nil, Options{Zones: many})
		if len(findings) != 1 || !strings.HasPrefix(findings[0].Text, want) {
			t.Errorf("%d zones: %v, want one with %q", n, findings, want)
		}
	}
}

// TestRootZone: every name ends in the root once.
func TestRootZone(t *testing.T) {
	if findings := Check(index(t, "host a 192.0.2.1"), nil, Options{Zones: definition.Zones{"."}}); len(findings) > 0 {
		t.Error(findings)
	}
}

// TestAliasOfRoot: the root is a name without labels.
func TestAliasOfRoot(t *testing.T) {
	findings := Check(index(t, "alias a ."), nil, Options{Zones: definition.Zones{"."}})
	if got := text(findings); !strings.Contains(got, "[name-invalid") || !strings.Contains(got, "[target-undefined") {
		t.Errorf("%s, want name-invalid and target-undefined", got)
	}
}

// TestOtherPlugins: rules about a plugin are silent without it, or without records that it
// changes.
func TestOtherPlugins(t *testing.T) {
	const lower = "host mx1 192.0.2.1 {\nttl 60\n}\n"
	for _, tc := range []struct{ name, definitions, plugins, want string }{
		{"no cache", lower + "mail @ 10 mx1", "errors", ""},
		{"cache", lower + "mail @ 10 mx1", "errors cache", "glue-ttl-lower"},
		{"cache without glue", lower + "mail @ 10 mx.example.net.", "cache", ""},
		{"minimal with a service", lower + "service _s._tcp 0 0 1 mx1", "minimal", "minimal-strips-glue"},
		{"minimal with hosts", lower, "minimal", ""},
	} {
		var got []string
		for _, f := range CheckPlugins(index(t, tc.definitions), Options{Zones: zones, Plugins: Plugins{Before: strings.Fields(tc.plugins)}}) {
			got = append(got, f.Rule.ID)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, got, tc.want)
		}
	}
}

// TestTransferOfNobody: a transfer that no plugin sends is reported, and nothing of plugins that are not known.
func TestTransferOfNobody(t *testing.T) {
	const nobody = "Corefile:1: warning: secondaries get SERVFAIL for example.org., as no plugin here transfers it: " +
		"write authoritative { ns NAME... }, or delete transfer [transfer-incomplete]"
	for _, tc := range []struct{ name, definitions, plugins, corefile, want string }{
		{"nothing after", "host a 192.0.2.1", "transfer mxsrv", "", nobody},
		{"loop", "host a 192.0.2.1", "transfer mxsrv loop", "", nobody},
		{"a resolver", "host a 192.0.2.1", "transfer mxsrv forward", "", nobody},
		{"somebody else's plugin", "host a 192.0.2.1", "transfer mxsrv mysql", "", ""},
		{"no transfer", "host a 192.0.2.1", "errors mxsrv", "", ""},
		{"nothing declared", "", "transfer mxsrv", "", ""},
		{"authoritative", "host a 192.0.2.1", "transfer mxsrv", "authoritative {\nns ns.example.net.\n}", ""},
	} {
		if got := text(find(tc.definitions, tc.plugins, tc.corefile)); got != tc.want {
			t.Errorf("%s: %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

// TestOnlySource: where nobody else has names of the zones, a target that is not declared does not exist. An alias of one is answered with NXDOMAIN, which is a warning.
func TestOnlySource(t *testing.T) {
	const definitions = "mail @ 10 mx1.example.net\nservice _s._tcp 0 0 1 a\nalias www b.c\nmail sub 10 mx.example.net."
	want := `x:1: error: exchange of example.org. is mx1.example.net.example.org., which does not exist: write "mx1.example.net." with its final dot if it is elsewhere, or "host mx1.example.net.example.org. ADDRESS..." [target-undefined, RFC 2181 §10.3]
x:2: error: target of _s._tcp.example.org. is a.example.org., which does not exist: write "host a.example.org. ADDRESS...", or a final dot if it is elsewhere [target-undefined, RFC 2181 §10.3]`
	if err := Err(Check(index(t, definitions), nil, Options{Zones: zones, OnlySource: true})); err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	if err := Err(Check(index(t, definitions), nil, Options{Zones: zones})); err != nil {
		t.Errorf("%v, want warnings", err)
	}
}

// TestAnswerSize: the usual size fits, and an octet more does not.
func TestAnswerSize(t *testing.T) {
	for _, tc := range []struct {
		stanza      string
		label, last int // length of the names of 19 targets, and of another one
		want        string
	}{
		{"mail @ 10", 43, 55, ""},
		{"mail @ 10", 43, 56, "the MX answer of example.org. has 1233 octets, "},
		{"service _s._tcp 0 0 1", 39, 43, ""},
		{"service _s._tcp 0 0 1", 39, 44, "the SRV answer of _s._tcp.example.org. has 1233 octets, "},
	} {
		definitions := fmt.Sprintf("%s %0*d.\n", tc.stanza, tc.last, 0)
		for i := range 19 {
			definitions += fmt.Sprintf("%s %0*d.\n", tc.stanza, tc.label, i+1)
		}
		got := text(Check(index(t, definitions), nil, Options{Zones: zones}))
		if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
			t.Errorf("%s, %d: %q, want %q", tc.stanza, tc.last, got, tc.want)
		}
	}
}

// TestExpire: secondaries must try again before they drop a zone.
func TestExpire(t *testing.T) {
	const most = 1<<31 - 1 // of a TTL
	for _, tc := range []struct {
		refresh, retry, expire uint32
		short                  bool
	}{
		{7200, 1800, 9000, true},
		{7200, 1800, 9001, false},
		{most, most, most, true},
	} {
		set := &definition.Set{Apexes: []definition.Apex{{Zone: zones[0], Refresh: tc.refresh, Retry: tc.retry, Expire: tc.expire}}}
		if got := len(Check(set.Index(), nil, Options{Zones: zones})) > 0; got != tc.short {
			t.Errorf("%+v: short is %v", tc, got)
		}
	}
}

// TestRecordType: NS and DS records where nothing is delegated, and a delegation without glue, in an authoritative zone.
func TestRecordType(t *testing.T) {
	for record, want := range map[string]string{
		"record @ NS ns.example.net.":                   `NS record of example.org., which is a zone: write "ns NAME..." in authoritative`,
		"record @ DS 1 13 2 00":                         "DS record of example.org., which is not delegated here",
		"record a DS 1 13 2 00":                         "DS record of a.example.org., which is not delegated here",
		"record a NS ns.example.net.":                   "",
		"record a NS ns.a":                              "name server of a.example.org. is ns.a.example.org., which does not exist",
		"record a NS ns.b\nrecord b NS ns.example.net.": "",
	} {
		got := text(find(record, "", "authoritative {\nns ns.example.net.\n}"))
		if want == "" && got != "" || !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", record, got, want)
		}
	}
}

// TestSlowestTTL: the interval of the checks decides which TTL is too long, but a minute never is.
func TestSlowestTTL(t *testing.T) {
	for _, tc := range []struct {
		detection time.Duration
		ttl       string
		long      bool
	}{
		{0, "180", false}, {0, "181", true},
		{time.Minute, "360", false}, {time.Minute, "361", true},
		{time.Second, "60", false}, {time.Second, "61", true},
	} {
		x := index(t, "host a 192.0.2.1\nhost b 192.0.2.2\nservice _s._tcp 0 0 1 a b {\ncheck tcp\nttl "+tc.ttl+"\n}")
		findings := Check(x, nil, Options{Zones: zones, Detection: tc.detection})
		if got := strings.Contains(text(findings), "[check-ttl-long]"); got != tc.long {
			t.Errorf("ttl %s with %v: %v, want %v\n%s", tc.ttl, tc.detection, got, tc.long, text(findings))
		}
	}
}

// TestUnprobed: a target with an address that is not probed is said to be never down, and takes the place of others only
// if another of its addresses is probed.
func TestUnprobed(t *testing.T) {
	probed := func(_ definition.Owner, addr netip.Addr, fragment func(string) bool) bool {
		return netip.MustParsePrefix("192.0.2.0/24").Contains(addr) && fragment("x")
	}
	for _, tc := range []struct{ hosts, want string }{
		{"host a 192.0.2.1\nhost b 192.0.2.2", ""},
		{"host a 192.0.2.1\nhost b 192.0.2.2 127.0.0.1", "check-target-unknown b"},
		{"host a 192.0.2.1\nhost b 127.0.0.1", "check-single, check-target-unknown b"},
		{"host a 192.0.2.1 127.0.0.1\nhost b 127.0.0.1", "check-single, check-target-unknown a, check-target-unknown b"},
		{"host a 192.0.2.1 192.0.2.3\nhost b 127.0.0.1", "check-target-unknown b"},
		{"host a 192.0.2.1\nhost b 127.0.0.1 127.0.0.2", "check-single, check-target-unknown b"},
	} {
		x := index(t, tc.hosts+"\nservice _s._tcp 0 0 1 a b {\ncheck tcp\nttl 60\n}")
		var got []string
		for _, f := range Check(x, nil, Options{Zones: zones, Probed: probed, Fragment: func(string) bool { return true }}) {
			target, _, _ := strings.Cut(strings.TrimPrefix(f.Text, "target "), ".example.org. of ")
			switch {
			case f.Rule.ID == "check-target-unknown" && strings.Contains(f.Text, `127.0.0.1 is not probed: it is special, or only `+
				`fragments declare it: write "probe 127.0.0.1/32" into`):
				got = append(got, f.Rule.ID+" "+target)
			case strings.HasPrefix(f.Rule.ID, "check-"):
				got = append(got, f.Rule.ID)
			}
		}
		slices.Sort(got)
		if got := strings.Join(got, ", "); got != tc.want {
			t.Errorf("%s\n%s, want %s", tc.hosts, got, tc.want)
		}
	}
}
