package test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

func formatDefinitions(text string) (string, definition.Errors) {
	return definition.Format(definition.Pos{Source: "x", Line: 1}, text, 0)
}

// TestFormatDocs: examples and pages show the canonical form.
func TestFormatDocs(t *testing.T) {
	n := 0
	canonical := func(name, text, formatted string, errs definition.Errors) {
		n++
		if formatted != text || errs != nil {
			t.Errorf("%s: %v\n%s\nwant, of mxsrv fmt\n%s", name, errs, text, formatted)
		}
	}
	for path, page := range pages(t) {
		for _, block := range blocksOf(page, "corefile") {
			formatted, errs := corefile.Format(path, block)
			canonical(path, block, formatted, errs)
		}
	}
	for _, pattern := range []string{"../examples/*/Corefile", "../docs/deploy/Corefile", "../cmd/internal/example/Corefile"} {
		for _, path := range glob(t, pattern) {
			formatted, errs := corefile.Format(path, read(t, path))
			canonical(path, read(t, path), formatted, errs)
		}
	}
	for _, pattern := range []string{"../examples/*/*.conf", "../examples/*/*/*.conf", "../testdata/*.conf"} {
		for _, path := range glob(t, pattern) {
			formatted, errs := formatDefinitions(read(t, path))
			canonical(path, read(t, path), formatted, errs)
		}
	}
	if n < 45 {
		t.Errorf("%d texts, want at least 45", n)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return paths
}

// TestFormatFixtures: whatever there is as a fixture or in a corpus of fuzzing has a canonical form that stays, and that
// declares the same with the same mistakes.
func TestFormatFixtures(t *testing.T) {
	zones := definition.Zones{"example.org.", "example.net.", "2.0.192.in-addr.arpa."}
	n := 0
	for _, text := range fixtures(t) {
		formatted, errs := formatDefinitions(text)
		if again, _ := formatDefinitions(formatted); again != formatted {
			t.Errorf("%s\nbecomes\n%s\nand that\n%s", text, formatted, again)
		}
		whole, _ := corefile.Format("Corefile", text)
		if again, _ := corefile.Format("Corefile", whole); again != whole {
			t.Errorf("%s\nbecomes as a Corefile\n%s\nand that\n%s", text, whole, again)
		}
		if errs == nil {
			n++
		}
		got, gotMistakes := declares(formatted, zones)
		want, wantMistakes := declares(text, zones)
		if got != want || gotMistakes != wantMistakes {
			t.Errorf("%s\nbecomes\n%s\nwhich declares\n%s%d mistakes\nwant\n%s%d", text, formatted, got, gotMistakes, want, wantMistakes)
		}
	}
	if n < 300 {
		t.Errorf("%d texts without a mistake, want at least 300", n)
	}
}

// declares returns what a text declares, and the number of its mistakes.
func declares(text string, zones definition.Zones) (string, int) {
	set, errs := definition.Read("x", text, zones)
	var b strings.Builder
	set.Print(&b, zones) // into memory: there is no error
	return b.String(), len(errs)
}

var (
	sections = regexp.MustCompile(`(?m)^-- \S.* --\n`)
	ofCorpus = regexp.MustCompile(`(?m)^string\((".*")\)$`)
)

// fixtures returns the files of all testdata directories, each section and each string of a corpus by itself.
func fixtures(t *testing.T) (texts []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.IsDir() || !strings.Contains(path, "/testdata/"):
			return nil
		}
		text := read(t, path)
		for _, m := range ofCorpus.FindAllStringSubmatch(text, -1) {
			if unquoted, err := strconv.Unquote(m[1]); err == nil {
				texts = append(texts, unquoted)
			}
		}
		texts = append(texts, sections.Split(text, -1)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
