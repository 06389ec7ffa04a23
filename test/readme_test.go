package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// TestReadmeCorefiles starts a server with each block of the README that is
// marked as a Corefile.
func TestReadmeCorefiles(t *testing.T) {
	blocks := regexp.MustCompile("(?s)\n~~~ corefile\n(.*?)\n~~~\n").FindAllStringSubmatch(read(t, "../README.md"), -1)
	if len(blocks) < 3 {
		t.Fatalf("%d blocks, want at least 3", len(blocks))
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../examples/definition-files")); err != nil {
		t.Fatal(err)
	}
	zone := strings.ReplaceAll(overlayZone, "example.com.", "example.org.")
	write(t, filepath.Join(dir, "db.example.org"), zone)
	for i, block := range blocks {
		t.Run(fmt.Sprintf("block %d", i+1), func(t *testing.T) {
			corefile := regexp.MustCompile(`(?m)^(\S+) \{`).ReplaceAllString(block[1], "$1:1053 {\n    bind 127.0.0.1")
			start(t, dir, corefile)
		})
	}
}

// TestReadmeRules: the README has every rule, as its documentation says it, and
// no other.
func TestReadmeRules(t *testing.T) {
	listed := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\* `([a-z0-9-]+)`: (.*)$").FindAllStringSubmatch(read(t, "../README.md"), -1) {
		listed[m[1]] = m[2]
	}
	for _, r := range lint.Rules() {
		want := r.Doc
		if r.RFC != "" {
			want += " (" + r.RFC + ")"
		}
		if got := listed[r.ID]; got != want+"." {
			t.Errorf("README has %q for the rule, want\n* `%s`: %s.", got, r.ID, want)
		}
		delete(listed, r.ID)
	}
	for id := range listed {
		t.Errorf("README has the rule %s, and there is none", id)
	}
}

// TestReadmeWords: the Syntax block has every word of the language.
func TestReadmeWords(t *testing.T) {
	_, syntax, _ := strings.Cut(read(t, "../README.md"), "\nmxsrv [ZONES...] {\n")
	syntax, _, _ = strings.Cut(syntax, "\n}")
	words := map[string]bool{}
	for _, word := range slices.Concat(definition.Keywords(), corefile.Options()) {
		words[word] = true
	}
	for line := range strings.Lines(syntax) {
		word, nested := strings.Fields(line)[0], strings.HasPrefix(line, "        ")
		if word == "}" || nested {
			continue // of authoritative, see TestReadmeAuthoritative
		}
		if !words[word] {
			t.Errorf("README has %q, which is no word of the block", word)
		}
		delete(words, word)
	}
	for word := range words {
		t.Errorf("README lacks %q", word)
	}
}

// TestReadmeAuthoritative: the Syntax block has the words of authoritative that
// the server names when it meets another.
func TestReadmeAuthoritative(t *testing.T) {
	d := caddyfile.NewDispenser("x", strings.NewReader("authoritative {\nnosuch\n}"))
	lines, _ := definition.Statements(&d)
	r := definition.NewReader(definition.Zones{"example.org."})
	r.Authoritative(lines[0])
	_, errs := r.Set()
	named := regexp.MustCompile(`(\w+)(?: [A-Z]|, | or |, or | with)`).FindAllStringSubmatch(errs[0].Text, -1)
	words := map[string]bool{}
	for _, m := range named {
		words[m[1]] = true
	}
	_, block, _ := strings.Cut(read(t, "../README.md"), "\n    authoritative {\n")
	block, _, _ = strings.Cut(block, "\n    }")
	n := 0
	for line := range strings.Lines(block) {
		n++
		if word := strings.Fields(line)[0]; !words[word] {
			t.Errorf("README has %q, and the server says %s", word, errs[0].Text)
		}
	}
	if n != 7 {
		t.Errorf("README has %d words, want 7: %s", n, errs[0].Text)
	}
}

// TestReadmeTool: the tool prints what the README shows.
func TestReadmeTool(t *testing.T) {
	shown := regexp.MustCompile("(?s)\n~~~ txt\n\\$ go run ./cmd/mxsrv (.*?)\n(.*?)~~~\n").FindAllStringSubmatch(read(t, "../README.md"), -1)
	if len(shown) < 2 {
		t.Fatalf("%d blocks, want at least 2", len(shown))
	}
	for _, m := range shown {
		cmd := exec.Command("go", append([]string{"run", "./cmd/mxsrv"}, strings.Fields(m[1])...)...)
		cmd.Dir = ".."
		if out, err := cmd.Output(); string(out) != m[2] {
			t.Errorf("mxsrv %s: %v\n%s\nREADME has\n%s", m[1], err, out, m[2])
		}
	}
}

// TestReadmeExamples: the README names every example.
func TestReadmeExamples(t *testing.T) {
	dirs, err := filepath.Glob("../examples/*/Corefile")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no examples", err)
	}
	for _, dir := range dirs {
		name := filepath.Base(filepath.Dir(dir))
		if !strings.Contains(read(t, "../README.md"), "`"+name+"`") {
			t.Errorf("README lacks the example %s", name)
		}
	}
}
