package lint

import (
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestZoneUnreachable: a zone of the stanza must be in a zone of the server block.
func TestZoneUnreachable(t *testing.T) {
	for _, tc := range []struct{ name, server, zone, want string }{
		{"another", "example.com", "example.com example.net", "for example.net."},
		{"the one above", "sub.example.com", "example.com", "for example.com."},
		{"a reverse zone", "example.com", "2.0.192.in-addr.arpa", "for 2.0.192.in-addr.arpa."},
		{"a label more at the start", "example.com", "anexample.com", "for anexample.com."},
		{"itself", "example.com", "example.com", ""},
		{"one below", "example.com", "sub.example.com", ""},
		{"one of many", "example.net example.com", "sub.example.com", ""},
		{"the root", ".", "example.com 2.0.192.in-addr.arpa", ""},
		{"no server block", "", "example.com", ""},
	} {
		corefile := "zone " + tc.zone
		if tc.server != "" {
			corefile += "\nserver " + tc.server
		}
		got := text(find("", "", strings.ReplaceAll(corefile, " .", ` ""`)))
		if tc.want == "" && got != "" || !strings.Contains(got, tc.want) || tc.want != "" && !strings.Contains(got, "zone-unreachable") {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestNestedSignedAuthoritative: zones that are authoritative and signed as themselves can be validated.
func TestNestedSignedAuthoritative(t *testing.T) {
	for _, tc := range []struct {
		name          string
		authoritative definition.Zones
		signed        definition.Zones
		want          bool
	}{
		{"both", definition.Zones{"sig.test.", "in.sig.test."}, definition.Zones{"sig.test.", "in.sig.test."}, false},
		{"the outer one", definition.Zones{"sig.test."}, definition.Zones{"sig.test.", "in.sig.test."}, true},
		{"the inner one", definition.Zones{"in.sig.test."}, definition.Zones{"sig.test.", "in.sig.test."}, true},
		{"signed as the outer one", definition.Zones{"sig.test.", "in.sig.test."}, definition.Zones{"sig.test."}, true},
	} {
		var set definition.Set
		for _, zone := range tc.authoritative {
			set.Apexes = append(set.Apexes, definition.Apex{Zone: zone, Expire: 3, Refresh: 1, Retry: 1})
		}
		zones := definition.Zones{"sig.test.", "in.sig.test."}
		found := Check(set.Index(), nil, Options{Zones: zones, BlockZones: zones, Plugins: Plugins{Signed: tc.signed}})
		if got := text(found); strings.Contains(got, "nested-signed") != tc.want {
			t.Errorf("%s: %q, want an error: %v", tc.name, got, tc.want)
		}
	}
}

// TestNestedSigned: which zones within others cannot be validated.
func TestNestedSigned(t *testing.T) {
	for _, tc := range []struct{ name, server, zone, dnssec, want string }{
		{"both in front", "sig.test inner.sig.test", "sig.test inner.sig.test", "sig.test inner.sig.test", "zone inner.sig.test. is within sig.test."},
		{"the outer one in front", "sig.test", "sig.test inner.sig.test", "sig.test", "zone inner.sig.test. is within sig.test."},
		{"the inner one in the stanza only", "sig.test", "inner.sig.test", "sig.test", "zone inner.sig.test. is within sig.test."},
		{"the inner one by another plugin", "sig.test inner.sig.test", "sig.test", "sig.test inner.sig.test", "zone inner.sig.test. is within sig.test."},
		{"the outer one by another plugin", "sig.test inner.sig.test", "inner.sig.test", "sig.test inner.sig.test", "zone inner.sig.test. is within sig.test."},
		{"far below", "sig.test", "sig.test a.b.c.sig.test", "sig.test", "zone a.b.c.sig.test. is within sig.test."},
		{"the root in front and dnssec of a zone", ".", "sig.test inner.sig.test", "sig.test", "zone inner.sig.test. is within sig.test."},
		{"all by the root", ".", "sig.test", ".", "zone sig.test. is within .,"},
		{"not signed", "sig.test inner.sig.test", "sig.test inner.sig.test", "", ""},
		{"beside", "sig.test other.test", "sig.test other.test", "sig.test other.test", ""},
		{"a longer name", "sig.test innersig.test", "sig.test innersig.test", "sig.test innersig.test", ""},
		{"the root in front", ".", "sig.test", "sig.test", ""},
		{"only the inner one is signed", "sig.test inner.sig.test", "sig.test inner.sig.test", "inner.sig.test", ""},
		{"no zone of ours", "sig.test inner.sig.test other.test", "other.test", "sig.test inner.sig.test other.test", ""},
	} {
		corefile := "server " + tc.server + "\nzone " + tc.zone
		if tc.dnssec != "" {
			corefile += "\ndnssec " + tc.dnssec
		}
		got := text(find("", "", strings.ReplaceAll(corefile, " .", ` ""`)))
		if tc.want == "" && got != "" || !strings.Contains(got, tc.want) || strings.Count(got, "nested-signed") > 1 {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
