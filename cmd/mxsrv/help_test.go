package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpFits: on a terminal no help has a line that is too long, and none loses a word.
func TestHelpFits(t *testing.T) {
	for _, width := range []int{60, 80, 100, 200} {
		for _, c := range append(rootCommand(newUI(nil, nil)).Commands(), rootCommand(newUI(nil, nil))) {
			want, got := helpOf(t, c.Name(), &ui{width: width}), helpOf(t, c.Name(), &ui{width: width, wraps: true})
			for line := range strings.Lines(got) {
				if columns := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); columns > width {
					t.Errorf("%s at %d columns has %d: %s", c.Name(), width, columns, line)
				}
			}
			if got, want := strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(want), " "); got != want {
				t.Errorf("%s at %d columns\n%s\nwant\n%s", c.Name(), width, got, want)
			}
		}
	}
}

func helpOf(t *testing.T, name string, u *ui) string {
	t.Helper()
	var out strings.Builder
	u.out = &out
	u.output = &output{stdout: &out}
	root := rootCommand(u)
	root.SetOut(u.out)
	root.SetArgs(strings.Fields(strings.Replace("help "+name, "help mxsrv", "help", 1)))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestFitLine: what stands beside an example stays there.
func TestFitLine(t *testing.T) {
	for _, test := range []struct {
		line  string
		width int
		want  string
	}{
		{"  mxsrv get   all of it", 80, "  mxsrv get   all of it"},
		{"  mxsrv get   all of it", 20, "  mxsrv get\n      all of it"},
		{"  get   all of what is there", 20, "  get   all of what\n        is there"},
		{"                 below the example", 20, "    below the\n    example"},
		{"Prose of many words.", 10, "Prose of\nmany\nwords."},
		{"averyveryverylongword", 10, "averyveryverylongword"},
	} {
		if got := strings.Join(fitLine(test.line, test.width), "\n"); got != test.want {
			t.Errorf("%q in %d columns:\n%s\nwant\n%s", test.line, test.width, got, test.want)
		}
	}
	if got, want := fitHelp("Long prose that was broken for another width, at eighty columns\nas it was.\n\nUsage:\n  x\n", 200),
		"Long prose that was broken for another width, at eighty columns as it was.\n\nUsage:\n  x\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
