package definition

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var zones = Zones{"example.org.", "example.com."}

func TestMistakes(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"unknown word", "\nhots a 192.0.2.1", `x:2: unknown word "hots": write host`},
		{"host without address", "host a", "x:1: usage: host NAME ADDRESS..."},
		{"mail without names", "mail 10 mx1", "x:1: usage: mail NAME... PREFERENCE HOST..., or mail NAME... none"},
		{"mail without exchanges", "mail @ sub", "x:1: usage: mail NAME... PREFERENCE HOST..., or mail NAME... none"},
		{"mail without host", "mail @ 10", `x:1: "10": write PREFERENCE HOST...`},
		{"preference that is none", "mail @ {\nten mx1\n}", `x:2: preference "ten": write a number from 0 to 65535`},
		{"root as exchange", "mail @ 0 .", `x:1: "." is no host: write "none" instead of numbers and hosts`},
		{"service without host", "service _a._tcp 0 0 389", `x:1: "0": write PRIORITY WEIGHT PORT HOST...`},
		{"service with few numbers", "service _a._tcp 0 389 ldap1", `x:1: "0": write PRIORITY WEIGHT PORT HOST...`},
		{"srv in a service", "service _a._tcp {\nsrv\n0 0 1 h\n}", `x:2: "srv": write PRIORITY WEIGHT PORT HOST..., none, open, check KIND, order ORDER or ttl TTL`},
		{"alias without host", "alias www", "x:1: usage: alias NAME... HOST"},
		{"stray word in a block", "host a 192.0.2.1 {\nweight 5\n}", `x:2: "weight": write ttl TTL, order ORDER, ptr, open, spf, tlsa, or nothing, in the block of host`},
		{"ptr with a word", "host a 192.0.2.1 {\nptr b\n}", "x:2: usage: ptr"},
		{"ptr with a block", "host a 192.0.2.1 {\nptr {\n}\n}", "x:2: usage: ptr"},
		{"ptr elsewhere", "alias a b {\nptr\n}", `x:2: "ptr": write ttl TTL, or nothing, in the block of alias`},
		{"block in a block", "mail @ {\n10 mx1 {\n}\n}", `x:2: "10": a line here has no block: delete the braces`},
		{"IPv4 in IPv6", "host a ::ffff:192.0.2.1", `x:1: "::ffff:192.0.2.1" is an IPv4 address in IPv6 form: write 192.0.2.1`},
		{"address with a zone", "host a fe80::1%eth0", `x:1: "fe80::1%eth0" is not an address: write one like 192.0.2.10 or 2001:db8::10`},
		{"addresses with commas", "host a 192.0.2.1, 2001:db8::1", `x:1: "192.0.2.1," is not an address: write 192.0.2.1`},
		{"address with a prefix", "host a 192.0.2.1/24", `x:1: "192.0.2.1/24" is not an address: write 192.0.2.1`},
		{"address with a port", "host a [2001:db8::1]:25", `x:1: "[2001:db8::1]:25" is not an address: write 2001:db8::1`},
		{"half an address", "host a 192.0.2/24", `x:1: "192.0.2/24" is not an address: write one like 192.0.2.10 or 2001:db8::10`},
		{"two default ttls", "ttl 1\nttl 2", "x:2: a second default ttl: write one, or a ttl in the blocks that differ"},
		{"two own ttls", "host a 192.0.2.1 {\nttl 1\nttl 2\n}", "x:3: a second ttl in one block: write one"},
		{"fraction", "ttl 1500ms", `x:1: ttl "1500ms": write whole seconds from 0 to 2147483647`},
		{"closed too often", "host a 192.0.2.1 {\n}\n}", `x:3: this "}" closes nothing: delete it, or open its block with "{"`},
		{"not closed", "mail @ {\n10 mx1\n", `x:1: this block is not closed: write "}" after its last line`},
		{"block of nothing", "{\n}", `x:1: this "{" belongs to no line: write the line's words before it`},
		{"nested deep", strings.Repeat("a {\n", 9), `x:9: blocks are nested 9 deep: close one with "}"`},
		{"open quote", "host \"a 192.0.2.1\nhost b 192.0.2.2\n", `x:1: the quote before "a 192.0.2.1" is not closed on its line: write "\"" after it`},
		{"comment of a zone file", "host a 192.0.2.1 ;why this\n; and\nmail @ ; this\n{\n10 mx1 ; first\n}\nhost b 192.0.2.1 {\nttl 60 ; short\n}",
			"x:1: \";why\": write \"#\" before a comment\nx:2: \";\": write \"#\" before a comment\nx:3: \";\": write \"#\" before a comment\n" +
				"x:5: \";\": write \"#\" before a comment\nx:8: \";\": write \"#\" before a comment"},
		{"empty word", "host \"\" 192.0.2.1\nmail @ \"\" mx1\nmail @ {\n\"\" mx1\n}", `x:1: "" is no word: write one, or set the variable of the Corefile that it comes from` + "\n" +
			`x:2: "" is no word: write one, or set the variable of the Corefile that it comes from` + "\n" +
			`x:4: "" is no word: write one, or set the variable of the Corefile that it comes from`},
		{"several words in one", `mail @ 10 "mx1 mx2"`, `x:1: "mx1 mx2" is one word, as quotes and variables make it: write each word by itself`},
		{"variable", "host {$ONE} 192.0.2.1", `x:1: "{$ONE}": only the Corefile has variables, written {$NAME}: write the value here`},
		{"comment of a zone file after a record", "record @ TXT \"v=spf1 -all\" ; SPF\nrecord a HTTPS 1 . ;why", `x:1: data of TXT: a lone ;: write "#" before a comment, and a text with blanks in quotes` +
			"\nx:2: data of HTTPS: \";why\": write \"#\" before a comment"},
		{"variable in a record", "record @ TXT \"a {$ONE}\"", `x:1: "a {$ONE}": only the Corefile has variables, written {$NAME}: write the value here`},
		{"variable of a shell, in a block", "mail @ {\n10 ${MX}\n}", `x:2: "${MX}": only the Corefile has variables, written {$NAME}: write the value here`},
		{"none with a preference", "mail @ 10 none\nmail sub {\n10 none\n}\nservice _a._tcp 0 0 1 none", `x:1: "none" takes no numbers: write it alone` + "\n" +
			`x:3: "none" takes no numbers: write it alone` + "\n" + `x:5: "none" takes no numbers: write it alone`},
		{"misspelled in blocks", "mail @ {\nnon\n}\nservice _a._tcp {\nTTL 60\n}\nhost a 192.0.2.1 {\ntlt 60\n}",
			"x:2: unknown word \"non\": write none\nx:5: unknown word \"TTL\": write ttl\nx:8: unknown word \"tlt\": write ttl"},
		{"block not closed before the next line", "mail @ {\n10 mx1\nhost mx1 192.0.2.1 {\nttl 60\n}\n}\nalias b a {\nhost a 192.0.2.1\n}",
			`x:3: "host" starts a statement: write "}" before it, to close the block` + "\n" + `x:8: "host" starts a statement: write "}" before it, to close the block`},
		{"several", "host a\nmail\nalias b", "x:1: usage: host NAME ADDRESS...\nx:2: usage: mail NAME... PREFERENCE HOST..., or mail NAME... none\nx:3: usage: alias NAME... HOST"},
		{"once, not for each zone", "host a..b 192.0.2.1", `x:1: "a..b" has an empty label: write one dot between labels`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, errs := Read("x", tc.text, zones)
			if got := errs.Error(); !strings.HasPrefix(got, tc.want) || strings.Contains(tc.want, "\n") && got != tc.want {
				t.Errorf("%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// TestSameMeaning: however it is written, it is read the same.
func TestSameMeaning(t *testing.T) {
	const plain = "mail @ sub {\n10 mx1\n20 mx2\nttl 60\n}\nhost mx1 192.0.2.1\n"
	want := owners(t, plain)
	for name, text := range map[string]string{
		"one line":           "mail @ sub 10 mx1 20 mx2 { ttl 60 }\nhost mx1 192.0.2.1\n",
		"groups on the line": "mail @ sub 10 mx1 20 mx2 {\nttl 60\n}\nhost mx1 192.0.2.1\n",
		"CRLF":               strings.ReplaceAll(plain, "\n", "\r\n"),
		"brace below":        strings.ReplaceAll(plain, " {", "\n{"),
		"byte order mark":    "\ufeff" + plain,
		"comments":           strings.ReplaceAll(plain, "\n", " # why\n# and\n"),
		"capitals":           strings.ReplaceAll(plain, "mx", "MX"),
		"quotes":             strings.ReplaceAll(plain, "mx1", `"mx1"`),
		"repeated":           plain + plain,
		"in two stanzas":     "mail @ sub 20 mx2\nmail @ sub 10 mx1 {\nttl 1m\n}\nhost mx1 192.0.2.1",
	} {
		t.Run(name, func(t *testing.T) {
			if got := owners(t, text); !reflect.DeepEqual(got, want) {
				t.Errorf("%v\nwant\n%v", got, want)
			}
		})
	}
}

// owners reads definitions and returns what each name means, without positions.
func owners(t *testing.T, text string) map[Name]string {
	t.Helper()
	set, errs := Read("x", text, zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	all := map[Name]string{}
	for o := range set.Index().Owners() {
		var b strings.Builder
		ttl := o.MailTTL()
		for _, e := range o.Exchanges() {
			b.WriteString(strings.Join([]string{string(e.Host), string(rune('0' + e.Preference/10)), string(rune('0' + ttl/60))}, " "))
		}
		for _, a := range o.Addrs() {
			b.WriteString(a.String())
		}
		all[o.Name()] = b.String()
	}
	return all
}

func TestParseName(t *testing.T) {
	l63, l64 := strings.Repeat("a", 63), strings.Repeat("a", 64)
	n255 := strings.Repeat(l63+".", 3) + strings.Repeat("a", 61) + "."
	for _, tc := range []struct {
		in         string
		zone, want Name
	}{
		{"@", "example.org.", "example.org."},
		{"mx1", "example.org.", "mx1.example.org."},
		{"MX1.Sub", "example.org.", "mx1.sub.example.org."},
		{"mx.example.net.", "example.org.", "mx.example.net."},
		{"mx", ".", "mx."},
		{"@", ".", "."},
		{l63, "example.org.", Name(l63 + ".example.org.")},
		{l64, "example.org.", ""},
		{"a." + l63 + ".", "example.org.", Name("a." + l63 + ".")},
		{"a." + l64 + ".", "example.org.", ""},
		{n255, "example.org.", Name(n255)},
		{"a" + n255, "example.org.", ""},
		{"a..b", "example.org.", ""},
		{"a..", "example.org.", ""},
		{".a", "example.org.", ""},
		{"", "example.org.", ""},
		{`a\.b`, "example.org.", ""},
		{"a b", "example.org.", ""},
		{"b\u00fccher", "example.org.", ""},
		{"a\x00b", "example.org.", ""},
	} {
		if got, err := ParseName(tc.in, tc.zone); got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%q in %s: %q, %v, want %q", tc.in, tc.zone, got, err, tc.want)
		}
	}
}

func TestZones(t *testing.T) {
	set, errs := Read("x", "mail @ 10 mx1\nmail sub.example.com. 10 mx1", zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for owner, want := range map[Name]Name{
		"example.org.": "mx1.example.org.", "example.com.": "mx1.example.com.", "sub.example.com.": "mx1.example.com.",
	} {
		o := set.Index().At(owner)
		if len(o.Mails()) == 0 || o.Exchanges()[0].Host != want {
			t.Errorf("%s: %v, want the exchange %s", owner, o, want)
		}
	}
}

// TestSRV: srv publishes all exchanges of the domain, wherever they were said.
func TestSRV(t *testing.T) {
	set, _ := Read("x", "mail @ {\n10 mx1\nsrv\n}\nmail @ 20 mx2\nmail no none\nmail no {\nnone\nsrv\n}", zones)
	index := set.Index()
	got := index.At("_smtp._tcp.example.org.").Targets()
	if len(got) != 2 || got[1].Host != "mx2.example.org." || got[1].Priority != 20 || got[1].Weight != 0 || got[1].Port != 25 {
		t.Errorf("%v, want mx1 and mx2", got)
	}
	if o := index.At("_smtp._tcp.no.example.org."); len(o.Targets()) != 0 || len(o.Services()) != 1 {
		t.Errorf("%v, want a service that is not offered", o)
	}
}

func TestTTL(t *testing.T) {
	for _, tc := range []struct {
		text string
		want uint32
	}{
		{"host a 192.0.2.1", 3600},
		{"host a 192.0.2.1\nttl 5m", 300},
		{"ttl 5m\nhost a 192.0.2.1 {\nttl 0\n}", 0},
		{"host a 192.0.2.1 {\nttl 60\n}\nhost a 192.0.2.2", 60},
		{"host a 192.0.2.1 {\nttl 60\n}\nhost a 192.0.2.2 {\nttl 30\n}", 60},
	} {
		set, errs := Read("x", tc.text, zones)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if got := set.Index().At("a.example.org.").HostTTL(); got != tc.want {
			t.Errorf("%q: %d, want %d", tc.text, got, tc.want)
		}
	}
}

// seeds returns the examples of all rules.
func seeds(f *testing.F) []string {
	paths, err := filepath.Glob("../lint/testdata/*.txt")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	var texts []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	texts = append(texts, hung)
	return texts
}

// FuzzRead: any text is read without a panic, twice the same, and every name in
// the set is one that ParseName makes.
func FuzzRead(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		text := string(in)
		set, errs := Read("x", text, zones)
		again, errsAgain := Read("x", text, zones)
		if !reflect.DeepEqual(set, again) || !reflect.DeepEqual(errs, errsAgain) {
			t.Fatalf("read twice, with different results")
		}
		for o := range set.Index().Owners() {
			if n, err := ParseName(string(o.Name()), "."); err != nil || n != o.Name() {
				t.Errorf("owner %q: %q, %v", o.Name(), n, err)
			}
		}
	})
}

// TestSMTPTTL: the service that srv publishes has the TTL of the mail domain,
// wherever that was given.
func TestSMTPTTL(t *testing.T) {
	set, errs := Read("x", "mail @ 10 mx1 {\n srv\n}\nmail @ 20 mx2 {\n ttl 60\n}", Zones{"example.org."})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ttl := set.Index().At("_smtp._tcp.example.org.").ServiceTTL(); ttl != 60 {
		t.Errorf("TTL %d, want 60", ttl)
	}
}
