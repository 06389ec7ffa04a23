package definition

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of mistakes that a reader finds; the rules of package lint have the same ids.
const (
	FileUnreadable  = "file-unreadable"
	Syntax          = "syntax"
	NameInvalid     = "name-invalid"
	ValueOutOfRange = "value-out-of-range"
	TargetIsAddress = "target-is-address"
	RecordType      = "record-type"
	RecordData      = "record-data"
	DKIMKey         = "dkim-key"
	MTASTSPolicy    = "mta-sts-policy"
	TLSAKey         = "tlsa-key"
)

// An Error is one mistake: its place, its kind, and what is wrong with what to write instead.
type Error struct {
	Pos
	ID   string
	Text string
	More int // mistakes of this kind that follow in the same text and are not kept
}

func (e Error) Error() string {
	if e.More > 0 {
		return fmt.Sprintf("%v: %s (and %d more like this)", e.Pos, e.Text, e.More)
	}
	return e.Pos.String() + ": " + e.Text
}

// Errors are all mistakes of one reading, in order.
type Errors []Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Sprintf is fmt.Sprintf, but quotes ("%q") no more than 80 characters of a text: a word may
// have any length, and errors are logged.
func Sprintf(format string, args ...any) string {
	for i, arg := range args {
		if text, ok := arg.(string); ok && len(text) > maxQuoted {
			args[i] = long(text)
		}
	}
	return fmt.Sprintf(format, args...)
}

// errorf returns an error of a text as of Sprintf.
func errorf(format string, args ...any) error { return errors.New(Sprintf(format, args...)) }

const maxQuoted = 80

// A long text is cut where it is quoted.
type long string

// Format implements fmt.Formatter.
func (l long) Format(f fmt.State, verb rune) {
	text := string(l)
	if verb == 'q' {
		text = cut(text)
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), text)
}

// cut returns a text of which no more than 80 characters are left.
func cut(text string) string {
	left := maxQuoted
	for i := range text {
		if left--; left < 0 {
			return text[:i] + "..."
		}
	}
	return text
}

// maxMistakes is how many mistakes of a kind are kept of one text, which may have a million.
const maxMistakes = 20

// Add adds a mistake, with a text as of [Sprintf].
func (e *Errors) Add(pos Pos, id, format string, args ...any) {
	*e = append(*e, Error{Pos: pos, ID: id, Text: Sprintf(format, args...)})
}

// mistakes collects errors, each once: with a thousand zones one word is read a thousand times.
type mistakes struct {
	list  Errors
	seen  map[Error]bool
	kinds map[string]*kind
	count int // calls of add
}

// A kind counts the mistakes with an id.
type kind struct {
	kept, left int
	last       Pos // of those that are not kept, of which each line counts once
}

func (m *mistakes) add(pos Pos, id, format string, args ...any) {
	m.count++
	if m.seen == nil {
		m.seen, m.kinds = map[Error]bool{}, map[string]*kind{}
	}
	k := m.kinds[id]
	if k == nil {
		k = new(kind)
		m.kinds[id] = k
	}
	if k.kept == maxMistakes {
		if pos != k.last {
			k.left, k.last = k.left+1, pos
		}
		return
	}
	err := Error{Pos: pos, ID: id, Text: Sprintf(format, args...)}
	if !m.seen[err] {
		m.seen[err] = true
		m.list = append(m.list, err)
		k.kept, k.last = k.kept+1, pos
	}
}

// replace puts one mistake in the place of all but the first n.
func (m *mistakes) replace(n int, by Error) {
	m.list = append(m.list[:n:n], by)
	clear(m.kinds)
}

// all returns the mistakes; the last of each kind counts those that are not kept.
func (m *mistakes) all() Errors {
	for id, k := range m.kinds {
		for i := len(m.list) - 1; k.left > 0 && i >= 0; i-- {
			if m.list[i].ID == id {
				m.list[i].More = k.left
				break
			}
		}
	}
	return m.list
}
