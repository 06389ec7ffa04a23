package foreign

import "strings"

// An entry is one of a master file (RFC 1035 §5.1): a line, or several within parentheses.
type entry struct {
	line     int    // where it starts, from 1
	indented bool   // it has no owner
	text     string // without comments, with one blank for all white space
	open     string // what is not closed at the end of the file
}

func entries(text string) (all []entry) {
	s := splitter{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	for s.text != "" {
		if e := s.next(); e.text != "" {
			all = append(all, e)
		}
	}
	return all
}

// A splitter splits a text into entries.
type splitter struct {
	text string // that is left
	line int

	depth                    int // of parentheses
	quoted, escaped, comment bool
}

// next returns the next entry. It is empty on an empty line.
func (s *splitter) next() entry {
	e := entry{line: s.line, indented: isBlank(s.text[0])}
	var b strings.Builder
	i, ended := 0, false
	for ; i < len(s.text) && !ended; i++ {
		c := s.text[i]
		special := s.step(c)
		ended = special && c == '\n' && s.depth == 0
		switch {
		case s.comment:
		case !special || !isBlank(c) && c != '\n':
			b.WriteByte(c)
		case !strings.HasSuffix(b.String(), " "):
			b.WriteByte(' ')
		}
	}
	s.text = s.text[i:]
	e.text, e.open = strings.TrimSpace(b.String()), s.open()
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

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
