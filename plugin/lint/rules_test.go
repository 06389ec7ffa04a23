package lint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// fixture is a file of testdata: definitions, the plugins beside them, what a
// source could not read, the words of a Corefile around them, what is found, and
// definitions that look alike and are fine, with words around them too.
type fixture struct {
	definitions, plugins, unread, corefile string
	findings                               string
	fine, fineCorefile                     string
}

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
	return fixture{parts["definitions"], parts["plugins"], parts["unread"], parts["Corefile"],
		parts["findings"], parts["fine"], parts["fine Corefile"]}
}

var zones = definition.Zones{"example.org.", "example.com."}

// find checks definitions, and the words of a Corefile around them.
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
	at := definition.Pos{Source: "Corefile", Line: 2}
	return []definition.Error{{Pos: at, ID: definition.FileUnreadable, Text: text}}
}

// text returns findings as lines.
func text(findings []Finding) string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// TestRules: each rule has an example that shows it, and one that looks alike and is
// fine.
func TestRules(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.ID, func(t *testing.T) {
			f := readFixture(t, r.ID)
			findings := find(f.definitions, f.plugins, f.corefile, unreadable(f.unread)...)
			if got := text(findings); got != f.findings {
				t.Errorf("found\n%s\nwant\n%s", got, f.findings)
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Rule.ID == r.ID }) {
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

// TestFixtures: no example is of a rule that there is not.
func TestFixtures(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples: ", err)
	}
	for _, f := range files {
		if !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.ID+".txt" == f.Name() }) {
			t.Errorf("%s is of no rule", f.Name())
		}
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
