package main

import (
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

func TestBar(t *testing.T) {
	for _, test := range []struct {
		share, promised float64
		want            string
	}{
		{0.5, 0.5, "████|"},
		{0.75, 0.25, "██|███"},
		{0.25, 0.75, "██    |"},
		{0, 0, "|"},
		{1, 1, "████████|"},
		{0, 1, "        |"},
		{1, 0, "|███████"},
	} {
		if got := new(ui).bar(test.share, test.promised, 8); got != test.want {
			t.Errorf("bar of %v, promised %v: %q, want %q", test.share, test.promised, got, test.want)
		}
	}
}

// TestColor: a terminal gets colour, in columns as wide as without; findings are the words of the log.
func TestColor(t *testing.T) {
	var out strings.Builder
	u := &ui{out: &out, colored: true, width: 20, wraps: true}
	u.table("  ", [][]string{{u.paint(red, "down"), "a"}, {"not here", "b"}})
	u.text("  ", "words that do not fit a line")
	want := "  \x1b[31mdown\x1b[0m      a\n  not here  b\n  words that do not\n  fit a line\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	f := lint.Finding{Rule: lint.Rules()[0], Pos: definition.Pos{Source: "f", Line: 3}, Text: "wrong: write right"}
	u.findings([]lint.Finding{f})
	if got := escapes.ReplaceAllString(out.String(), ""); got != f.String()+"\n" || got == out.String() {
		t.Errorf("finding %q, want %q in colors", out.String(), f)
	}
}

// TestProgress: a terminal shows how much is done in one line, which is gone at the end.
func TestProgress(t *testing.T) {
	var err strings.Builder
	u := &ui{err: &err}
	u.progress(1, 4)
	if err.Len() > 0 {
		t.Errorf("%q where there is no terminal", err.String())
	}
	u.live = true
	for done := range 3 {
		u.progress(2*done, 4)
	}
	if got, want := err.String(), "\rmxsrv: 0 %\rmxsrv: 50 %\r\x1b[K"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
