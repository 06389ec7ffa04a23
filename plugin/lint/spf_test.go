package lint

import (
	"strings"
	"testing"
)

// TestSPFTerms: what is no term of an SPF record, and what to write instead; and what is one.
func TestSPFTerms(t *testing.T) {
	const domain, ip4 = "include:DOMAIN", "ip4:ADDRESS or ip4:ADDRESS/LENGTH, like ip4:192.0.2.0/24"
	for term, want := range map[string]string{
		"all": "", "-ALL": "", "all:": "all alone", "all/24": "all alone",
		"include:_spf.example.net": "", "include:example.net.": "", "include:%{d}": "", "include:%{d2}.example.net": "",
		"include": domain, "include:": domain, "include:net": domain, "include:example.123": domain, "include:a.-b": domain,
		"include:a.b-": domain, "include:a.b_c": domain, "include:.": domain, "include:a..": domain,
		"include:a.b\x80":        domain,
		"include:example.net/24": domain, "include:%": domain, "include:%{": domain, "include:%{d": domain,
		"include:%{}":  domain,
		"include:%{x}": domain, "include:%{dx}": domain, "include:%{drr}": domain, "include:%{dr2}": domain,
		"include:%a.b":    domain,
		"include:%{d}com": domain, "include:%{D10R.-+,/_=}": "", "include:%%%_%-.a.b": "", "include:%{d}.com": "",
		"exists:%{i}._spf.%{d}": "", "exists": "exists:DOMAIN", "exists/24": "exists:DOMAIN",
		"a": "", "A": "", "a/0": "", "a/32": "", "a//0": "", "a//128": "", "a/32//128": "", "a:a.b/24//64": "",
		"a:%{d/}/24": "",
		"a/33":       "a, a:DOMAIN or a:DOMAIN/24//64", "a//129": "a, a:DOMAIN or a:DOMAIN/24//64",
		"a/024": "a, a:DOMAIN or a:DOMAIN/24//64", "a/": "a, a:DOMAIN or a:DOMAIN/24//64",
		"a/24/24": "a, a:DOMAIN or a:DOMAIN/24//64", "a:": "a, a:DOMAIN or a:DOMAIN/24//64",
		"a:/24": "a, a:DOMAIN or a:DOMAIN/24//64", "a:a.b/99999999999999999999": "a, a:DOMAIN or a:DOMAIN/24//64",
		"mx": "", "~mx:a.b": "", "mx:192.0.2.1": "mx, mx:DOMAIN or mx:DOMAIN/24//64",
		"ptr": "", "?ptr:a.b": "", "ptr/24": "ptr:DOMAIN",
		"ip4:192.0.2.1": "", "ip4:192.0.2.1/32": "", "IP4:0.0.0.0/0": "", "ip4": ip4, "ip4/24": ip4, "ip4:": ip4,
		"ip4:192.0.2":     ip4,
		"ip4:192.0.2.256": ip4, "ip4:192.0.2.01": ip4, "ip4:192.0.2.1/33": ip4, "ip4:192.0.2.1/": ip4,
		"ip4:192.0.2.1/24/24": ip4,
		"ip4:2001:db8::1":     `"ip6:2001:db8::1"`, "ip4:2001:db8::/64": `"ip6:2001:db8::/64"`,
		"ip6:2001:db8::1": "", "ip6:::/0": "", "ip6:::ffff:192.0.2.1/128": "", "ip6:192.0.2.1": `"ip4:192.0.2.1"`,
		"ip6:fe80::1%eth0": "ip6:ADDRESS or ip6:ADDRESS/LENGTH, like ip6:2001:db8::/32",
		"ip6:::1/129":      "ip6:ADDRESS or ip6:ADDRESS/LENGTH, like ip6:2001:db8::/32",
		"redirect=a.b":     "", "redirect=": "redirect=DOMAIN", "exp=%{d}": "", "exp=x": "exp=DOMAIN", "other.-_1=": "",
		"=x": "NAME=VALUE", "1x=y": "NAME=VALUE", "+exp=a.b": "NAME=VALUE", "ä=y": "NAME=VALUE",
		"include=a.b":    `"include:a.b"`,
		"ipv4:192.0.2.1": `"ip4:192.0.2.1"`, "exist:a.b": `"exists:a.b"`, "192.0.2.1": `"ip4:192.0.2.1"`,
		"2001:db8::/32": `"ip6:2001:db8::/32"`, "-all;": `"-all"`, "-al": `"-all"`, "~ip4:::1": `"~ip6:::1"`,
		"?ipv6:::1": `"?ip6:::1"`,
		"-":         "one of include, all, a, mx, ip4, ip6, exists, ptr, redirect=, exp=",
		"x":         "one of include, all, a, mx, ip4, ip6, exists, ptr, redirect=, exp=",
	} {
		if got := parseTerm(term).wrong(); got != want {
			t.Errorf("%q: write %q, want %q", term, got, want)
		}
	}
}

// FuzzSPF: any text is judged, terms are what is between blanks, and what is to be written instead of one is right.
func FuzzSPF(f *testing.F) {
	for _, seed := range []string{"mx -all", "a:%{d}/24//64 include:x redirect=%{i}.y", "ip4=1 ip6:192.0.2.1 ?all:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var words []string
		for term := range termsOf(spfVersion + " " + text) {
			words = append(words, term.text)
			term.domain("example.org.")
			want := term.wrong()
			if instead := strings.Trim(want, `"`); strings.HasPrefix(want, `"ip`) && parseTerm(instead).wrong() == want {
				t.Errorf("instead of %q write %s, which is no better", term.text, want)
			}
		}
		if got, want := strings.Join(words, " "), strings.Join(strings.FieldsFunc(text, isBlank), " "); got != want {
			t.Errorf("terms %q, want %q", got, want)
		}
	})
}

func isBlank(r rune) bool { return r == ' ' }
