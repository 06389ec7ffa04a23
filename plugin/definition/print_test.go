package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPrint(t *testing.T) {
	one := Zones{"example.org."}
	for _, tc := range []struct {
		name, text, want string
		zones            Zones
	}{
		{"sorted by kind and name",
			"alias www web1\nmail sub 10 mx1\nmail @ 10 mx2\nhost web1 192.0.2.2 192.0.2.1 192.0.2.1\nhost a.web1 192.0.2.9\nhost @ 2001:db8::1\nservice _a._tcp 0 0 1 h",
			"host @ 2001:db8::1\nhost web1 192.0.2.1 192.0.2.2\nhost a.web1 192.0.2.9\n\nmail @ 10 mx2\nmail sub 10 mx1\n\nservice _a._tcp 0 0 1 h\n\nalias www web1\n", one},
		{"one stanza for the same exchanges",
			"mail b 20 mx2 mx3 10 mx1\nmail a {\n10 mx1\n20 mx3\n}\nmail a 20 mx2\nmail no none\nmail never none",
			"mail a b {\n    10 mx1\n    20 mx2 mx3\n}\nmail never no none\n", one},
		{"targets with the same numbers together",
			"service _b._tcp _a._tcp 0 4 389 h2 0 6 389 h1 h3\nservice _c._tcp none",
			"service _a._tcp _b._tcp {\n    0 6 389 h1 h3\n    0 4 389 h2\n}\nservice _c._tcp none\n", one},
		{"one line for the aliases of a host", "alias b h\nalias a c h", "alias a b c h\n", one},
		{"the commonest ttl",
			"host a 192.0.2.1 {\nttl 60\n}\nhost b 192.0.2.2 {\nttl 60\n}\nalias c b\nmail @ 10 b {\nttl 5400\n}",
			"ttl 1m\n\nhost a 192.0.2.1\nhost b 192.0.2.2\n\nmail @ 10 b {\n    ttl 1h30m\n}\n\nalias c b {\n    ttl 1h\n}\n", one},
		{"odd ttls", "host a 192.0.2.1 {\nttl 0\n}\nhost b 192.0.2.1 {\nttl 90\n}\nhost c 192.0.2.1 {\nttl 86400\n}\nhost d 192.0.2.1\nhost e 192.0.2.1",
			"host a 192.0.2.1 {\n    ttl 0\n}\nhost b 192.0.2.1 {\n    ttl 90\n}\nhost c 192.0.2.1 {\n    ttl 24h\n}\nhost d 192.0.2.1\nhost e 192.0.2.1\n", one},
		{"srv", "mail a b {\n10 mx1\nsrv\n}\nmail c 10 mx1", "mail a b 10 mx1 {\n    srv\n}\nmail c 10 mx1\n", one},
		{"srv written out", "mail a 10 mx1\nservice _smtp._tcp.a 10 0 25 mx1", "mail a 10 mx1 {\n    srv\n}\n", one},
		{"a service beside srv", "mail a 10 mx1 {\nsrv\n}\nservice _smtp._tcp.a 10 0 587 mx1",
			"mail a 10 mx1\n\nservice _smtp._tcp.a {\n    10 0 25 mx1\n    10 0 587 mx1\n}\n", one},
		{"srv with the ttl of another stanza", "mail a 10 mx1 {\nsrv\n}\nmail a 10 mx1 {\nttl 60\n}",
			"ttl 1m\n\nmail a 10 mx1 {\n    srv\n}\n", one},
		{"names that look like something else",
			"mail 5.example.org. none.example.org. 10 srv.example.org. 7.example.org.\nalias x 192.0.2.1.example.org.",
			"mail 5.example.org. none.example.org. 10 7.example.org. srv.example.org.\n\nalias x 192.0.2.1.example.org.\n", one},
		{"names outside the zone", "mail a.example.net. 10 mx.example.net. myexample.org.",
			"mail a.example.net. 10 mx.example.net. myexample.org.\n", one},
		{"several zones", "mail @ 10 mx1",
			"mail example.com. 10 mx1.example.com.\nmail example.org. 10 mx1.example.org.\n", zones},
		{"the root", "host @ 192.0.2.1\nmail org 10 mx. @", "host @ 192.0.2.1\n\nmail org 10 @ mx\n", Zones{"."}},
		{"contradictions", "mail a none 10 mx1\nalias b c\nalias b d\nservice _x._tcp none\nservice _x._tcp 1 2 3 h",
			"mail a {\n    10 mx1\n    none\n}\n\nservice _x._tcp {\n    1 2 3 h\n    none\n}\n\nalias b c\nalias b d\n", one},
		{"records", "record b a TXT \"v=spf1 -all\" x\nrecord @ CAA 0 issue ca.example\nrecord a HTTPS 1 svc alpn=\"h2,h3\"\n" +
			"record b TXT second {\n ttl 60\n}\nrecord c TYPE65280 \"\\#\" 2 0aFF\nrecord c TYPE65281 \"\\#\" 0",
			"record @ CAA 0 issue \"ca.example\"\nrecord a HTTPS 1 svc.example.org. alpn=\"h2,h3\"\nrecord a TXT \"v=spf1 -all\" \"x\"\n" +
				"record b TXT \"second\" {\n    ttl 1m\n}\nrecord b TXT \"v=spf1 -all\" \"x\" {\n    ttl 1m\n}\n" +
				"record c TYPE65280 \"\\#\" 2 0aff\nrecord c TYPE65281 \"\\#\" 0\n", one},
		{"data that only hexadecimal says", "record a TXT \"\\123\"\nrecord b TXT {\\036HOME}\nrecord c TXT \"a\\\\\"",
			"record a TXT \"\\#\" 2 017b\nrecord b TXT \"\\#\" 8 077b24484f4d457d\nrecord c TXT \"a\\\\\"\n", one},
		{"ptr", "host b 192.0.2.3 192.0.2.2\nhost b 192.0.2.1 192.0.2.2 {\nptr\n}\nhost a 192.0.2.1 {\nptr\nttl 60\n}",
			"host a 192.0.2.1 {\n    ptr\n    ttl 1m\n}\nhost b 192.0.2.1 192.0.2.2 {\n    ptr\n}\nhost b 192.0.2.3\n",
			Zones{"example.org.", "2.0.192.in-addr.arpa."}},
		{"checks and drains", "drain b a\nmail a b {\n10 mx1\ncheck smtp\nsrv\n}\nmail c 10 mx1 {\ncheck smtp\ncheck smtp\n}\n" +
			"service _a._tcp 0 0 443 h {\norder fixed\ncheck https /x 200 www insecure\n}\ndrain a mx.example.net.",
			"mail a b 10 mx1 {\n    srv\n    check smtp\n}\nmail c 10 mx1 {\n    check smtp\n}\n\n" +
				"service _a._tcp 0 0 443 h {\n    check https /x 200 www.example.org. insecure\n    order fixed\n}\n\n" +
				"drain mx.example.net. a b\n", one},
		{"a service that is not checked as srv says", "mail a 10 mx1 {\nsrv\ncheck smtp\n}\nservice _smtp._tcp.a 20 0 25 mx2",
			"mail a 10 mx1 {\n    check smtp\n}\n\nservice _smtp._tcp.a {\n    10 0 25 mx1\n    20 0 25 mx2\n    check smtp\n}\n", one},
		{"drains alone", "drain a", "drain a.example.com. a.example.org.\n", zones},
		{"nothing", "", "", one},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, errs := Read("x", tc.text, tc.zones)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if got := printed(t, set, tc.zones); got != tc.want {
				t.Errorf("%s\nwant\n%s", got, tc.want)
			}
			roundTrip(t, set, tc.zones)
		})
	}
}

func TestCompare(t *testing.T) {
	ordered := []Name{".", "com.", "example.com.", "a.example.com.", "z.a.example.com.", "a-a.example.com.", "b.example.com.", "example-com.", "org."}
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := a.Compare(b), cmp.Compare(i, j); got != want {
				t.Errorf("%s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

func printed(t *testing.T, set *Set, zones Zones) string {
	t.Helper()
	var b strings.Builder
	if err := set.Print(&b, zones); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// roundTrip prints a set and reads it again: it must mean the same, and print the
// same.
func roundTrip(t *testing.T, set *Set, zones Zones) {
	t.Helper()
	text := printed(t, set, zones)
	again, errs := Read("printed", text, zones)
	if len(errs) > 0 {
		t.Fatalf("%v in\n%s", errs, text)
	}
	got, want := meaning(again.Index()), meaning(set.Index())
	if !slices.Equal(got, want) {
		t.Errorf("read again it means\n%s\nwant\n%s\nprinted\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), text)
	}
	if second := printed(t, again, zones); second != text {
		t.Errorf("printed again\n%s\nwant\n%s", second, text)
	}
}

// meaning is what an index says of each owner, sorted and without places.
func meaning(x *Index) []string {
	var lines []string
	for o := range x.Owners() {
		line := func(kind string, ttl uint32, what any) {
			lines = append(lines, fmt.Sprintln(o.Name(), kind, ttl, what))
		}
		if len(o.Hosts()) > 0 {
			line("host", o.HostTTL(), fmt.Sprint(o.Addrs(), o.HostOrder()))
		}
		if ttl := o.MailTTL(); len(o.Mails()) > 0 {
			none := slices.ContainsFunc(o.Mails(), func(m *Mail) bool { return len(m.Exchanges) == 0 })
			line("mail", ttl, fmt.Sprint(none, o.MailOrder()))
			for _, e := range o.Exchanges() {
				line("exchange", ttl, Exchange{Preference: e.Preference, Host: e.Host})
			}
		}
		if ttl := o.ServiceTTL(); len(o.Services()) > 0 {
			line("service", ttl, fmt.Sprint(hasNone(o.Services()), o.ServiceOrder()))
			for _, v := range o.Targets() {
				v.Pos = Pos{}
				line("target", ttl, v)
			}
		}
		for _, a := range o.Aliases() {
			line("alias", o.AliasTTL(), a.Host)
		}
		for _, s := range o.RRsets() {
			ttl := s.TTL()
			for _, d := range s.Records {
				if d.Derived {
					ttl = 0 // of its host statement, which is printed with the others of the host
				}
				line("record", ttl, d.RR(o.Name(), ttl))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// FuzzPrint: whatever can be read can be printed, and then means the same.
func FuzzPrint(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text, "example.org")
	}
	f.Add("mail a 5. none. 10 srv. mx {\nsrv\nttl 0\n}\nmail a none\nservice _smtp._tcp.a 10 0 25 mx. mx", ".")
	f.Add("order fixed\nmail a 10 mx {\nsrv\n}\nmail a 20 mx {\norder weighted\n}\nhost mx 192.0.2.1 {\norder fixed\n}", "example.org")
	f.Fuzz(func(t *testing.T, text, zone string) {
		first, err := ParseName(zone, ".")
		if err != nil {
			t.Skip()
		}
		for _, zones := range []Zones{{first}, {first, "example.com."}, {first, "in-addr.arpa."}} {
			set, _ := Read("x", text, zones)
			roundTrip(t, set, zones)
		}
	})
}
