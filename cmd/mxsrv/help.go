package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// widestHelp is how many columns help takes at most: long lines are hard to read.
const widestHelp = 120

// wrapHelp makes the help of a command and of those below it fit the terminal.
func (u *ui) wrapHelp(root *cobra.Command) {
	if !u.wraps {
		return
	}
	width := min(u.width, widestHelp)
	flags := fmt.Sprintf(".FlagUsagesWrapped %d", width)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", flags))
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		var text bytes.Buffer
		c.SetOut(&text)
		help(c, args)
		c.SetOut(u.out)
		io.WriteString(u.out, fitHelp(text.String(), width))
	})
}

// fitHelp breaks the lines of a help that are too long. Lines of prose are joined first, as they were broken for another
// width.
func fitHelp(text string, width int) string {
	var fit []string
	for line := range strings.Lines(prose.ReplaceAllString(text, "$1 ")) {
		fit = append(fit, fitLine(strings.TrimRight(line, "\n"), width)...)
	}
	return strings.Join(fit, "\n") + "\n"
}

var (
	prose   = regexp.MustCompile(`(?m)^(\S.{60,})\n\b`) // a long line at the margin and the next one
	columns = regexp.MustCompile(`^( *\S.*?\S  +)(\S.*)$`)
)

// fitLine breaks a line. What it says beside an example stays beside it, if there is room.
func fitLine(line string, width int) []string {
	if utf8.RuneCountInString(line) <= width {
		return []string{line}
	}
	words := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(words)]
	if m := columns.FindStringSubmatch(line); m != nil {
		beside := strings.Repeat(" ", utf8.RuneCountInString(m[1]))
		if len(beside) <= width/2 {
			return fill(m[1], beside, m[2], width)
		}
		return append(fitLine(strings.TrimRight(m[1], " "), width), fitLine(indent+"    "+m[2], width)...)
	}
	if len(indent) > width/2 {
		indent = "    "
	}
	return fill(indent, indent, words, width)
}

// fill returns words in lines of at most some columns if no word is longer. The first line starts with one text, and all
// others with another.
func fill(first, others, words string, width int) (lines []string) {
	line, blank := first, ""
	for word := range strings.FieldsSeq(words) {
		if blank != "" && utf8.RuneCountInString(line+blank+word) > width {
			lines = append(lines, line)
			line, blank = others, ""
		}
		line, blank = line+blank+word, " "
	}
	return append(lines, line)
}
