package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// fixture is a file of testdata: definitions, the plugins beside them, what is
// found, and definitions that look alike and are fine.
type fixture struct{ definitions, plugins, findings, fine string }

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
	return fixture{parts["definitions"], parts["plugins"], parts["findings"], parts["fine"]}
}

func check(text, plugins string) []Finding {
	zones := definition.Zones{"example.org.", "example.com."}
	set, errs := definition.Read("mail.conf", []byte(text), zones[:1])
	return Check(set, errs, Options{
		Zones: zones, Plugins: strings.Fields(plugins), Pos: definition.Pos{Source: "Corefile", Line: 1},
	})
}

func TestRules(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.ID, func(t *testing.T) {
			f := readFixture(t, r.ID)
			var lines []string
			shown := false
			for _, finding := range check(f.definitions, f.plugins) {
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
			for _, finding := range check(f.fine, f.plugins) {
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
	if err := Err(check("host mx1 192.0.2.1\nmail @ 10 mx1", "")); err != nil {
		t.Errorf("a warning alone is an error: %v", err)
	}
	err := Err(check("host mx1 192.0.2.1\nhost mx1\nmail @ 10 mx1", ""))
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
	for _, f := range check(text.String(), "") {
		if f.Rule.ID == "mail-single-host" {
			count++
			more += strings.Count(f.Text, "more of this line)")
		}
	}
	if count != perPlace || more != 1 {
		t.Errorf("%d findings and %d that speak for the rest, want %d and 1", count, more, perPlace)
	}
}
