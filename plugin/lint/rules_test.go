package lint

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// fixture is a file of testdata: definitions, the plugins beside them, what a
// source could not read, the words of a Corefile around them, the files that they name, what is
// found, and definitions that look alike and are fine, with words around them too.
type fixture struct {
	files                                  map[string]string
	definitions, plugins, unread, corefile string
	findings                               string
	fine, finePlugins, fineCorefile        string
}

func readFixture(t testing.TB, id string) fixture {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", id+".txt"))
	if err != nil {
		t.Fatal("a rule needs its example: ", err)
	}
	parts, files := map[string]string{}, map[string]string{}
	for part := range strings.SplitSeq("\n"+string(text), "\n-- ") {
		name, body, _ := strings.Cut(part, " --\n")
		parts[name] = strings.TrimSpace(body)
		if path, isFile := strings.CutPrefix(name, "file "); isFile {
			files[path] = body
		}
	}
	return fixture{files, parts["definitions"], parts["plugins"], parts["unread"], parts["Corefile"],
		parts["findings"], parts["fine"], cmp.Or(parts["fine plugins"], parts["plugins"]), parts["fine Corefile"]}
}

var zones = definition.Zones{"example.org.", "example.com."}

// find checks definitions. Plugins are those of the server block in their order, with mxsrv
// if some come after it; the Corefile is what is around the definitions in the block, and
// the lines server ZONE..., dnssec ZONE..., zone ZONE... and
// reverse ZONE... for what is around that.
func find(text, plugins, corefile string, unread ...definition.Error) []Finding {
	return findWith(nil, text, plugins, corefile, unread...)
}

// findWith is find with files that the definitions name.
func findWith(files map[string]string, text, plugins, corefile string, unread ...definition.Error) []Finding {
	opt := Options{Zones: zones, Pos: definition.Pos{Source: "Corefile", Line: 1}, Ignore: map[string]definition.Pos{}}
	before, after, _ := strings.Cut(plugins, "mxsrv")
	opt.Plugins = Plugins{Known: plugins != "", Before: strings.Fields(before), After: strings.Fields(after)}
	d := caddyfile.NewDispenser("Corefile", strings.NewReader(expand(corefile)))
	lines, more := definition.Statements(&d)
	var reverse definition.Zones
	r := definition.NewReader(zones[:1])
	for _, l := range lines {
		var names definition.Zones
		for _, word := range l.Words[1:] {
			names = append(names, definition.Name(word+"."))
		}
		switch l.Words[0] {
		case "authoritative":
			r.Authoritative(l, zones[:1])
		case "fallthrough":
			opt.Fallthrough = append(opt.Fallthrough, zones[0])
		case "ignore":
			opt.Ignore[l.Words[1]] = l.Pos
		case "reverse":
			reverse = names
		case "server":
			opt.BlockZones = names
		case "dnssec":
			opt.Plugins.Signed = names
		case "zone":
			opt.Zones, opt.ZonePos = names, map[definition.Name]definition.Pos{names[len(names)-1]: l.Pos}
		}
	}
	opt.Zones = slices.Concat(opt.Zones, reverse)
	set, errs := readWith(files, expand(text), append(zones[:1:1], reverse...))
	apexes, evenMore := r.Set()
	errs = append(append(errs, more...), evenMore...)
	return Check(definition.Merge(set, apexes).Index(), append(errs, unread...), opt)
}

func readWith(files map[string]string, text string, zones definition.Zones) (*definition.Set, definition.Errors) {
	r := definition.NewReader(zones)
	r.SetFiles(func(path string) (string, error) {
		if content, ok := files[path]; ok {
			return content, nil
		}
		return "", errors.New("no such file: create it, or write another path")
	})
	r.Text(definition.Pos{Source: "mail.conf", Line: 1}, text, nil)
	return r.Set()
}

// expand writes each word with a range, like 192.0.2.{1..9}, as a word for each number.
func expand(text string) string {
	numbers := regexp.MustCompile(`(\S*)\{(\d+)\.\.(\d+)\}(\S*)`)
	for numbers.MatchString(text) {
		text = numbers.ReplaceAllStringFunc(text, func(word string) string {
			m := numbers.FindStringSubmatch(word)
			first, _ := strconv.Atoi(m[2])
			last, _ := strconv.Atoi(m[3])
			var words []string
			for i := first; i <= last; i++ {
				words = append(words, m[1]+strconv.Itoa(i)+m[4])
			}
			return strings.Join(words, " ")
		})
	}
	return text
}

// unread are the mistakes of a source, or of fragments, that a rule reports: the text of one, or none.
func unread(id, text string) []definition.Error {
	if text == "" {
		return nil
	}
	at := definition.Pos{Source: "Corefile", Line: 2}
	return []definition.Error{{Pos: at, ID: id, Text: text}}
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
			findings := findWith(f.files, f.definitions, f.plugins, f.corefile, unread(r.ID, f.unread)...)
			if got := text(findings); got != f.findings {
				t.Errorf("found\n%s\nwant\n%s", got, f.findings)
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Rule.ID == r.ID }) {
				t.Error("the example does not show its rule")
			}
			if f.fine == "" {
				t.Error("the example has nothing that is fine")
			}
			for _, finding := range findWith(f.files, f.fine, f.finePlugins, f.fineCorefile) {
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
