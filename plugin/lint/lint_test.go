package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// fixture is a file of testdata: definitions, the plugins beside them, what a
// source could not read, the words of a Corefile around them, what is found, and
// definitions that look alike and are fine, with words around them too.
type fixture struct{ definitions, plugins, unread, corefile, findings, fine, fineCorefile string }

func readFixture(t *testing.T, id string) fixture {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", id+".txt"))
	if err != nil {
		t.Fatal("a rule needs its example: ", err)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq("\n"+string(text), "\n-- ") {
		name, body, _ := strings.Cut(part, " --\n")
		parts[name] = strings.TrimSpace(body)
	}
	return fixture{parts["definitions"], parts["plugins"], parts["unread"], parts["Corefile"], parts["findings"], parts["fine"], parts["fine Corefile"]}
}

var zones = definition.Zones{"example.org.", "example.com."}

func find(text, plugins, corefile string, unread ...definition.Error) []Finding {
	set, errs := definition.Read("mail.conf", text, zones[:1])
	opt := Options{Zones: zones, Plugins: strings.Fields(plugins), Pos: definition.Pos{Source: "Corefile", Line: 1}}
	d := caddyfile.NewDispenser("Corefile", strings.NewReader(corefile))
	lines, more := definition.Statements(&d)
	errs = append(errs, more...)
	r := definition.NewReader(zones[:1])
	for _, l := range lines {
		if l.Words[0] == "authoritative" {
			r.Authoritative(l)
		} else {
			opt.Fallthrough = append(opt.Fallthrough, zones[0]) // fallthrough
		}
	}
	apexes, more := r.Set()
	return Check(definition.Merge(set, apexes).Index(), append(append(errs, more...), unread...), opt)
}

// unreadable are the mistakes of a source: the text of one, or none.
func unreadable(text string) []definition.Error {
	if text == "" {
		return nil
	}
	return []definition.Error{{Pos: definition.Pos{Source: "Corefile", Line: 2}, ID: definition.FileUnreadable, Text: text}}
}

func TestRules(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.ID, func(t *testing.T) {
			f := readFixture(t, r.ID)
			var lines []string
			shown := false
			for _, finding := range find(f.definitions, f.plugins, f.corefile, unreadable(f.unread)...) {
				lines = append(lines, finding.String())
				shown = shown || finding.Rule.ID == r.ID
			}
			if got := strings.Join(lines, "\n"); got != f.findings {
				t.Errorf("found\n%s\nwant\n%s", got, f.findings)
			}
			if !shown {
				t.Error("the example does not show its rule")
			}
			if f.fine == "" {
				t.Error("the example has nothing that is fine")
			}
			for _, finding := range find(f.fine, f.plugins, f.fineCorefile) {
				if finding.Rule.ID == r.ID {
					t.Errorf("in what is fine: %v", finding)
				}
			}
		})
	}
}

func TestRulesTable(t *testing.T) {
	var before Rule
	for i, r := range Rules() {
		if i > 0 && (r.Severity > before.Severity || r.Severity == before.Severity && r.ID <= before.ID) {
			t.Errorf("%s is after %s: want errors first, then by id", r.ID, before.ID)
		}
		if r.Doc == "" || r.check == nil {
			t.Errorf("%s lacks its text or its function", r.ID)
		}
		before = r
	}
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
		t.Errorf("%d findings and %d that speak for the rest, want %d and 1", count, more, perPlace)
	}
}

// TestLimit: what is wrong a hundred thousand times is said a few times.
func TestLimit(t *testing.T) {
	set, errs := definition.Read("x", strings.Repeat("host\n", 10)+"mail a b c d e 10 mx1\nhost mx1 192.0.2.1\nmail f g 10 mx1", zones[:1])
	var lines []string
	for _, f := range Check(set.Index(), errs, Options{Zones: zones, Limit: 2}) {
		lines = append(lines, f.String())
	}
	want := `x:1: error: usage: host NAME ADDRESS... [syntax]
x:2: error: usage: host NAME ADDRESS... (and 8 more like this) [syntax]
x:11: warning: mail domain a.example.org. has a single exchange, mx1.example.org.: add a second one, so that mail has somewhere to go while it is down [mail-single-host, RFC 5321 §5.1]
x:11: warning: mail domain b.example.org. has a single exchange, mx1.example.org.: add a second one, so that mail has somewhere to go while it is down (and 5 more like this) [mail-single-host, RFC 5321 §5.1]`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestCheckPlugins: the rules about plugins can be asked for alone.
func TestCheckPlugins(t *testing.T) {
	set, _ := definition.Read("x", "host mx1 192.0.2.1 {\n ttl 60\n}\nmail sub 10 mx1", zones[:1])
	opt := Options{Zones: zones, Plugins: []string{"cache", "dnssec", "minimal"}}
	seen := map[string]bool{}
	for _, f := range CheckPlugins(set.Index(), opt) {
		seen[f.Rule.ID] = true
	}
	if len(seen) != 2 || !seen["glue-ttl-lower"] || !seen["minimal-strips-glue"] {
		t.Errorf("%v, want glue-ttl-lower and minimal-strips-glue", seen)
	}
}

// TestTargetUndefinedWhole: in a zone that is served whole nobody else can hold
// a target, but where it falls through.
func TestTargetUndefinedWhole(t *testing.T) {
	const text, apex = "mail @ 10 mx1 mx.example.net.", "authoritative {\nns ns1 ns.example.net.\n}"
	for _, tc := range []struct{ name, corefile, want string }{
		{"whole", apex, `Corefile:2: error: name server of example.org. is ns1.example.org., which does not exist: write "host ns1.example.org. ADDRESS...", or a final dot if it is elsewhere [target-undefined, RFC 2181 §10.3]
mail.conf:1: error: exchange of example.org. is mx1.example.org., which does not exist: write "host mx1.example.org. ADDRESS...", or a final dot if it is elsewhere [target-undefined, RFC 2181 §10.3]`},
		{"passed on", apex + "\nfallthrough", `Corefile:2: warning: name server of example.org. is ns1.example.org., which has no addresses here: write "host ns1.example.org. ADDRESS...", or a final dot if it is elsewhere; right only if the next plugin has them [target-undefined, RFC 2181 §10.3]
mail.conf:1: warning: exchange of example.org. is mx1.example.org., which has no addresses here: write "host mx1.example.org. ADDRESS...", or a final dot if it is elsewhere; right only if the next plugin has them [target-undefined, RFC 2181 §10.3]`},
	} {
		var lines []string
		for _, f := range find(text, "", tc.corefile) {
			lines = append(lines, f.String())
		}
		if got := strings.Join(lines, "\n"); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}
