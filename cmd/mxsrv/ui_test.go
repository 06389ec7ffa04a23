package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// TestDuring: a terminal shows after a while what is being done, in one line that is gone at the end.
func TestDuring(t *testing.T) {
	for _, tc := range []struct {
		live bool
		took time.Duration
		want string
	}{
		{true, 1900 * time.Millisecond, ""},
		{true, 3500 * time.Millisecond, "\r\x1b[Kmxsrv: 1 of 4\r\x1b[Kmxsrv: 2 of 4\r\x1b[K"},
		{false, time.Minute, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var err strings.Builder
			done := 0
			u := &ui{err: &err, live: tc.live}
			u.during(func() string { done++; return fmt.Sprintf("%d of 4", done) }, func() { time.Sleep(tc.took) })
			if err.String() != tc.want {
				t.Errorf("%v: %q, want %q", tc.took, err.String(), tc.want)
			}
			err.Reset()
			if u.note("x"); err.String() != strings.TrimPrefix(eraseLine, map[bool]string{false: eraseLine}[tc.live])+"mxsrv: note: x\n" {
				t.Errorf("note %q", err.String())
			}
		})
	}
}
