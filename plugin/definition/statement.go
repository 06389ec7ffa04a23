package definition

import (
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// A Statement is one statement: its words, and the lines of its block if it has one.
type Statement struct {
	Pos
	Words  []string
	Block  []Statement
	Offset int  // of its first word, in octets from the start of its text
	braced bool // it has a block, perhaps an empty one
}

// maxDepth is far beyond what the language nests (mxsrv, mail, a line in it).
const maxDepth = 8

// Statements groups the tokens of d, to its end, into statements.
//
// Braces are taken as meant wherever they stand: "{" on a line of its own opens
// the block of the line before it, and a block may be written on one line.
func Statements(d *caddyfile.Dispenser) ([]Statement, Errors) {
	var lines []Statement
	g := grouper{words: dispensed{d}, line: func(l Statement) { lines = append(lines, l) }}
	g.run()
	return lines, g.errs.list
}

// EachStatement calls f for every statement of a text whose first line is at pos. The
// line is valid during the call: the next one is read into the same memory.
func EachStatement(pos Pos, text string, f func(Statement)) Errors {
	g := grouper{words: newScanner(pos, text)}
	g.line = func(l Statement) {
		f(l)
		g.buf = g.buf[:0]
	}
	g.run()
	return g.errs.list
}

// A grouper groups words into lines.
type grouper struct {
	words words
	line  func(Statement) // gets each line that is in no block

	buf  []string // words of the lines read so far; each line has a part of it
	end  Pos      // where the last word ended
	lost bool     // nested too deep: nothing after it can be told apart
	errs mistakes
}

func (g *grouper) run() {
	g.block(Pos{}, 0, g.line)
}

// block reads lines up to the brace that closes the block, or to the end.
func (g *grouper) block(start Pos, depth int, emit func(Statement)) {
	var last Statement           // perhaps not complete: a block may follow
	open, first := false, 0 // open: words may follow; first: index of its first word
	done := func() {
		if len(last.Words) > 0 {
			emit(last)
		}
		last, open = Statement{}, false
	}
	for {
		word, pos, ok := g.words.next()
		if !ok {
			break
		}
		onLine := pos == g.end
		g.end = Pos{pos.Source, pos.Line + strings.Count(word, "\n")}
		switch {
		case word == "}" && depth > 0:
			done()
			return
		case word == "}":
			g.errs.add(pos, Syntax, "this %q closes nothing: delete it, or open its block with %q", "}", "{")
			open = false
		case word == "{":
			g.openBlock(&last, depth, pos)
			open = false
		default:
			if !open || !onLine {
				done()
				last.Pos, last.Offset, first, open = pos, g.words.offset(), len(g.buf), true
			}
			g.buf = append(g.buf, g.word(word, pos))
			last.Words = g.buf[first:len(g.buf):len(g.buf)]
		}
	}
	done()
	if depth > 0 && !g.lost {
		g.errs.add(start, Syntax, "this block is not closed: write %q after its last line", "}")
	}
}

// openBlock reads a block and gives it to the line before it.
func (g *grouper) openBlock(last *Statement, depth int, pos Pos) {
	if depth == maxDepth {
		g.errs.add(pos, Syntax, "blocks are nested %d deep: close one with %q", depth+1, "}")
		for g.lost = true; ; {
			if _, _, ok := g.words.next(); !ok {
				return
			}
		}
	}
	block := make([]Statement, 0, 4)
	g.block(pos, depth+1, func(l Statement) { block = append(block, l) })
	if len(last.Words) == 0 || last.braced {
		g.errs.add(pos, Syntax, "this %q belongs to no line: write the line's words before it", "{")
		return
	}
	last.Block, last.braced = block, true
}

// word refuses a word of several lines: no word of the language has any, so a
// quote was opened and forgotten.
func (g *grouper) word(word string, pos Pos) string {
	if first, _, more := strings.Cut(word, "\n"); more {
		g.errs.add(pos, Syntax, "the quote before %q is not closed on its line: write %q after it", strings.TrimSpace(first), `"`)
	}
	return word
}
