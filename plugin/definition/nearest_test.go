package definition

import (
	"strings"
	"testing"
)

// TestNearest: what is meant by a word that is misspelled; and that nothing is by one that is another word.
func TestNearest(t *testing.T) {
	words := []string{"alias", "authoritative", "host", "mail", "service", "ttl"}
	for _, tc := range []struct {
		word, want string
		near       bool
	}{
		{"host", "host", true},
		{"HOST", "host", true},
		{"hosst", "host", true},
		{"hst", "host", true},
		{"hots", "host", true},
		{"hist", "host", true},
		{"hats", "host", false},
		{"list", "host", false},
		{"serivce", "service", true},
		{"sevrices", "service", true},
		{"authorative", "authoritative", true},
		{"tl", "ttl", true},
		{"", "ttl", false},
		{"forward", "host", false},
	} {
		if got, near := Nearest(tc.word, words); near != tc.near || near && got != tc.want {
			t.Errorf("%q: %s, near %v, want %s, %v", tc.word, got, near, tc.want, tc.near)
		}
	}
	if got, near := Nearest("host", nil); got != "" || near {
		t.Errorf("%q, near %v of no words", got, near)
	}
}

// TestDistance: an octet more, less or other, and two that are swapped, each counts one.
func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "axc", 1}, {"abc", "ac", 1}, {"ac", "abc", 1},
		{"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "badc", 2}, {"ca", "abc", 3},
	} {
		if got := Distance(tc.a, tc.b); got != tc.want {
			t.Errorf("from %q to %q: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

const zoneFile = `this is a zone file: convert it with mxsrv import or, if it is for the file plugin, write the "}" of ` +
	`mxsrv before the line that names it`

// TestOtherLanguages: lines as other programs have them, with what to write instead.
func TestOtherLanguages(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"mx @ 10 mx1", `unknown word "mx": write mail NAME... PREFERENCE HOST...`},
		{"MX @ 10 mx1", `unknown word "MX": write mail NAME... PREFERENCE HOST...`},
		{"a mx1 192.0.2.1", `unknown word "a": write host NAME ADDRESS...`},
		{"AAAA mx1 2001:db8::1", `unknown word "AAAA": write host NAME ADDRESS...`},
		{"Cname www web1", `unknown word "Cname": write alias NAME... HOST`},
		{"srv _ldap._tcp 0 0 389 a", `unknown word "srv": write service NAME... PRIORITY WEIGHT PORT HOST...`},
		{"ns ns1", `unknown word "ns": write authoritative { ns NAME... } into the Corefile`},
		{"TXT @ x", `unknown word "TXT": write record @ TXT and its data`},
		{`txt @ "v=spf1 -all"`, `unknown word "txt": write record @ TXT and its data`},
		{`@ TXT "v=spf1 -all"`, `"@ TXT v=spf1 -all" is a line of a zone file: write record NAME... TYPE DATA..., or convert the file with mxsrv import`},
		{"spf -all", `unknown word "spf": write it into the block of mail or host`},
		{"dmarc reject", `unknown word "dmarc": write it into the block of mail`},
		{"ptr 1 a", `unknown word "ptr": write record 1 PTR and its data`},
		{"caa", `unknown word "caa": write record NAME... CAA and its data`},
		{"dns-rr=a,16,00", `unknown word "dns-rr=a,16,00": write record NAME... TYPE DATA..., or convert the file with mxsrv import`},
		{"host a 192.0.2\n$TTL 60\n@ IN SOA ns1 root (\n 1 2 3 4 5 )\n IN NS ns1\nmail IN A 192.0.2.1", zoneFile},
		{"IN SOA ns1 root 1 2 3 4 5", zoneFile},
		{strings.Repeat("a A 192.0.2.1\n", 30) + "@ SOA ns1 root 1 2 3 4 5", zoneFile},
		{"$TTL 3600", `unknown word "$TTL": write ttl TTL`},
		{"$ORIGIN example.org.", `unknown word "$ORIGIN": write names of other zones absolute, with a final dot`},
		{"$INCLUDE a.db", `unknown word "$INCLUDE": write file PATH... into the mxsrv block of the Corefile`},
		{"file a.conf", `unknown word "file": write it into the mxsrv block of the Corefile`},
		{"contact a@b", `unknown word "contact": write it into the block of authoritative`},
		{"10 mx1", `unknown word "10": write numbers into the line or the block of mail or service`},
		{"//comment", `unknown word "//comment": write "#" before a comment`},
		{"mx-host=example.org,mx1.example.org,10",
			`unknown word "mx-host=example.org,mx1.example.org,10": write mail NAME... PREFERENCE HOST..., or convert the file with mxsrv import`},
		{"--srv-host=_ldap._tcp", `unknown word "--srv-host=_ldap._tcp": write service NAME... PRIORITY WEIGHT PORT HOST..., or convert the file with mxsrv import`},
		{"mx1 A 192.0.2.1", `"mx1 A 192.0.2.1" is a line of a zone file: write host NAME ADDRESS..., or convert the file with mxsrv import`},
		{"@ 3600 IN MX 10 mx1", `"@ 3600 IN MX 10 mx1" is a line of a zone file: write mail NAME... PREFERENCE HOST..., or convert the file with mxsrv import`},
		{"mail @ MX 10 mx1", `"MX" is no name: write mail NAME... PREFERENCE HOST..., without a type`},
		{"alias www CNAME web1", `"CNAME" is no name: write alias NAME... HOST, without a type`},
		{"hots A 192.0.2.1", `unknown word "hots": write host`},
		{"frobnicate a 192.0.2.1", `unknown word "frobnicate": write one of alias, drain, host, mail, order, record, service, ttl`},
	} {
		_, errs := Read("x", tc.text, zones)
		if len(errs) != 1 || errs[0].Text != tc.want || errs[0].More > 0 {
			t.Errorf("%s: %v\nwant %s", tc.text, errs, tc.want)
		}
	}
	for word := range remedies {
		if isKeyword(word) {
			t.Errorf("%s is a keyword", word)
		}
	}
}
