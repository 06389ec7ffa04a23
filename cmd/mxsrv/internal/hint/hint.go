// Package hint adds to an error what the user can type instead.
package hint

import (
	"errors"
	"fmt"
)

type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Add returns err with a hint, which is a command or a part of one. The text of err stays as it is.
func Add(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

// Of returns the hint that was added to err or to an error that it wraps, or "".
func Of(err error) string {
	var h hinted
	errors.As(err, &h)
	return h.hint
}
