package definition

import (
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

// A Token is a word of a text, and where it stands.
type Token struct {
	Pos
	Word       string // as it reads
	Start, End int    // of the word as it is written, in octets from the start of the text
	StartsLine bool
}

func (t *Token) isBrace() bool { return t.Word == "{" || t.Word == "}" }

// Tokens returns the words of a text whose first line is at pos.
func Tokens(pos Pos, text string) []Token {
	var all []Token
	x := newLexer(pos, text)
	for end := 0; ; end = x.length - len(x.text) {
		word, pos, ok := x.next()
		if !ok {
			return all
		}
		startsLine := end == 0 || strings.Contains(text[end:x.start], "\n")
		all = append(all, Token{pos, word, x.start, x.length - len(x.text), startsLine})
	}
}

// Format returns a text in canonical form, indented as in so many blocks: one blank between words, each statement and
// each "}" on a line of its own with 4 blanks for each block around it, "{" at the end of its statement. Statements and
// comments stay in their order. Of several empty lines one is left, and none at the start and end of a block and of the
// text. Comments at the ends of lines start in one column, up to an empty line, but those after "}". Words lose quotes
// that they do not need, but those of records, which are written with quotes as in zone files.
//
// The result has the same statements, and is its own canonical form. If a brace or a quote is missing Format returns
// the text as it is, and the mistakes. It knows no keyword but that of records: a wrong statement stays wrong.
func Format(pos Pos, text string, blocks int) (string, Errors) {
	if errs := EachStatement(pos, text, func(Statement) {}); len(errs) > 0 {
		return text, errs
	}
	f := formatter{depth: blocks, last: -1}
	end := len(text) - len(strings.TrimPrefix(text, byteOrderMark))
	for _, t := range Tokens(pos, text) {
		f.between(text[end:t.Start])
		f.token(&t, text[t.Start:t.End])
		end = t.End
	}
	f.between(text[end:])
	formatted := f.text()
	switch {
	case formatted == "" && text != "":
		return "\n", nil // an empty file is a mistake
	case strings.HasPrefix(formatted, byteOrderMark): // of a word that was not at the start
		return byteOrderMark + formatted, nil
	}
	return formatted, nil
}

// A formatter brings tokens, and the comments between them, into rows.
type formatter struct {
	rows   []row
	depth  int  // blocks around the next row
	last   int  // index of the last row with words, or -1
	brace  bool // the last token is a brace: the next one starts a row
	blank  bool // there are empty lines before the next row
	quotes bool // the words of the statement keep their quotes
}

// A row is a line of the result.
type row struct {
	blank   bool // an empty line is before it
	depth   int
	text    string // words, or a comment that is alone on its line
	comment string // at the end of the line
}

// between takes the white space and the comments between two tokens. A quote that ends the text is no word: it is
// dropped.
func (f *formatter) between(gap string) {
	lines := strings.Split(gap, "\n")
	for i, line := range lines {
		switch line = strings.TrimSpace(line); {
		case !strings.HasPrefix(line, "#"):
			f.blank = !f.opened() && (f.blank || i > 0 && i < len(lines)-1)
		case i == 0 && f.last >= 0 && f.last == len(f.rows)-1 && f.rows[f.last].comment == "":
			f.rows[f.last].comment = line
		default:
			f.add(line)
		}
	}
}

// opened reports whether the last row is the start of a block, or there is none yet.
func (f *formatter) opened() bool {
	return f.last == len(f.rows)-1 && (f.last < 0 || f.rows[f.last].depth < f.depth)
}

func (f *formatter) add(text string) {
	f.rows = append(f.rows, row{blank: f.blank, depth: f.depth, text: text})
	f.blank = false
}

// token takes a token, which is written in some way.
func (f *formatter) token(t *Token, written string) {
	starts := t.StartsLine || f.brace
	f.brace = t.isBrace()
	switch {
	case t.Word == "{":
		f.open(f.spelled(t, written))
	case t.Word == "}":
		f.depth--
		f.blank, f.quotes = false, false
		f.start(f.spelled(t, written))
	case starts:
		f.quotes = false
		f.start(f.spelled(t, written))
		f.quotes = t.Word == "record"
	default:
		f.rows[f.last].text += " " + f.spelled(t, written)
	}
}

// start starts a row with words.
func (f *formatter) start(word string) {
	f.add(word)
	f.last = len(f.rows) - 1
}

// open puts a brace at the end of its statement. Comments between the two come after it.
func (f *formatter) open(brace string) {
	f.rows[f.last].text += " " + brace
	f.depth++
	f.blank = false
	for i := f.last + 1; i < len(f.rows); i++ {
		f.rows[i].depth = f.depth
		f.rows[i].blank = f.rows[i].blank && i > f.last+1
	}
}

// spelled returns a word as it is to be written.
func (f *formatter) spelled(t *Token, written string) string {
	switch {
	case written[0] != '"':
		return strings.Map(noReturn, written)
	case t.isBrace() || !f.quotes && needsNoQuotes(t.Word):
		return t.Word
	}
	return `"` + strings.ReplaceAll(t.Word, `"`, `\"`) + `"`
}

// noReturn drops carriage returns, which are no part of a word.
func noReturn(r rune) rune {
	if r == '\r' {
		return -1
	}
	return r
}

func needsNoQuotes(word string) bool {
	for i := range len(word) {
		if b := word[i]; !plain(b) || b == '"' || b == '\\' {
			return false
		}
	}
	return word != ""
}

const indent = "    "

// text returns the rows as lines.
func (f *formatter) text() string {
	var b strings.Builder
	for rest := f.rows; len(rest) > 0; {
		n := 1
		for n < len(rest) && !rest[n].blank {
			n++
		}
		if rest[0].blank {
			b.WriteByte('\n')
		}
		writeParagraph(&b, rest[:n])
		rest = rest[n:]
	}
	return b.String()
}

// writeParagraph writes rows that have no empty line between them.
func writeParagraph(b *strings.Builder, rows []row) {
	column := 0 // of the comments
	for i := range rows {
		if rows[i].comment != "" && !rows[i].ends() {
			column = max(column, rows[i].width()+1)
		}
	}
	for i := range rows {
		r := &rows[i]
		b.WriteString(strings.Repeat(indent, r.depth) + r.text)
		switch {
		case r.comment != "" && r.ends():
			b.WriteString(" " + r.comment)
		case r.comment != "":
			b.WriteString(strings.Repeat(" ", column-r.width()) + r.comment)
		}
		b.WriteByte('\n')
	}
}

// ends reports whether the row ends a block, the comment on which is not in the column of others.
func (r *row) ends() bool { return strings.HasPrefix(r.text, "}") }

func (r *row) width() int { return r.depth*len(indent) + utf8.RuneCountInString(r.text) }
