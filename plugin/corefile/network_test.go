package corefile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
)

// TestReverseZones: hosts of every stanza, file and fragment have PTR records in the reverse zones of all stanzas, but only
// the stanza with a zone gives it an apex.
func TestReverseZones(t *testing.T) {
	b := read(`
mxsrv example.org {
	authoritative {
		ns ns1
	}
	host ns1 192.0.2.53 2001:db8::53
	file a.conf
	etcd 192.0.2.1:2379
}
mxsrv 192.0.2.0/24 2001:db8::/32 {
	file b.conf
	host mx1.example.org. 192.0.2.10
}
mxsrv 198.51.100.0/23 {
}`)
	if len(b.Errs) > 0 {
		t.Fatal(b.Errs)
	}
	const want = "[example.org. 2.0.192.in-addr.arpa. 8.b.d.0.1.0.0.2.ip6.arpa. 100.51.198.in-addr.arpa. 101.51.198.in-addr.arpa.]"
	if got := fmt.Sprint(b.Zones); got != want {
		t.Errorf("zones %s, want %s", got, want)
	}
	if a, e := fmt.Sprint(b.Files[0].Zones), fmt.Sprint(b.Etcds[0].Zones); a != want || e != want {
		t.Errorf("a file has %s, etcd %s\nwant %s", a, e, want)
	}
	if got := fmt.Sprint(b.Files[1].Zones); got != strings.Replace(want, "example.org. ", "", 1) {
		t.Errorf("the other file has %s", got)
	}
	if len(b.Inline.Records) != 3 || len(b.Inline.Apexes) != 1 {
		t.Errorf("%d PTR records and %d apexes, want 3 and 1", len(b.Inline.Records), len(b.Inline.Apexes))
	}
}

// TestNetworks: networks that a reverse zone cannot be of.
func TestNetworks(t *testing.T) {
	const apex = " {\n authoritative {\n ns ns1.example.net.\n }\n}"
	const noParent = "no parent delegates "
	for _, tc := range []struct{ text, keys, want string }{
		{"mxsrv 192.0.2.10/24 {\n}", "", "1: zone 192.0.2.10/24: a network has no port and no bits of a host: write 192.0.2.0/24"},
		{"mxsrv 192.0.2.0/24:53 {\n}", "", "1: zone 192.0.2.0/24:53: a network has no port and no bits of a host: write 192.0.2.0/24"},
		{"mxsrv 2001:db8:1::/32 {\n}", "", "1: zone 2001:db8:1::/32: a network has no port and no bits of a host: write 2001:db8::/32"},
		{"mxsrv 2001:db8::/32:53 {\n}", "", "1: zone 2001:db8::/32:53: a network has no port and no bits of a host: write 2001:db8::/32"},
		{"mxsrv 2001:DB8:0::/32 192.0.2.0/24 example.org:53 {\n}", "", ""},
		{"mxsrv {\n fallthrough 192.0.2.1/24\n}", "2.0.192.in-addr.arpa.",
			"2: fallthrough 192.0.2.1/24: a network has no port and no bits of a host: write 192.0.2.0/24"},
		{"mxsrv 192.0.2.128/26" + apex, "", "2: zone 192.0.2.128/26: " + noParent + "a network of 26 bits: " +
			"write the zone that it delegates, like 128/26.2.0.192.in-addr.arpa (RFC 2317)"},
		{"mxsrv 198.51.100.0/23" + apex, "", "2: zone 198.51.100.0/23: " + noParent + "a network of 23 bits: " +
			"write its parts, 198.51.100.0/24 and so on"},
		{"mxsrv 2001:db8::/33" + apex, "", "2: zone 2001:db8::/33: " + noParent + "a network of 33 bits: " +
			"write its parts, 2001:db8::/36 and so on"},
		{"mxsrv 192.0.2.128/26 2001:db8::/33 {\n}", "", ""}, // in an overlay all is well
		{"mxsrv 192.0.2.0/24 10.0.0.0/8 2001:db8::/36 128/26.2.0.192.in-addr.arpa 192.0.2.1/32" + apex, "", ""},
		{"mxsrv" + apex, "192.0.2.128/26", "2: " + noParent + "the addresses of a network one by one, like 128.2.0.192.in-addr.arpa.: " +
			"write the zone that it delegates instead of the network, like 128/26.2.0.192.in-addr.arpa (RFC 2317)"},
		{"mxsrv" + apex, "192.0.2.1/32", ""},
	} {
		d := caddyfile.NewDispenser("Corefile", strings.NewReader(tc.text))
		keys := plugin.OriginsFromArgsOrServerBlock(strings.Fields(tc.keys), []string{"example.org."})
		b := Read(&d, Env{Keys: keys, Origins: plugin.OriginsFromArgsOrServerBlock})
		if got := strings.TrimPrefix(b.Errs.Error(), "Corefile:"); got != tc.want {
			t.Errorf("%s\n%s\nwant\n%s", tc.text, got, tc.want)
		}
	}
}
