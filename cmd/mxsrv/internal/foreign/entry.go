package foreign

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An entry is one of a master file (RFC 1035 §5.1): a line, or several within parentheses.
type entry struct {
	line     int    // where it starts, from 1
	indented bool   // it has no owner
	text     string // without comments, with one blank for all white space
	open     string // what is not closed at the end of the file

	before  []string // the comments of the lines before it, without their semicolons; "" for an empty line
	comment string   // the comment after it, or ""
}

// entries returns the entries of a text, and the comments after the last one.
func entries(text string) (all []entry, after []string) {
	s := splitter{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	for s.text != "" {
		e := s.next()
		if e.text == "" {
			after = append(after, e.comment)
			continue
		}
		e.before, after = after, nil
		all = append(all, e)
	}
	return all, after
}

// A splitter splits a text into entries.
type splitter struct {
	text string // that is left
	line int

	depth                    int // of parentheses
	quoted, escaped, comment bool
	note                     strings.Builder // the last comment outside of parentheses
}

// next returns the next entry. It is empty on an empty line.
func (s *splitter) next() entry {
	e := entry{line: s.line, indented: isBlank(s.text[0])}
	var b strings.Builder
	s.note.Reset()
	i, ended := 0, false
	for ; i < len(s.text) && !ended; i++ {
		c := s.text[i]
		special := s.step(c)
		ended = special && c == '\n' && s.depth == 0
		switch {
		case s.comment && s.depth == 0:
			s.note.WriteByte(c)
		case s.comment:
		case !special || !isBlank(c) && c != '\n':
			b.WriteByte(c)
		case !strings.HasSuffix(b.String(), " "):
			b.WriteByte(' ')
		}
	}
	s.text = s.text[i:]
	e.text, e.open, e.comment = strings.TrimSpace(b.String()), s.open(), comment(s.note.String(), ";")
	return e
}

// open returns what is not closed: ( or ".
func (s *splitter) open() string {
	switch {
	case s.quoted:
		return `"`
	case s.depth > 0:
		return "("
	}
	return ""
}

// step reads one octet. It reports whether that has its special meaning, as it is neither quoted nor escaped nor in a
// comment.
func (s *splitter) step(c byte) (special bool) {
	if c == '\n' {
		s.line++
		s.comment = false
	}
	special = !s.quoted && !s.escaped && !s.comment
	escaped := s.escaped || s.comment
	s.escaped = c == '\\' && !escaped
	switch {
	case c == '"' && !escaped:
		s.quoted = !s.quoted
	case !special:
	case c == ';':
		s.comment = true
	case c == '(':
		s.depth++
	case c == ')' && s.depth > 0:
		s.depth--
	}
	return special
}

// comment returns the text of a comment that starts with marks, as there may be one here.
func comment(text, mark string) string {
	text = strings.TrimRightFunc(strings.TrimLeft(text, mark), unicode.IsSpace)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
