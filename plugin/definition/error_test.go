package definition_test

import (
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestLongWords: errors quote no more than 80 characters of a word, wherever it stands.
func TestLongWords(t *testing.T) {
	a, zone := strings.Repeat("ä", 1<<16), definition.Zones{"example.org."}
	for name, text := range map[string]string{
		"first word":  a,
		"owner":       "host " + a + " 192.0.2.1",
		"long label":  "host " + strings.Repeat("a", 1<<16) + " 192.0.2.1",
		"many labels": "host " + strings.Repeat("a.", 1<<16) + " 192.0.2.1",
		"address":     "host a " + a,
		"zone of one": "mail @ 10 fe80::1%" + a,
		"target":      "mail @ 10 " + a,
		"preference":  "mail @ 10" + strings.Repeat("0", 1<<16) + " mx1",
		"number":      "service _imap._tcp 0 0 1" + strings.Repeat("0", 1<<16) + " mx1",
		"alias":       "alias a " + a,
		"ttl":         "ttl " + a,
		"quote":       "host \"" + a + "\n\" 192.0.2.1",
		"in a block":  "mail @ {\n" + a + " mx1 " + a + "\n}",
		"its own":     "host a 192.0.2.1 {\n" + a + "\n}",
	} {
		t.Run(name, func(t *testing.T) {
			_, errs := definition.Read("a.conf", text, zone)
			if got := errs.Error(); len(errs) == 0 || len(got) > len(errs)*600 {
				t.Errorf("%d errors of %d octets: %.300s", len(errs), len(got), got)
			}
		})
	}
	_, errs := definition.Read("a.conf", a, zone)
	if want := `unknown word "` + a[:160] + `...": write one of`; len(errs) != 1 || !strings.HasPrefix(errs[0].Text, want) {
		t.Errorf("%.400v\nwant %s", errs, want)
	}
}

// TestManyMistakes: of a kind 20 are kept, and the last says how many more there are.
func TestManyMistakes(t *testing.T) {
	text := strings.Repeat("hots a 192.0.2.1\n", 500000) + "host a 192.0.2\nhost a..b 192.0.2.1\n"
	_, errs := definition.Read("a.conf", text, definition.Zones{"example.org.", "example.net."})
	if len(errs) != 21 {
		t.Fatalf("%d errors, want 21", len(errs))
	}
	for i, want := range map[int]string{
		0:  `a.conf:1: unknown word "hots": write host`,
		19: `a.conf:20: unknown word "hots": write host (and 499981 more like this)`,
		20: `a.conf:500002: "a..b" has an empty label: write one dot between labels`,
	} {
		if got := errs[i].Error(); got != want {
			t.Errorf("%d: %s\nwant %s", i, got, want)
		}
	}
}
