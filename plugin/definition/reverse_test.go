package definition

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// reverseZones are zones with two networks, one of which has its addresses in a zone of RFC 2317 too.
var reverseZones = Zones{"example.org.", "2.0.192.in-addr.arpa.", "128/26.2.0.192.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."}

// pointers returns the PTR records that a text means, sorted: names without their zone.
func pointers(t *testing.T, text string) []string {
	t.Helper()
	set, errs := Read("x", text, reverseZones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	short := strings.NewReplacer(".2.0.192.in-addr.arpa.", "", ".8.b.d.0.1.0.0.2.ip6.arpa.", "", ".example.org.", "")
	var lines []string
	for o := range set.Index().Owners() {
		for _, s := range o.RRsets() {
			ttl := s.TTL()
			for _, d := range s.Records {
				if s.Type == dns.TypePTR {
					lines = append(lines, short.Replace(fmt.Sprint(o.Name(), " ", ttl, " ", d.Host())))
				}
			}
		}
	}
	slices.Sort(lines)
	roundTrip(t, set, reverseZones)
	return lines
}

func TestPointers(t *testing.T) {
	v6 := "0.1" + strings.Repeat(".0", 22)
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"both families", "host a 192.0.2.1 2001:db8::10", []string{v6 + " 3600 a", "1 3600 a"}},
		{"an address elsewhere", "host a 198.51.100.1 2001:db9::1", nil},
		{"a ttl", "ttl 5\nhost a 192.0.2.1\nhost b 192.0.2.2 {\n ttl 60\n}", []string{"1 5 a", "2 60 b"}},
		{"in a zone of RFC 2317 too", "host a 192.0.2.130", []string{"130 3600 a", "130.128/26 3600 a"}},
		{"outside its part", "host a 192.0.2.192", []string{"192 3600 a"}},
		{"several hosts", "host b 192.0.2.1\nhost a 192.0.2.1\nhost a 192.0.2.1 192.0.2.2", []string{"1 3600 a", "1 3600 b", "2 3600 a"}},
		{"several with ttls", "host b 192.0.2.1 {\n ttl 9000\n}\nhost a 192.0.2.1\nhost c 192.0.2.1 {\n ttl 5000\n}", []string{"1 3600 a", "1 3600 b", "1 3600 c"}},
		{"one with ptr", "host b 192.0.2.1\nhost a 192.0.2.1 192.0.2.2 {\n ptr\n}\nhost b 192.0.2.3", []string{"1 3600 a", "2 3600 a", "3 3600 b"}},
		{"two with ptr", "host b 192.0.2.1 {\n ptr\n}\nhost a 192.0.2.1 {\n ptr\n}\nhost c 192.0.2.1", []string{"1 3600 a", "1 3600 b"}},
		{"ptr for some addresses", "host a 192.0.2.1 {\n ptr\n}\nhost a 192.0.2.2\nhost b 192.0.2.1 192.0.2.2",
			[]string{"1 3600 a", "2 3600 a", "2 3600 b"}},
		{"a record", "host a 192.0.2.1\nhost b 192.0.2.1 {\n ptr\n}\nrecord 1.2.0.192.in-addr.arpa. PTR mail.example.net. {\n ttl 7\n}",
			[]string{"1 7 mail.example.net."}},
		{"a record of another type", "host a 192.0.2.1\nrecord 1.2.0.192.in-addr.arpa. TXT x", []string{"1 3600 a"}},
		{"an alias, as in RFC 2317", "host a 192.0.2.130\nalias 130.2.0.192.in-addr.arpa. 130.128/26.2.0.192.in-addr.arpa.",
			[]string{"130.128/26 3600 a"}},
		{"no PTR of a wildcard", "host *.a 192.0.2.1", nil},
		{"relative to the other zone", "record 1.2.0.192.in-addr.arpa. PTR a", []string{"1 3600 a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := pointers(t, tc.text); !slices.Equal(got, tc.want) {
				t.Errorf("%q\nwant\n%q", got, tc.want)
			}
		})
	}
}

// TestDelegatedPointers: a zone that is delegated has the PTR records of its addresses, another authoritative one here
// its own.
func TestDelegatedPointers(t *testing.T) {
	set, errs := Read("x", "host a 10.1.1.1 10.2.1.1 10.2.2.1 10.3.0.1", Zones{"example.org.", "10.in-addr.arpa."})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, cut := range []Name{"1.10.in-addr.arpa.", "2.2.10.in-addr.arpa.", "1.0.3.10.in-addr.arpa.", "10.in-addr.arpa.", "2.10.in-addr.arpa."} {
		set.Records = append(set.Records, Record{Head: Head{Owner: cut}, Type: dns.TypeNS, Data: wireOf("ns.example.net.")})
	}
	set.Apexes = []Apex{{Zone: "10.in-addr.arpa."}, {Zone: "2.10.in-addr.arpa."}}
	var kept []Name
	for o := range set.Index().Owners() {
		for _, d := range o.Records() {
			if d.Type == dns.TypePTR {
				kept = append(kept, o.Name())
			}
		}
	}
	if got := fmt.Sprint(kept); got != "[1.1.2.10.in-addr.arpa.]" {
		t.Errorf("PTR records of %s", got)
	}
}

// TestNoReverse: relative names are not made in reverse zones, and nothing is made of addresses without these.
func TestNoReverse(t *testing.T) {
	set, errs := Read("x", "host a 192.0.2.1\nmail @ 10 a\nrecord b TXT c", reverseZones)
	if got, want := list(set.Owners()), "1.2.0.192.in-addr.arpa. a b example.org."; len(errs) > 0 || got != want {
		t.Errorf("%v: %s, want %s", errs, got, want)
	}
	set, _ = Read("x", "host a 192.0.2.1 {\n ptr\n}", Zones{"example.org."})
	if len(set.Records) > 0 {
		t.Errorf("%v, want no records", set.Records)
	}
}

// TestRelativeInReverse: where all zones are reverse zones names are absolute.
func TestRelativeInReverse(t *testing.T) {
	const why = " is relative, and 2.0.192.in-addr.arpa. is a reverse zone: write an absolute name, like mx1.example.org., " +
		"or add its zone after mxsrv"
	for _, tc := range []struct{ text, want string }{
		{"host a 192.0.2.1", `x:1: "a"` + why},
		{"record @ TXT b", `x:1: "@"` + why},
		{"mail example.org. 10 mx1", `x:1: "mx1"` + why},
		{"alias w.example.org. a", `x:1: "a"` + why},
		{"record 1.2.0.192.in-addr.arpa. PTR a", `x:1: data of PTR: bad PTR Ptr: "a": write NAME`},
		{"record 1.2.0.192.in-addr.arpa. NS a", `x:1: "a"` + why},
		{"host a.example.org. 192.0.2.1\nalias 2.2.0.192.in-addr.arpa. 1.2.0.192.in-addr.arpa.\nrecord 3.2.0.192.in-addr.arpa. PTR a.example.org.", ""},
	} {
		_, errs := Read("x", tc.text, Zones{"2.0.192.in-addr.arpa."})
		if errs.Error() != tc.want && !strings.HasPrefix(errs.Error(), `x:1: type NS`) {
			t.Errorf("%s: %v\nwant %s", tc.text, errs, tc.want)
		}
	}
}

// TestApexOfReverse: name servers and the mailbox are in the first zone that is no reverse zone.
func TestApexOfReverse(t *testing.T) {
	for _, tc := range []struct {
		zones      Zones
		text, want string
	}{
		{Zones{"2.0.192.in-addr.arpa.", "example.org."}, "ns ns1", "ns1.example.org. hostmaster.example.org."},
		{Zones{"2.0.192.in-addr.arpa.", "example.org."}, "ns ns1\ncontact dns", "ns1.example.org. dns.example.org."},
		{Zones{"2.0.192.in-addr.arpa."}, "ns ns1.example.org.\ncontact dns@example.org",
			"ns1.example.org. dns.example.org."},
		{Zones{"2.0.192.in-addr.arpa."}, "ns ns1.example.org.\ncontact dns", `Corefile:3: "dns" is relative`},
		{Zones{"2.0.192.in-addr.arpa."}, "ns ns1", `Corefile:2: "ns1" is relative`},
	} {
		all, errs := apexes(t, "authoritative {\n"+tc.text+"\n}", tc.zones...)
		got := errs.Error()
		if len(errs) == 0 {
			got = fmt.Sprint(all[0].Servers[0].Host, " ", all[0].Contact)
		}
		if !strings.HasPrefix(got, tc.want) {
			t.Errorf("%v: %s, want %s", tc.zones, got, tc.want)
		}
	}
}

func TestClassless(t *testing.T) {
	for _, tc := range []struct{ zone, want string }{
		{"128/26", "192.0.2.128/26"},
		{"128-26", "192.0.2.128/26"},
		{"0-63", "192.0.2.0/26"},
		{"0/25", "192.0.2.0/25"},
		{"255/32", "192.0.2.255/32"},
		{"4-5", "192.0.2.4/31"},
		{"0-31", "192.0.2.0/27"},
		{"1-32", "192.0.2.1/32"},
		{"129/26", ""}, {"0/24", ""}, {"0/33", ""}, {"256/26", ""}, {"0-64", ""}, {"1-2", ""}, {"a/26", ""}, {"128/a", ""},
		{"128", ""}, {"5.128/26", ""}, {"-1/26", ""}, {"0-0", ""},
	} {
		network, ok := classlessNetwork(Name(tc.zone + ".2.0.192.in-addr.arpa."))
		if got := network.String(); ok != (tc.want != "") || ok && got != tc.want {
			t.Errorf("%s: %s, %v, want %s", tc.zone, got, ok, tc.want)
		}
	}
	if _, ok := classlessNetwork("128/26.0.192.in-addr.arpa."); ok {
		t.Error("a part of a network of 65536 addresses")
	}
}

// TestReverseName: names of addresses are those that miekg/dns makes.
func TestReverseName(t *testing.T) {
	for _, addr := range []string{"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "2001:db8::abcd:12", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
		want, _ := dns.ReverseAddr(addr)
		if got := reverseName(netip.MustParseAddr(addr)); string(got) != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
	got := fmt.Sprint(Zones{"10.2.0.192.in-addr.arpa.", "2.0.192.in-addr.arpa.", "a.2.0.192.example.", "8.b.d.0.ip6.arpa."}.Singles())
	if got != "[10.2.0.192.in-addr.arpa.]" {
		t.Errorf("single addresses %s", got)
	}
}

// TestOfNetwork: where the addresses of a network have their names.
func TestOfNetwork(t *testing.T) {
	zones := Zones{"example.org.", "2.0.192.in-addr.arpa.", "128/26.2.0.192.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."}
	for network, want := range map[string]string{
		"192.0.2.0/24":       "128/26.2.0.192.in-addr.arpa. 2.0.192.in-addr.arpa.",
		"192.0.0.0/14":       "0.192.in-addr.arpa. 1.192.in-addr.arpa. 128/26.2.0.192.in-addr.arpa. 2.192.in-addr.arpa. 3.192.in-addr.arpa.",
		"192.0.2.130/31":     "130.128/26.2.0.192.in-addr.arpa. 130.2.0.192.in-addr.arpa. 131.128/26.2.0.192.in-addr.arpa. 131.2.0.192.in-addr.arpa.",
		"192.0.2.1/32":       "1.2.0.192.in-addr.arpa.",
		"2001:db8::/32":      "8.b.d.0.1.0.0.2.ip6.arpa.",
		"2001:db8::/31":      "8.b.d.0.1.0.0.2.ip6.arpa. 9.b.d.0.1.0.0.2.ip6.arpa.",
		"255.255.255.254/31": "254.255.255.255.in-addr.arpa. 255.255.255.255.in-addr.arpa.",
		"0.0.0.0/0":          "128/26.2.0.192.in-addr.arpa. in-addr.arpa.",
	} {
		var got []string
		for _, name := range zones.OfNetwork(netip.MustParsePrefix(network)) {
			got = append(got, string(name))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", network, got, want)
		}
	}
	if names := zones[:1].OfNetwork(netip.MustParsePrefix("192.0.2.0/24")); names != nil {
		t.Errorf("without reverse zones: %v", names)
	}
}
