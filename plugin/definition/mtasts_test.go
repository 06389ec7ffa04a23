package definition

import (
	"reflect"
	"strings"
	"testing"
)

const policyText = "version: STSv1\nmode: enforce\nmx: mx1.example.org\nmx: *.Mail.example.net\nmax_age: 604800\n"

// TestParsePolicy: what senders understand is understood, and nothing else.
func TestParsePolicy(t *testing.T) {
	want := Policy{Mode: Enforce, MaxAge: 604800, MX: []string{"mx1.example.org", "*.mail.example.net"}}
	for name, text := range map[string]string{
		"as in the RFC":   policyText,
		"CRLF":            strings.ReplaceAll(policyText, "\n", "\r\n"),
		"no last line":    strings.TrimSuffix(policyText, "\n"),
		"blanks":          strings.ReplaceAll(strings.ReplaceAll(policyText, ": ", ":\t "), "\n", " \n"),
		"no blanks":       strings.ReplaceAll(policyText, ": ", ":"),
		"empty lines":     strings.ReplaceAll(policyText, "\n", "\n\n"),
		"other order":     "max_age: 604800\nmx: mx1.example.org\nmode: enforce\nmx: *.mail.example.net\nversion: STSv1\n",
		"unknown keys":    "x-key: 1\n" + policyText + "later: mode: none\n",
		"the first holds": policyText + "mode: none\nmax_age: none\nversion: STSv2\n",
	} {
		got, err := ParsePolicy(text)
		if err != nil || len(got.ID) != 20 || !IsPolicyID(got.ID) {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		if got.ID = ""; !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %v, want %v", name, *got, want)
		}
	}
	if p, err := ParsePolicy("version: STSv1\nmode: none\nmax_age: 0\n"); err != nil || p.Mode != NoMode {
		t.Errorf("%v, %v, want a policy that is withdrawn", p, err)
	}
}

func TestBadPolicies(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"version: STSv1\n", "", "it has no version: write a line with one (RFC 8461 §3.2)"},
		{"mode: enforce\n", "", "it has no mode: write a line with one (RFC 8461 §3.2)"},
		{"max_age: 604800\n", "", "it has no max_age: write a line with one (RFC 8461 §3.2)"},
		{"mx: mx1.example.org\nmx: *.Mail.example.net\n", "", "it has no mx: write a line with one (RFC 8461 §3.2)"},
		{"STSv1", "STSv2", "line 1: no such version: write version: STSv1"},
		{"version", "\ufeffversion", "line 1: a byte order mark, with which senders find no version: save it without one"},
		{"enforce", "secret", "line 2: no such mode: write mode: enforce, testing or none"},
		{"604800", "31557601", "line 5: no such time: write max_age: and seconds up to 31557600"},
		{"604800", "1w", "line 5: no such time: write max_age: and seconds up to 31557600"},
		{"604800", "-1", "line 5: no such time: write max_age: and seconds up to 31557600"},
		{"mx1.example.org", "mx1.example.org.", `line 3: no host: write mx: and the name of one without a final dot, of which "*" may be the first label`},
		{"mx1.example.org", "", `line 3: no host: write mx: and the name of one without a final dot, of which "*" may be the first label`},
		{"mx1.example.org", "mx1 secret", `line 3: no host: write mx: and the name of one without a final dot, of which "*" may be the first label`},
		{"*.Mail", "mx.*.mail", `line 4: no host: write mx: and the name of one without a final dot, of which "*" may be the first label`},
		{"*.Mail", "*.*.mail", `line 4: no host: write mx: and the name of one without a final dot, of which "*" may be the first label`},
		{"*.Mail.example.net", "@", `line 4: no host: write mx: and the name of one without a final dot, of which "*" may be the first label`},
		{"mode: ", "mode ", "line 2: no colon: write KEY: VALUE"},
	} {
		text := strings.Replace(policyText, tc.old, tc.new, 1)
		_, errs := readWith("mail m 10 mx1 {\nmta-sts p.txt\n}", map[string]string{"p.txt": text})
		if len(errs) != 1 || errs[0].Error() != `x:2: "p.txt": `+tc.want || errs[0].ID != MTASTSPolicy {
			t.Errorf("%q: %v\nwant\n%s", text, errs, tc.want)
		}
	}
}

// TestPolicyOfMail: the owners of a statement have the policy of its file, and its id in their record.
func TestPolicyOfMail(t *testing.T) {
	files := map[string]string{"p.txt": policyText, "q.txt": policyText + "x: y\n"}
	set, errs := readWith("mail a b 10 mx1 {\nmta-sts p.txt web\n}\nmail c 10 mx1 {\nmta-sts q.txt\n}\nmail d 10 mx1 {\nmta-sts id=x\n}", files)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	m := set.Mails
	if m[0].Policy != m[1].Policy || m[0].Policy.ID == m[2].Policy.ID || m[3].Policy != nil {
		t.Errorf("policies %v, %v, %v and %v", m[0].Policy, m[1].Policy, m[2].Policy, m[3].Policy)
	}
	missing, errs := readWith("mail a 10 mx1 {\nmta-sts missing.txt\n}", files)
	if p := missing.Mails[0].Policy; len(errs) != 1 || !reflect.DeepEqual(p, &Policy{Mode: NoMode}) {
		t.Errorf("of a file that is missing: %v, %v", p, errs)
	}
	want := "_mta-sts.a TXT \"v=STSv1; id=" + m[0].Policy.ID + "\""
	if got := declared(t, set); !strings.Contains(got, want) || !strings.Contains(got, "mta-sts.b CNAME web") || strings.Contains(got, "mta-sts.c CNAME") {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestCovers(t *testing.T) {
	p, err := ParsePolicy(policyText)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[Name]bool{
		"mx1.example.org.": true, "mx2.example.org.": false, "a.mx1.example.org.": false, "example.org.": false,
		"a.mail.example.net.": true, "a.b.mail.example.net.": false, "mail.example.net.": false, "amail.example.net.": false, ".": false,
	} {
		if p.Covers(host) != want {
			t.Errorf("%s: %v, want %v", host, !want, want)
		}
	}
}

// TestPolicyText: the policy of exchanges covers them, and is read as it is written.
func TestPolicyText(t *testing.T) {
	set := one(t, "mail m {\n20 b mx.example.net.\n10 a b\n}")
	p := NewPolicy(Testing, 86400, set.Index().At("m.example.org.").Exchanges())
	const want = "version: STSv1\r\nmode: testing\r\nmx: a.example.org\r\nmx: b.example.org\r\nmx: mx.example.net\r\nmax_age: 86400\r\n"
	if got := p.Text(); got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	again, err := ParsePolicy(p.Text())
	if err != nil {
		t.Fatal(err)
	}
	if p.ID = again.ID; !reflect.DeepEqual(again, p) {
		t.Errorf("read as %v, want %v", again, p)
	}
}

// FuzzPolicy: a policy that is read is written and read again as the same.
func FuzzPolicy(f *testing.F) {
	f.Add(policyText)
	f.Add("version:STSv1\r\n\r\nmode:none\rmax_age: 1\nmx: *.a")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if err != nil {
			return
		}
		again, err := ParsePolicy(p.Text())
		if err != nil {
			t.Fatalf("%q: %v", p.Text(), err)
		}
		if again.ID = p.ID; !reflect.DeepEqual(p, again) {
			t.Errorf("%v, want %v", again, p)
		}
	})
}
