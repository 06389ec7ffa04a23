package test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestReadmeWords: the Syntax block and the table of options have every word of the
// language, and no other.
func TestReadmeWords(t *testing.T) {
	readme := read(t, "../README.md")
	_, syntax, _ := strings.Cut(readme, "\nmxsrv [ZONES...] {\n")
	syntax, _, _ = strings.Cut(syntax, "\n}")
	var words []string
	for line := range strings.Lines(syntax) {
		word := strings.Fields(line)[0]
		if word == "}" || strings.HasPrefix(line, "        ") {
			continue // of authoritative, see TestDocsWords
		}
		words = append(words, word)
	}
	want := slices.Concat(definition.Keywords(), corefile.Options())
	sameWords(t, "the Syntax block of README", words, want)
	sameWords(t, "the table of README", tableWords(readme), want)
}

// TestReadmeExamples: the page of the examples names each of them, and no other.
func TestReadmeExamples(t *testing.T) {
	dirs, err := filepath.Glob("../examples/*/Corefile")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no examples", err)
	}
	var names []string
	for _, dir := range dirs {
		names = append(names, filepath.Base(filepath.Dir(dir)))
	}
	sameWords(t, "examples/README.md", tableWords(read(t, "../examples/README.md")), names)
}

// TestReadmeLength: README is a page that is read.
func TestReadmeLength(t *testing.T) {
	if n := strings.Count(read(t, "../README.md"), "\n"); n > 250 {
		t.Errorf("README has %d lines, want at most 250", n)
	}
}

// TestReadmeQuickstart: what a newcomer types there does what is said of it.
func TestReadmeQuickstart(t *testing.T) {
	corefile := blocksOf(read(t, "../README.md"), "corefile")[0]
	s := start(t, t.TempDir(), onLoopback(corefile))
	check(t, s, `
> example.com MX
example.com. 3600 IN MX 10 mx1.example.com.
example.com. 3600 IN MX 20 mx2.example.com.
; additional
mx1.example.com. 3600 IN A 192.0.2.10
mx1.example.com. 3600 IN AAAA 2001:db8::10
mx2.example.com. 3600 IN A 198.51.100.20
`)
	tool, dir := buildTool(t), t.TempDir()
	write(t, filepath.Join(dir, "Corefile"), corefile)
	for _, tc := range []struct{ args, want string }{
		{"check", ""},
		{"route user@example.com --down mx1", "\ndelivered to mx2.example.com\n"},
	} {
		cmd := exec.Command(tool, strings.Fields(tc.args)...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil || tc.want == "" && len(out) > 0 || !strings.Contains(string(out), tc.want) {
			t.Errorf("mxsrv %s: %v\n%s\nwant %q", tc.args, err, out, tc.want)
		}
	}
}
