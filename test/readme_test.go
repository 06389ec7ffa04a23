package test

import (
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
