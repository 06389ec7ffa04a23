package definition

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coredns/caddy/caddyfile"
)

// words gives the words of a text one by one, with their places, as a caddyfile.Dispenser does of a Corefile.
type words interface {
	next() (word string, pos Pos, ok bool)
	offset() int // of the last word in its text
	plain() bool // the last word has only octets that are plain: it is not worth a closer look
}

// dispensed are the words of a Corefile.
type dispensed struct{ *caddyfile.Dispenser }

func (d dispensed) next() (string, Pos, bool) {
	if !d.Next() {
		return "", Pos{d.File(), d.Line()}, false
	}
	return d.Val(), Pos{d.File(), d.Line()}, true
}

func (dispensed) offset() int { return 0 } // a Corefile is read as a whole

func (dispensed) plain() bool { return false }

// A lexer reads the words of a text without copying them, and the same words as the lexer of caddyfile. That needs
// ten times the memory of the text and four times as long, which matters from a hundred thousand lines.
//
//   - White space separates words, but a carriage return is nothing at all.
//   - A word that starts with a quote goes on to the next quote; in it \" is a
//     quote. A quote within another word is a letter.
//   - "#" between words starts a comment up to the end of the line. One within a
//     word drops only what follows it up to white space.
//   - What is not UTF-8 reads as U+FFFD. A byte order mark at the start is dropped.
type lexer struct {
	source string
	text   string // what is left
	line   int    // of the text that is left
	length int    // of the whole text
	start  int    // of the last word
	slow   bool   // the last word was read octet by octet
}

func newLexer(pos Pos, text string) *lexer {
	return &lexer{source: pos.Source, text: strings.TrimPrefix(text, byteOrderMark), line: pos.Line, length: len(text)}
}

func (x *lexer) offset() int { return x.start }
func (x *lexer) plain() bool { return !x.slow }

func (x *lexer) next() (string, Pos, bool) {
	x.skip()
	x.start = x.length - len(x.text)
	pos := Pos{x.source, x.line}
	x.slow = true
	if x.text == "" {
		return "", pos, false
	}
	if x.text[0] == '"' {
		x.text = x.text[1:]
		word, ok := x.quoted()
		return word, pos, ok
	}
	n := 0
	for n < len(x.text) && plain(x.text[n]) {
		n++
	}
	if n == len(x.text) || x.text[n] == ' ' || x.text[n] == '\n' {
		word := x.text[:n]
		x.text, x.slow = x.text[n:], false
		return word, pos, true
	}
	return x.slowly(), pos, true
}

// plain reports octets of the usual words, which are words by themselves, whatever is around them.
func plain(b byte) bool {
	return b > ' ' && b < utf8.RuneSelf && b != '#' && b != ';' && b != '$' && b != '%'
}

// isUnusual reports words that no definitions have: empty ones, those with a character of comments or variables
// elsewhere, or with a blank, which only quotes and variables bring into a word.
func isUnusual(word string) bool {
	return word == "" || strings.ContainsFunc(word, func(r rune) bool {
		return r == ';' || r == '$' || r == '%' || unicode.IsSpace(r)
	})
}

// skip drops white space and comments before a word.
func (x *lexer) skip() {
	for comment := false; x.text != ""; {
		r, size := rune(x.text[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(x.text)
		}
		switch {
		case r == '\n':
			x.line++
			comment = false
		case r == '#':
			comment = true
		case !comment && !unicode.IsSpace(r):
			return
		}
		x.text = x.text[size:]
	}
}

// quoted reads up to the closing quote. It returns false if the text ends before there is anything.
func (x *lexer) quoted() (string, bool) {
	var b strings.Builder
	escaped := false
	for i, r := range x.text {
		switch {
		case escaped && r != '"':
			b.WriteByte('\\')
			b.WriteRune(r)
		case escaped:
			b.WriteByte('"')
		case r == '"':
			x.text = x.text[i+1:]
			return b.String(), true
		case r != '\\':
			b.WriteRune(r)
		}
		escaped = r == '\\' && !escaped
		if r == '\n' {
			x.line++
		}
	}
	x.text = ""
	return b.String(), b.Len() > 0
}

// slowly reads a word that is not a part of the text as it stands, or an unusual one.
func (x *lexer) slowly() string {
	var b strings.Builder
	dropped := false
	for i, r := range x.text {
		switch {
		case r == '\r':
		case unicode.IsSpace(r):
			x.text = x.text[i:]
			return b.String()
		case r == '#':
			dropped = true
		case !dropped:
			b.WriteRune(r)
		}
	}
	x.text = ""
	return b.String()
}
