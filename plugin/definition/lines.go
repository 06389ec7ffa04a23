package definition

import (
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// A Line is one statement: its words, and the lines of its block if it has one.
type Line struct {
	Pos
	Words []string
	Block []Line

	braced bool // it has a block, perhaps an empty one
}

// maxDepth is far beyond what the language nests (mxsrv, mail, a line in it).
const maxDepth = 8

// Lines groups the tokens of d, to its end, into statements.
//
// Braces are taken as meant wherever they stand: "{" on a line of its own opens
// the block of the line before it, and a block may be written on one line.
func Lines(d *caddyfile.Dispenser) ([]Line, Errors) {
	t := tokens{d: d}
	lines := t.block(0)
	return lines, t.errs.list
}

type tokens struct {
	d    *caddyfile.Dispenser
	end  Pos  // where the last token ended
	lost bool // nested too deep: nothing after it can be told apart
	errs mistakes
}

func (t *tokens) pos() Pos { return Pos{t.d.File(), t.d.Line()} }

// block reads lines up to the brace that closes the block, or to the end.
func (t *tokens) block(depth int) []Line {
	var lines []Line
	open, start := false, t.pos() // open: the last line may still grow
	for t.d.Next() {
		word, pos := t.d.Val(), t.pos()
		onLine := pos == t.end
		t.end = Pos{pos.Source, pos.Line + strings.Count(word, "\n")}
		switch {
		case word == "}" && depth > 0:
			return lines
		case word == "}":
			t.errs.add(pos, Syntax, "this %q closes nothing: delete it, or open its block with %q", "}", "{")
			open = false
		case word == "{":
			lines = t.openBlock(lines, depth, pos)
			open = false
		case open && onLine:
			last := &lines[len(lines)-1]
			last.Words = append(last.Words, t.word(word, pos))
		default:
			lines = append(lines, Line{Pos: pos, Words: []string{t.word(word, pos)}})
			open = true
		}
	}
	if depth > 0 && !t.lost {
		t.errs.add(start, Syntax, "this block is not closed: write %q after its last line", "}")
	}
	return lines
}

func (t *tokens) openBlock(lines []Line, depth int, pos Pos) []Line {
	if depth == maxDepth {
		t.errs.add(pos, Syntax, "blocks are nested %d deep: close one with %q", depth+1, "}")
		for t.lost = true; t.d.Next(); {
		}
		return lines
	}
	block := t.block(depth + 1)
	if len(lines) == 0 || lines[len(lines)-1].braced {
		t.errs.add(pos, Syntax, "this %q belongs to no line: write the line's words before it", "{")
		return lines
	}
	last := &lines[len(lines)-1]
	last.Block, last.braced = block, true
	return lines
}

// word refuses a word of several lines: no word of the language has any, so a
// quote was opened and forgotten.
func (t *tokens) word(word string, pos Pos) string {
	if first, _, more := strings.Cut(word, "\n"); more {
		t.errs.add(pos, Syntax, "the quote before %q is not closed on its line: write %q after it", strings.TrimSpace(first), `"`)
	}
	return word
}
