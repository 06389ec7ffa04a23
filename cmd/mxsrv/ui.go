package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// The rules of what a user reads, and the only file that prints:
//
//   - What was asked for goes to standard output, everything else to standard
//     error, as "mxsrv: error: ..." and, if there is something to type that is
//     more to the point, "mxsrv: hint: ..." after it.
//   - Messages are lower case and have no full stop.
//   - Colour says nothing that the words do not say. There is none where the
//     output is no terminal, where NO_COLOR is set, or on a dumb terminal.
//   - --json prints one value and nothing else to standard output.
type ui struct {
	out, err io.Writer
	colored  bool
	width    int  // columns of the terminal
	wraps    bool // running text is broken into lines; a program reads them whole
}

func newUI(stdout, stderr io.Writer) *ui {
	u := &ui{out: stdout, err: stderr, width: 80}
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

// failed says why something cannot be told.
func (u *ui) failed(err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(u.err, "mxsrv: error: %s\n", strings.TrimSuffix(line, "\n"))
	}
	if h := (hinted{}); errors.As(err, &h) {
		fmt.Fprintf(u.err, "mxsrv: hint: %s\n", h.hint)
	}
}

// note says something that whoever reads the output should know.
func (u *ui) note(format string, args ...any) {
	fmt.Fprintf(u.err, "mxsrv: note: "+format+"\n", args...)
}

func (u *ui) json(v any) error {
	e := json.NewEncoder(u.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// line prints a line.
func (u *ui) line(format string, args ...any) { fmt.Fprintf(u.out, format+"\n", args...) }

// text prints words in lines that fit the terminal, each after an indent.
func (u *ui) text(indent, words string) {
	if !u.wraps {
		u.line("%s%s", indent, words)
		return
	}
	line := indent
	for word := range strings.FieldsSeq(words) {
		if len(line) > len(indent) && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > min(u.width, 100) {
			u.line("%s", line)
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	u.line("%s", line)
}

// table prints rows in columns, each after an indent.
func (u *ui) table(indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
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

// length counts the columns of a cell, without its colour.
func length(cell string) int { return utf8.RuneCountInString(escapes.ReplaceAllString(cell, "")) }

var escapes = regexp.MustCompile("\x1b\\[[0-9]*m")

// A color is the escape sequence that starts it (ECMA-48 §8.3.117).
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

// bar draws a share in some columns, and where it should end.
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
