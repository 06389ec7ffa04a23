package definition

import (
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
)

// An Error is one mistake: its place, its kind, and what is wrong with what to write instead.
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

// Add adds a mistake.
func (e *Errors) Add(pos Pos, id, format string, args ...any) {
	*e = append(*e, Error{pos, id, fmt.Sprintf(format, args...)})
}

// mistakes collects errors, each once: with a thousand zones one word is read a thousand times.
type mistakes struct {
	list Errors
	seen map[Error]bool
}

func (m *mistakes) add(pos Pos, id, format string, args ...any) {
	err := Error{pos, id, fmt.Sprintf(format, args...)}
	if m.seen[err] {
		return
	}
	if m.seen == nil {
		m.seen = map[Error]bool{}
	}
	m.seen[err] = true
	m.list = append(m.list, err)
}
