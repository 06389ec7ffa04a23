package definition

import (
	"fmt"
	"testing"
)

// TestCheckLine: the check of a stanza, in each zone. Names of one zone share it.
func TestCheckLine(t *testing.T) {
	set, errs := Read("x", "mail @ sub {\n10 mx1\ncheck https / www\n}\nservice _s._tcp 0 0 1 mx1 {\ncheck tcp\n}\n"+
		"service _s._tcp 0 0 1 mx1", zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := []string{
		"example.org. https / www.example.org.", "example.com. https / www.example.com.",
		"sub.example.org. https / www.example.org.", "sub.example.com. https / www.example.com.",
	}
	checks := make(map[string]*Check)
	for i := range want {
		m := &set.Mails[i]
		said := m.Check.String()
		if got := string(m.Owner) + " " + said; got != want[i] {
			t.Errorf("%s, want %s", got, want[i])
		}
		checks[said] = m.Check
	}
	if m := set.Mails; m[0].Check != m[2].Check || m[1].Check != m[3].Check {
		t.Error("names of a zone do not share a check")
	}
	if checks["https / www.example.org."] == checks["https / www.example.com."] {
		t.Error("two zones share a check")
	}
	s := set.Services
	if s[0].Check == nil || s[0].Check != s[1].Check || s[2].Check != nil {
		t.Errorf("services have %v, %v and %v: want one check for the first two, and none", s[0].Check, s[1].Check, s[2].Check)
	}
}

// TestCheckAndDrainMistakes: what is wrong with a check or a drain, and what to write instead.
func TestCheckAndDrainMistakes(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"mail @ 10 mx1 {\ncheck\n}", "x:2: usage: check tcp|tls|smtp|http|https"},
		{"mail @ 10 mx1 {\ncheck smpt\n}", `x:2: unknown word "smpt": write smtp`},
		{"mail @ 10 mx1 {\ncheck ping\n}", `x:2: unknown word "ping": write one of tcp, tls, smtp, http, https`},
		{"mail @ 10 mx1 {\ncheck smtp\ncheck tcp\n}", "x:3: a second check in one block: write one"},
		{"mail @ none {\ncheck smtp\n}", "x:2: check is for targets: delete it, or write some instead of none"},
		{"service _s._tcp none {\ncheck tcp\n}", "x:2: check is for targets: delete it, or write some instead of none"},
		{"mail @ 10 mx1 {\nchek smtp\n}", `x:2: unknown word "chek": write check`},
		{"mail @ 10 mx1 {\ncheck smtp {\n}\n}", `x:2: "check": a line here has no block: delete the braces`},
		{"host a 192.0.2.1 {\ncheck tcp\n}", `x:2: "check": write it into the block of mail or service`},
		{"drain", "x:1: usage: drain HOST..."},
		{"drain a {\nttl 1\n}", "x:1: usage: drain HOST..."},
		{"drain 192.0.2.1 2001:db8::1", `x:1: "192.0.2.1" is an address: write the name of the host that has it` + "\n" +
			`x:1: "2001:db8::1" is an address: write the name of the host that has it`},
		{"drain *.apps", "x:1: drain *.apps.example.org.: no answer points to it: write the names that answers have"},
		{"drain .", "x:1: drain .: no answer points to it: write the names that answers have"},
		{"drain a..b", `x:1: "a..b" has an empty label: write one dot between labels`},
		{"mail @ 10 mx1 {\n drain mx1\n}", `x:2: "drain" starts a statement: write "}" before it, to close the block`},
	} {
		set, errs := Read("x", tc.text, Zones{"example.org."})
		if got := errs.Error(); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.text, got, tc.want)
		}
		if len(set.Drains) > 0 {
			t.Errorf("%s: drains %v", tc.text, fmt.Sprint(set.Drains))
		}
	}
}
