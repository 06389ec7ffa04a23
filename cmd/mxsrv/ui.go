package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
)

// A ui prints. Nothing else does, and these are the rules:
//
//   - Results go to standard output, everything else to standard error: as "mxsrv: error: ..." and, if there is
//     something better to type, "mxsrv: hint: ..." after it, or as "mxsrv: note: ...".
//   - Messages are lower case and have no full stop.
//   - Colors repeat what the words say. There are none if the output is no terminal, if NO_COLOR is set, or on a dumb
//     terminal.
//   - --json prints one value and nothing else to standard output; watch one on each line.
type ui struct {
	out, err io.Writer
	output   *output // that out is
	asJSON   bool    // --json
	colored  bool
	width    int             // columns of the terminal
	wraps    bool            // long text is broken into lines
	live     bool            // standard error is a terminal, on which progress is shown
	noted    map[string]bool // notes that were printed, if each is to be printed once
}

func newUI(stdout, stderr io.Writer) *ui {
	o := &output{stdout: stdout}
	u := &ui{out: o, output: o, err: stderr, width: 80}
	if f, ok := stderr.(*os.File); ok {
		u.live = term.IsTerminal(int(f.Fd()))
	}
	f, ok := stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return u
	}
	u.wraps = true
	u.colored = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		u.width = width
	}
	return u
}

// failed prints an error, each line of it by itself, and its hint.
func (u *ui) failed(err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(u.err, "mxsrv: error: %s\n", strings.TrimSuffix(line, "\n"))
	}
	if h := hint.Of(err); h != "" {
		fmt.Fprintf(u.err, "mxsrv: hint: %s\n", h)
	}
}

// note prints something about the result.
func (u *ui) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if u.noted[text] {
		return
	}
	if u.noted != nil {
		u.noted[text] = true
	}
	if u.live {
		fmt.Fprint(u.err, eraseLine) // of during
	}
	fmt.Fprintf(u.err, "mxsrv: note: %s\n", text)
}

const (
	progressAfter = 2 * time.Second
	progressEvery = time.Second

	eraseLine = "\r\x1b[K" // ECMA-48 §8.3.41
)

// during calls do. If that takes long, a terminal shows meanwhile what is being done, in a line that is gone at the end.
// do must not print results.
func (u *ui) during(what func() string, do func()) {
	if !u.live {
		do()
		return
	}
	done := make(chan bool)
	var showing sync.WaitGroup
	showing.Go(func() { u.show(what, done) })
	do()
	close(done)
	showing.Wait()
}

// show shows what is being done until it is done.
func (u *ui) show(what func() string, done <-chan bool) {
	for wait := progressAfter; ; wait = progressEvery {
		select {
		case <-time.After(wait):
			fmt.Fprintf(u.err, "%smxsrv: %s", eraseLine, what())
		case <-done:
			if wait == progressEvery {
				fmt.Fprint(u.err, eraseLine)
			}
			return
		}
	}
}

// doing is what during shows of what has no parts to count.
func doing(format string, args ...any) func() string {
	return func() string { return fmt.Sprintf(format, args...) }
}

func (u *ui) addJSON(c *cobra.Command) { c.Flags().BoolVar(&u.asJSON, "json", false, "print JSON") }

// result prints a result, as JSON or by a function, and returns errFindings if it is not ok.
func (u *ui) result(value any, ok bool, print func()) error {
	if !u.asJSON {
		print()
	} else if err := u.json(value); err != nil {
		return err
	}
	if !ok {
		return errFindings
	}
	return nil
}

func (u *ui) json(value any) error {
	e := json.NewEncoder(u.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// jsonLine prints one of several values.
func (u *ui) jsonLine(value any) {
	e := json.NewEncoder(u.out)
	e.SetEscapeHTML(false)
	e.Encode(value) // the output keeps the error
}

func (u *ui) line(format string, args ...any) { fmt.Fprintf(u.out, format+"\n", args...) }

// diff prints how a text differs from an older one, in the format of diff -u.
func (u *ui) diff(from, old, to, text string) {
	_, lines, _ := strings.Cut(string(diff.Diff(from, []byte(old), to, []byte(text))), "\n") // the first repeats the names
	for line := range strings.Lines(lines) {
		u.line("%s", u.paint(diffColor[line[0]], strings.TrimSuffix(line, "\n")))
	}
}

var diffColor = map[byte]color{'+': green, '-': red, '@': dim}

// text prints a text in lines that fit the terminal, each after an indent.
func (u *ui) text(indent, words string) {
	if !u.wraps {
		u.line("%s%s", indent, words)
		return
	}
	for _, line := range fill(indent, indent, words, min(u.width, 100)) {
		u.line("%s", line)
	}
}

// table prints rows in columns, each after an indent.
func (u *ui) table(indent string, rows [][]string) {
	widths := map[int]int{} // by column
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], length(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell + strings.Repeat(" ", widths[i]-length(cell)+2))
		}
		u.line("%s%s", indent, strings.TrimRight(b.String(), " "))
	}
}

// section prints rows below a head, if there are any.
func (u *ui) section(head string, rows [][]string) {
	if len(rows) > 0 {
		u.line("\n%s", head)
		u.table("  ", rows)
	}
}

// convert returns what f makes of each value, and never nil, which JSON would have as null.
func convert[T, U any](values []T, f func(T) U) []U {
	converted := make([]U, 0, len(values))
	for _, v := range values {
		converted = append(converted, f(v))
	}
	return converted
}

func filter[T any](values []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(values), func(v T) bool { return !keep(v) })
}

// length returns how many columns a cell takes, without its color.
func length(cell string) int { return utf8.RuneCountInString(escapes.ReplaceAllString(cell, "")) }

var escapes = regexp.MustCompile("\x1b\\[[0-9]*m")

// A color is the escape sequence that switches it on (ECMA-48 §8.3.117).
type color string

const (
	bold   color = "\x1b[1m"
	dim    color = "\x1b[2m"
	red    color = "\x1b[31m"
	green  color = "\x1b[32m"
	yellow color = "\x1b[33m"
	plain        = "\x1b[0m"
)

func (u *ui) paint(c color, text string) string {
	if !u.colored || text == "" {
		return text
	}
	return string(c) + text + plain
}

// bar returns a bar of some columns for a share, with a mark for the promised share.
func (u *ui) bar(share, promised float64, columns int) string {
	at := func(x float64) int { return int(x*float64(columns) + 0.5) }
	full, mark := at(share), at(promised)
	bar := []rune(strings.Repeat("█", full) + strings.Repeat(" ", columns+1-full))
	bar[mark] = '|'
	if mark < full {
		return u.paint(green, string(bar[:mark])) + "|" + u.paint(green, string(bar[mark+1:full]))
	}
	return u.paint(green, string(bar[:full])) + string(bar[full:mark+1])
}
