package lint

import (
	"strings"
	"testing"
)

// TestIgnore: warnings of a rule are accepted, its errors are not.
func TestIgnore(t *testing.T) {
	const definitions = "mail @ 10 mx1.example.org mx2 gone\nhost mx2 127.0.0.1\nmail sub 10 mx2"
	all := text(find(definitions, "", ""))
	got := text(find(definitions, "", "ignore address-special\nignore final-dot-missing\nignore mail-single-host"))
	for _, id := range []string{"address-special", "mail-single-host"} {
		if !strings.Contains(all, id) || strings.Contains(got, id) {
			t.Errorf("%s is in\n%s\nand must not be in\n%s", id, all, got)
		}
	}
	for _, want := range []string{`error: write "mx1.example.org." with its final dot: `, "[target-undefined"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
}

// TestIgnorable: who writes a rule that is not there gets the nearest one.
func TestIgnorable(t *testing.T) {
	for _, tc := range []struct{ id, want string }{
		{"mail-single-host", ""},
		{"target-undefined", ""},
		{"mail-wildcard", ""},
		{"mx-target-alias", "mx-target-alias is an error, and only warnings can be ignored"},
		{"mail-single-hosts", `unknown rule "mail-single-hosts": the nearest is mail-single-host`},
		{"adress-special", `unknown rule "adress-special": the nearest is address-special`},
		{"Mail-Wildcard", `unknown rule "Mail-Wildcard": the nearest is mail-wildcard`},
		{"syntax", "syntax is an error, and only warnings can be ignored"},
	} {
		err := Ignorable(tc.id, Rules())
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.id, err, tc.want)
		}
	}
}
