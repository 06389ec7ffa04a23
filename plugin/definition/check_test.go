package definition

import (
	"strings"
	"testing"
)

var parseCheckTests = []struct {
	words string
	want  Check
	text  string // printed; "": words
	err   string
}{
	{words: "tcp", want: Check{Protocol: CheckTCP}},
	{words: "tls", want: Check{Protocol: CheckTLS}},
	{words: "smtp", want: Check{Protocol: CheckSMTP}},
	{words: "smtp starttls", want: Check{Protocol: CheckSMTP, StartTLS: true}},
	{words: "http /", want: Check{Protocol: CheckHTTP, Path: "/"}},
	{words: "http /a%20b?c=d&e 204", want: Check{Protocol: CheckHTTP, Path: "/a%20b?c=d&e", Status: 204}},
	{words: "http /redirect 301", want: Check{Protocol: CheckHTTP, Path: "/redirect", Status: 301}},
	{words: "https /", want: Check{Protocol: CheckHTTPS, Path: "/"}},
	{words: "https / 200", want: Check{Protocol: CheckHTTPS, Path: "/", Status: 200}},
	{words: "https / insecure", want: Check{Protocol: CheckHTTPS, Path: "/", Insecure: true}},
	{words: "https / www", want: Check{Protocol: CheckHTTPS, Path: "/", Name: "www.example.org."},
		text: "https / www.example.org."},
	{words: "https / @", want: Check{Protocol: CheckHTTPS, Path: "/", Name: "example.org."}, text: "https / example.org."},
	{words: "https / 3com.example.", want: Check{Protocol: CheckHTTPS, Path: "/", Name: "3com.example."}},
	{words: "https /h 599 WWW.example.net. insecure",
		want: Check{CheckHTTPS, false, "/h", 599, "www.example.net.", true}, text: "https /h 599 www.example.net. insecure"},

	{words: "", err: "usage: check tcp|tls|smtp|http|https"},
	{words: "ldap", err: `unknown word "ldap": write one of tcp, tls, smtp, http, https`},
	{words: "stmp", err: `unknown word "stmp": write smtp`},
	{words: "tcp 25", err: "usage: check tcp"},
	{words: "tls insecure", err: "usage: check tls"},
	{words: "smtp tls", err: "usage: check smtp [starttls]"},
	{words: "smtp starttls starttls", err: "usage: check smtp [starttls]"},
	{words: "http", err: "usage: check http PATH [STATUS]"},
	{words: "https", err: "usage: check https PATH [STATUS] [NAME] [insecure]"},
	{words: "http / 200 www", err: "usage: check http PATH [STATUS]"},
	{words: "http / www", err: "usage: check http PATH [STATUS]"},
	{words: "https / insecure www", err: "usage: check https PATH [STATUS] [NAME] [insecure]"},
	{words: "http health", err: `path "health": write one that begins with a slash, like /health`},
	{words: "http http://www/", err: `path "http://www/": write one that begins with a slash, like /health`},
	{words: "http /{x}", err: `path "/{x}": write what is no letter, digit or punctuation of a URL as %XX`},
	{words: "http /%zz", err: `path "/%zz": write what is no letter, digit or punctuation of a URL as %XX`},
	{words: "http /ü", err: `path "/ü": write what is no letter, digit or punctuation of a URL as %XX`},
	{words: "http /#top", err: `path "/#top": write what is no letter, digit or punctuation of a URL as %XX`},
	{words: "http / 199", err: `status "199": write a number from 200 to 599, or none for any 2xx`},
	{words: "http / 600", err: `status "600": write a number from 200 to 599, or none for any 2xx`},
	{words: "http / 2xx", err: `status "2xx": write a number from 200 to 599, or none for any 2xx`},
	{words: "https / 200 192.0.2.1", err: `"192.0.2.1" is an address: write the name that the certificate has`},
	{words: "https / 192.0.2.1", err: `"192.0.2.1" is an address: write the name that the certificate has`},
	{words: "https / 2001:db8::1", err: `status "2001:db8::1": write a number from 200 to 599, or none for any 2xx`},
	{words: "https / *.example.org.", err: `"*.example.org." is no name of a server: write one that the certificate has`},
	{words: "https / a..b", err: `"a..b" has an empty label: write one dot between labels`},
}

// TestParseCheck: what is read is printed so that it reads the same in any zone.
func TestParseCheck(t *testing.T) {
	for _, tc := range parseCheckTests {
		t.Run(tc.words, func(t *testing.T) {
			got, err := ParseCheck(strings.Fields(tc.words), "example.org.")
			if err != nil || tc.err != "" {
				if err == nil || err.Error() != tc.err || got != (Check{}) {
					t.Fatalf("%v, %v, want %s", got, err, tc.err)
				}
				return
			}
			text := tc.text
			if text == "" {
				text = tc.words
			}
			if got != tc.want || got.String() != text {
				t.Errorf("%#v, printed %q, want %#v, printed %q", got, got, tc.want, text)
			}
			if again, err := ParseCheck(strings.Fields(got.String()), "example.net."); again != got {
				t.Errorf("printed and read again: %#v, %v", again, err)
			}
		})
	}
}

// TestParseCheckEmptyWord: quoted words may be empty.
func TestParseCheckEmptyWord(t *testing.T) {
	for _, words := range [][]string{{""}, {"smtp", ""}, {"http", ""}, {"http", "/", ""}, {"https", "/", ""}} {
		if got, err := ParseCheck(words, "example.org."); err == nil {
			t.Errorf("%q: %v, want an error", words, got)
		}
	}
}

// FuzzParseCheck: what reads prints as words that read the same.
func FuzzParseCheck(f *testing.F) {
	for _, tc := range parseCheckTests {
		f.Add(tc.words)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseCheck(strings.Split(text, " "), "example.org.")
		if err != nil {
			return
		}
		if again, err := ParseCheck(strings.Fields(got.String()), "."); again != got {
			t.Errorf("%q is %#v, and printed and read again %#v, %v", text, got, again, err)
		}
	})
}
