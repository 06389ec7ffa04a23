package definition

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of mistakes that a reader finds; the rules of package lint have the
// same ids.
const (
	FileUnreadable  = "file-unreadable"
	Syntax          = "syntax"
	NameInvalid     = "name-invalid"
	ValueOutOfRange = "value-out-of-range"
	TargetIsAddress = "target-is-address"
)

// An Error is one mistake: its place, its kind, and what is wrong with what to
// write instead.
type Error struct {
	Pos
	ID   string
	Text string
}

func (e Error) Error() string { return e.Pos.String() + ": " + e.Text }

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

// mistakes collects errors, each once: with a thousand zones one word is read a
// thousand times.
type mistakes struct {
	list Errors
	seen map[Error]bool
}

func (m *mistakes) add(pos Pos, id, format string, args ...any) {
	err := Error{pos, id, Sprintf(format, args...)}
	if m.seen[err] {
		return
	}
	if m.seen == nil {
		m.seen = map[Error]bool{}
	}
	m.seen[err] = true
	m.list = append(m.list, err)
}
