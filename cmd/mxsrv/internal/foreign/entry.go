package foreign

import (
	"iter"
	"strings"
)

// An entry is one of a master file (RFC 1035 §5.1): a line, or several within
// parentheses.
type entry struct {
	line     int    // where it starts, from 1
	indented bool   // it has no owner
	text     string // without comments, and white space made one blank
	open     string // what the text ends in before it is closed: ( or "
}

// entries splits a master file.
func entries(text string) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		s := splitter{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
		for s.text != "" {
			if e := s.next(); e.text != "" && !yield(e) {
				return
			}
		}
	}
}

// A splitter is what is left of a text.
type splitter struct {
	text string
	line int
}

// next reads up to the end of an entry, which is empty on an empty line.
func (s *splitter) next() entry {
	e := entry{line: s.line, indented: isBlank(s.text[0])}
	var b strings.Builder
	depth, quoted, escaped, comment := 0, false, false, false
	for i := range len(s.text) {
		c := s.text[i]
		if c == '\n' {
			s.line++
			comment = false
		}
		plain := !quoted && !escaped && !comment
		switch {
		case c == '\n' && plain && depth == 0:
			s.text = s.text[i+1:]
			e.text = strings.TrimSpace(b.String())
			return e
		case c == ';' && plain:
			comment = true
		case c == '(' && plain:
			depth++
		case c == ')' && plain && depth > 0:
			depth--
		case c == '"' && !escaped && !comment:
			quoted = !quoted
		}
		escaped = c == '\\' && !escaped && !comment
		switch {
		case comment:
		case plain && (isBlank(c) || c == '\n'):
			if !strings.HasSuffix(b.String(), " ") {
				b.WriteByte(' ')
			}
		default:
			b.WriteByte(c)
		}
	}
	s.text = ""
	e.text = strings.TrimSpace(b.String())
	switch {
	case quoted:
		e.open = `"`
	case depth > 0:
		e.open = "("
	}
	return e
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
