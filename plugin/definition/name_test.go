package definition

import (
	"fmt"
	"strings"
	"testing"
)

// TestNameKinds: what a name may be used for.
func TestNameKinds(t *testing.T) {
	for _, tc := range []struct {
		name                              Name
		host, underscores, service, plain bool
	}{
		{"example.org.", true, true, false, true},
		{"a-b.example.org.", true, true, false, true},
		{"-a.example.org.", false, false, false, true},
		{"a-.example.org.", false, false, false, true},
		{"a.-b.example.org.", false, false, false, true},
		{"_dmarc.example.org.", false, true, false, true},
		{"gc._msdcs.example.org.", false, true, false, true},
		{"my_app.example.org.", false, true, false, true},
		{"_x._tcp.example.org.", false, true, true, true},
		{"_x._tcp.", false, true, true, true},
		{"_x.", false, true, false, true},
		{"_._tcp.example.org.", false, true, false, true},
		{"_x-._tcp.example.org.", false, false, true, true},
		{"_sip+d2t._tcp.example.org.", false, false, true, false},
		{"x._tcp.example.org.", false, true, false, true},
		{"*.example.org.", false, false, false, false},
		{"_x._tcp.*.example.org.", false, false, false, false},
		{"128/26.2.0.192.in-addr.arpa.", false, false, false, false},
		{".", false, false, false, false},
	} {
		n := tc.name
		host, underscores, service, plain := n.IsHost(), n.IsHostWithUnderscores(), n.IsService(), n.IsPlain()
		if host != tc.host || underscores != tc.underscores || service != tc.service || plain != tc.plain {
			t.Errorf("%s: host %v, with underscores %v, service %v, plain %v", n, host, underscores, service, plain)
		}
	}
}

// TestNameParts: labels, parents and zones of names.
func TestNameParts(t *testing.T) {
	zones := Zones{"example.org.", "sub.example.org.", "arpa."}.Set()
	for _, tc := range []struct {
		name   Name
		labels string
		parent Name
		zone   Name
	}{
		{".", "", ".", ""},
		{"org.", "org", ".", ""},
		{"example.org.", "example org", "org.", "example.org."},
		{"a.example.org.", "a example org", "example.org.", "example.org."},
		{"a.sub.example.org.", "a sub example org", "sub.example.org.", "sub.example.org."},
		{"aexample.org.", "aexample org", "org.", ""},
		{"arpa.", "arpa", ".", "arpa."},
	} {
		labels, zone := strings.Join(tc.name.Labels(), " "), zones.Of(tc.name)
		if labels != tc.labels || tc.name.Parent() != tc.parent || zone != tc.zone {
			t.Errorf("%s: labels %q, parent %s, zone %s", tc.name, labels, tc.name.Parent(), zone)
		}
		if zone != "" && !tc.name.Below(zone) || tc.name.Below("x."+tc.name) || !tc.name.Below(".") {
			t.Errorf("%s below %s: %v", tc.name, zone, tc.name.Below(zone))
		}
	}
	for name, want := range map[Name]Name{
		`foo\.sub.example.org.`: "example.org.", `foo\\.sub.example.org.`: "sub.example.org.", `\.arpa.`: "", `\..arpa.`: "arpa.",
	} {
		if got := zones.Of(name); got != want {
			t.Errorf("zone of %s: %q, want %q", name, got, want)
		}
	}
	root := ZoneSet{".": true}
	if got := root.Of(`x\..`); got != "." {
		t.Errorf("zone of a label with a dot: %q, want the root", got)
	}
	if Name("aexample.org.").Below("example.org.") {
		t.Error("a name is below a zone whose end it shares")
	}
}

// TestNameErrors: what is wrong with a word that is no name, and what to write.
func TestNameErrors(t *testing.T) {
	l63 := strings.Repeat("a", 63)
	relative, absolute := strings.Repeat(l63+".", 3)+l63, strings.Repeat(l63+".", 4)
	for _, tc := range []struct{ word, want string }{
		{"", `"" has an empty label: write one dot between labels`},
		{"a..b", `"a..b" has an empty label: write one dot between labels`},
		{"bücher", `"bücher" is not ASCII: write the label "bücher" as "xn--bcher-kva"`},
		{"b\u00fc_.x", `"bü_.x" is not ASCII: write letters, digits and hyphens`},
		{"a b", `"a b": write letters, digits and hyphens`},
		{l63 + "a", fmt.Sprintf("%q has a label of 64 octets: write at most 63", l63+"a")},
		{"www.b\u00fccher", `"www.bücher" is not ASCII: write the label "bücher" as "xn--bcher-kva"`},
		{"mx1,", `"mx1,": write blanks, and no commas, between names`},
		{"mx1,mx2.example.net.", `"mx1,mx2.example.net.": write blanks, and no commas, between names`},
		{"_sip._tls.@", `"_sip._tls.@": "@" is the zone only where it stands alone: write "_sip._tls"`},
		{"anna@example.org.", `"anna@example.org." is the address of a person: write "example.org."`},
		{"anna@", `"anna@": write letters, digits and hyphens`},
		{"a+b!.example.org.", `"a+b!.example.org.": write letters, digits and hyphens`},
		{"mx1:25", `"mx1:25": write letters, digits and hyphens`},
		{"www.ü.example.com.", `"www.ü.example.com." is not ASCII: write the label "ü" as "xn--tda"`},
		{"WWW.Ü.example.com.", `"WWW.Ü.example.com." is not ASCII: write the label "ü" as "xn--tda"`},
		{absolute, fmt.Sprintf("%q has 257 octets: write a name of at most 255", absolute[:80]+"...")},
		{relative, fmt.Sprintf("%q has 269 octets: write a name of at most 255", relative[:80]+"...")},
	} {
		if _, err := ParseName(tc.word, "example.org."); err == nil || err.Error() != tc.want {
			t.Errorf("%q: %v\nwant %s", tc.word, err, tc.want)
		}
	}
}
