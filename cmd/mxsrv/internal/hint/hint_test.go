package hint

import (
	"errors"
	"fmt"
	"testing"
)

func TestHint(t *testing.T) {
	cause := errors.New("no such zone")
	err := Add(cause, "--zone %s", "example.org")
	if !errors.Is(err, cause) {
		t.Errorf("%v does not wrap its cause", err)
	}
	for _, test := range []struct {
		err        error
		text, hint string
	}{
		{err, "no such zone", "--zone example.org"},
		{fmt.Errorf("render: %w", err), "render: no such zone", "--zone example.org"},
		{errors.New("no such file"), "no such file", ""},
	} {
		if got := Of(test.err); got != test.hint || test.err.Error() != test.text {
			t.Errorf("%q with hint %q, want %q with hint %q", test.err, got, test.text, test.hint)
		}
	}
}
