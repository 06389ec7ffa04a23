package definition

import (
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// A Statement is words, and the statements of its block if it has one.
type Statement struct {
	Pos
	Words  []string
	Block  []Statement
	Offset int  // of its first word, in octets from the start of its text
	braced bool // it has a block, perhaps an empty one

	unusual bool // one of its words may be none of the language: see Reader.Usual
}

// maxDepth is far beyond what the language nests (mxsrv, mail, a line in it).
const maxDepth = 8

// Statements groups the words of d, to its end, into statements.
//
// Braces are taken as meant wherever they stand: "{" on a line of its own opens
// the block of the statement before it, and a block may be written on one line.
func Statements(d *caddyfile.Dispenser) ([]Statement, Errors) {
	var all []Statement
	g := grouper{words: dispensed{d}}
	g.block(Pos{}, 0, func(s Statement) { all = append(all, s) })
	return all, g.errs.all()
}

// EachStatement calls f for every statement of a text whose first line is at pos. The
// statement is valid during the call: the next one is read into the same memory.
func EachStatement(pos Pos, text string, f func(Statement)) Errors {
	g := grouper{words: newLexer(pos, text), buf: make([]string, 0, 16)}
	g.block(Pos{}, 0, func(s Statement) {
		f(s)
		g.buf = g.buf[:0]
	})
	return g.errs.all()
}

// A grouper groups words into statements.
type grouper struct {
	words words

	buf  []string // words of the statements read so far; each has a part of it
	end  Pos      // where the last word ended
	lost bool     // nested too deep: the rest cannot be grouped
	errs mistakes
}

// A pending statement is perhaps not complete: words or a block may follow.
type pending struct {
	Statement
	open  bool // words may follow
	first int  // index of its first word
	emit  func(Statement)
}

func (p *pending) done() {
	if len(p.Words) > 0 {
		p.emit(p.Statement)
	}
	p.Statement, p.open = Statement{}, false
}

// block reads statements up to the brace that closes the block, or to the end.
func (g *grouper) block(start Pos, depth int, emit func(Statement)) {
	last := pending{emit: emit}
	defer last.done()
	for {
		word, pos, ok := g.words.next()
		if !ok {
			break
		}
		onLine, lines := pos == g.end, strings.Count(word, "\n")
		g.end = Pos{pos.Source, pos.Line + lines}
		switch {
		case word == "}" && depth > 0:
			return
		case word == "}":
			g.errs.add(pos, Syntax, "this %q closes nothing: delete it, or open its block with %q", "}", "{")
			last.open = false
		case word == "{":
			g.openBlock(&last.Statement, depth, pos)
			last.open = false
		default:
			if lines > 0 { // no word of the language has several, so a quote was opened and forgotten
				first, _, _ := strings.Cut(word, "\n")
				g.errs.add(pos, Syntax, "the quote before %q is not closed on its line: write %q after it, or, "+
					"in a Corefile, make the variable that it comes from a single word", strings.TrimSpace(first), `"`)
			}
			g.add(&last, word, pos, onLine)
		}
	}
	if depth > 0 && !g.lost {
		g.errs.add(start, Syntax, "this block is not closed: write %q after its last line", "}")
	}
}

// add adds a word to a statement, or starts the next one.
func (g *grouper) add(to *pending, word string, pos Pos, onLine bool) {
	if !to.open || !onLine {
		to.done()
		to.Pos, to.Offset, to.first, to.open = pos, g.words.offset(), len(g.buf), true
	}
	g.buf = append(g.buf, word)
	to.unusual = to.unusual || !g.words.plain() && isUnusual(word)
	to.Words = g.buf[to.first:len(g.buf):len(g.buf)]
}

// openBlock reads a block and gives it to the statement before it.
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
	g.block(pos, depth+1, func(s Statement) { block = append(block, s) })
	if len(last.Words) == 0 || last.braced {
		g.errs.add(pos, Syntax, "this %q belongs to no line: write the line's words before it", "{")
		return
	}
	last.Block, last.braced = block, true
}
