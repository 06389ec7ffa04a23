package definition

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

// FuzzLexer: a text has the words, the lines and the mistakes that it has for
// caddyfile, which reads the Corefile.
func FuzzLexer(f *testing.F) {
	for _, seed := range []string{
		"host mx1 192.0.2.1 # why\nmail @ { 10 mx1\n}\n",
		"\ufeffa\r\nb\rc \r d",
		"a#b c\nd#e\nf #g h\ni",
		`"a b" "c\"d" "e\f" "g\\" h"i j"k "" "l` + "\nm\" \"n\\\no\"p",
		"a\u00a0b\u2028c\u0085d\te\vf\fg",
		"\xff\xfea \xc3\x28 \x00b caf\u00e9",
		`"`, `"\`, `"a\`, "#", "a#", "\ufeff\ufeffa", "\xef\xbb",
		"{ a {\n} } }\nb {\n{\n}\n",
		strings.Repeat("a {\n", 9), strings.Repeat("{", 12) + "}",
		"a\n{\nb\n}\nc \"{\" d }",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := caddyfile.NewDispenser("x", strings.NewReader(text))
		want, got := all(dispensed{&d}), all(newLexer(Pos{"x", 1}, text))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("words %#v\nwant  %#v", got, want)
		}
		d = caddyfile.NewDispenser("x", strings.NewReader(text))
		wantLines, wantErrs := Statements(&d)
		var lines []Statement
		errs := EachStatement(Pos{"x", 1}, text, func(l Statement) { lines = append(lines, clone(l)) })
		if !reflect.DeepEqual(lines, wantLines) || !reflect.DeepEqual(errs, wantErrs) {
			t.Errorf("lines %v, %v\nwant  %v, %v", lines, errs, wantLines, wantErrs)
		}
	})
}

type placed struct {
	word string
	pos  Pos
}

func all(w words) (all []placed) {
	for {
		word, pos, ok := w.next()
		if !ok {
			return all
		}
		all = append(all, placed{word, pos})
	}
}

// clone copies a line out of the memory that the next one is read into.
func clone(l Statement) Statement {
	l.Words, l.Block = slices.Clone(l.Words), slices.Clone(l.Block)
	l.Offset = 0 // which those of a Corefile have not
	for i := range l.Block {
		l.Block[i] = clone(l.Block[i])
	}
	return l
}
