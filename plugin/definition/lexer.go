package definition

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coredns/caddy/caddyfile"
)

// words gives the words of a text one by one, with their places, as a
// caddyfile.Dispenser does of a Corefile.
type words interface {
	next() (word string, pos Pos, ok bool)
	offset() int // of the last word in its text
}

// dispensed are the words of a block of a Corefile.
type dispensed struct{ *caddyfile.Dispenser }

func (d dispensed) next() (string, Pos, bool) {
	if !d.Next() {
		return "", Pos{d.File(), d.Line()}, false
	}
	return d.Val(), Pos{d.File(), d.Line()}, true
}

func (dispensed) offset() int { return 0 } // nobody asks for it

// A scanner reads the words of a text without copying them. It takes for a word
// what the lexer of caddyfile takes for one, which needs ten times the memory of
// the text and four times as long: that is felt from a hundred thousand lines.
//
//   - White space separates words, but a carriage return is nothing at all.
//   - A word that starts with a quote goes on to the next quote; in it \" is a
//     quote. A quote within another word is a letter.
//   - "#" between words starts a comment up to the end of the line. One within a
//     word drops only what follows it up to white space.
//   - What is not UTF-8 reads as U+FFFD. A byte order mark at the start is dropped.
type scanner struct {
	source string
	text   string // what is left
	line   int    // of the text that is left
	length int    // of the whole text
	start  int    // of the last word
}

func newScanner(pos Pos, text string) *scanner {
	return &scanner{source: pos.Source, text: strings.TrimPrefix(text, "\ufeff"), line: pos.Line, length: len(text)}
}

func (s *scanner) offset() int { return s.start }

func (s *scanner) next() (string, Pos, bool) {
	s.skip()
	s.start = s.length - len(s.text)
	pos := Pos{s.source, s.line}
	if s.text == "" {
		return "", pos, false
	}
	if s.text[0] == '"' {
		s.text = s.text[1:]
		word, ok := s.quoted()
		return word, pos, ok
	}
	n := 0
	for n < len(s.text) && plain(s.text[n]) {
		n++
	}
	if n == len(s.text) || s.text[n] == ' ' || s.text[n] == '\n' {
		word := s.text[:n]
		s.text = s.text[n:]
		return word, pos, true
	}
	return s.unusual(), pos, true
}

// plain reports bytes that are words by themselves, whatever is around them.
func plain(b byte) bool { return b > ' ' && b < utf8.RuneSelf && b != '#' }

// skip drops white space and comments before a word.
func (s *scanner) skip() {
	for comment := false; s.text != ""; {
		r, size := rune(s.text[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s.text)
		}
		switch {
		case r == '\n':
			s.line++
			comment = false
		case r == '#':
			comment = true
		case !comment && !unicode.IsSpace(r):
			return
		}
		s.text = s.text[size:]
	}
}

// quoted reads up to the closing quote. There is no word if the text ends
// before anything is in it.
func (s *scanner) quoted() (string, bool) {
	var b strings.Builder
	escaped := false
	for i, r := range s.text {
		switch {
		case escaped && r != '"':
			b.WriteByte('\\')
			b.WriteRune(r)
		case escaped:
			b.WriteByte('"')
		case r == '"':
			s.text = s.text[i+1:]
			return b.String(), true
		case r != '\\':
			b.WriteRune(r)
		}
		escaped = r == '\\' && !escaped
		if r == '\n' {
			s.line++
		}
	}
	s.text = ""
	return b.String(), b.Len() > 0
}

// unusual reads a word that is not to be had as a part of the text.
func (s *scanner) unusual() string {
	var b strings.Builder
	dropped := false
	for i, r := range s.text {
		switch {
		case r == '\r':
		case unicode.IsSpace(r):
			s.text = s.text[i:]
			return b.String()
		case r == '#':
			dropped = true
		case !dropped:
			b.WriteRune(r)
		}
	}
	s.text = ""
	return b.String()
}
