package definition

import (
	"strings"
	"testing"
)

// TestTTLForms: seconds, durations of Go, and those of master files, in each place.
func TestTTLForms(t *testing.T) {
	for _, tc := range []struct {
		word    string
		seconds uint32
		want    string
	}{
		{"0", 0, ""},
		{"300", 300, ""},
		{"1h30m", 5400, ""},
		{"1.5h", 5400, ""},
		{"1d", 86400, ""},
		{"1w", 604800, ""},
		{"1d12h", 129600, ""},
		{"1W2D3H4M5S", 788645, ""},
		{"2w1m", 1209660, ""},
		{"0d", 0, ""},
		{"24855d", 24855 * 86400, ""},
		{"2147483647", 1<<31 - 1, ""},
		{"2147483648", 0, "write whole seconds from 0 to 2147483647"},
		{"24856d", 0, "write whole seconds from 0 to 2147483647"},
		{"4294967295w", 0, "write whole seconds from 0 to 2147483647"},
		{"1d500ms", 0, "write whole seconds from 0 to 2147483647"},
		{"1d-1h", 0, "write whole seconds from 0 to 2147483647"},
		{"-1d", 0, "write seconds, or a duration like 1h30m or 1d"},
		{"1y", 0, "write seconds, or a duration like 1h30m or 1d"},
		{"d", 0, "write seconds, or a duration like 1h30m or 1d"},
		{"1d5", 0, "write seconds, or a duration like 1h30m or 1d"},
		{"1h1d", 0, "write seconds, or a duration like 1h30m or 1d"},
	} {
		for _, text := range []string{"ttl T\nhost a 192.0.2.1", "host a 192.0.2.1 {\nttl T\n}"} {
			set, errs := Read("x", strings.Replace(text, "T", tc.word, 1), Zones{"example.org."})
			switch {
			case tc.want == "" && (len(errs) > 0 || set.Hosts[0].TTL.Seconds != tc.seconds):
				t.Errorf("%s: %d %v, want %d", tc.word, set.Hosts[0].TTL.Seconds, errs, tc.seconds)
			case tc.want != "" && (len(errs) != 1 || !strings.Contains(errs[0].Text, tc.want)):
				t.Errorf("%s: %v, want %q", tc.word, errs, tc.want)
			}
		}
	}
}
