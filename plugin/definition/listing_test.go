package definition

import (
	"strings"
	"testing"
)

// TestList: statements owner by owner in an order that is given, with what is above them once, and no empty line at the
// start nor two together.
func TestList(t *testing.T) {
	const text = `mail b 10 a {
srv
}
host a 192.0.2.1
record b TXT two
record b CAA 0 issue ca.example
record b TXT one
host a 192.0.2.2
service _x._tcp 0 0 1 a
service _smtp._tcp.b 10 0 25 a
alias c a {
ttl 60
}
alias d e a
record eu NS @ ns.example.net. 7.example.org. {
ttl 1
}
record eu DS 1 13 2 00
host left 192.0.2.9`
	set, errs := Read("x", text, Zones{"example.org."})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got strings.Builder
	err := set.List(&got, Listing{
		Zones:  Zones{"example.org."},
		Owners: []Name{"_smtp._tcp.b.example.org.", "c.example.org.", "b.example.org.", "none.example.org.", "a.example.org.", "_x._tcp.example.org.", "e.example.org.", "d.example.org.", "eu.example.org."},
		Before: map[Pos][]string{{"x", 14}: {" two"}, {"x", 11}: {"", " top"}, {"x", 4}: {"", "", " first", "", ""}, {"x", 8}: {"", " second"}, {"x", 5}: {""}, {"x", 6}: {" CAA"}},
		After:  []string{"", " end"},
	})
	const want = `# top
alias c a {
    ttl 1m
}
mail b 10 a {
    srv
}

record b TXT "two"
# CAA
record b CAA 0 issue "ca.example"
record b TXT "one"

# first

# second
host a 192.0.2.1 192.0.2.2
service _x._tcp 0 0 1 a
# two
alias e a
alias d a
record eu NS @ ns.example.net. 7.example.org. {
    ttl 1
}
record eu DS 1 13 2 00

# end
`
	if err != nil || got.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got.String(), want)
	}
}

// TestListPTR: the PTR records of addresses are not listed, which their hosts say.
func TestListPTR(t *testing.T) {
	zones := Zones{"example.org.", "2.0.192.in-addr.arpa."}
	set, errs := Read("x", "host a 192.0.2.1\nrecord 1.2.0.192.in-addr.arpa. TXT a", zones)
	var got strings.Builder
	err := set.List(&got, Listing{Zones: zones, Owners: []Name{"a.example.org.", "1.2.0.192.in-addr.arpa."}})
	const want = "host a 192.0.2.1\nrecord 1.2.0.192.in-addr.arpa. TXT \"a\"\n"
	if err != nil || len(errs) > 0 || got.String() != want {
		t.Errorf("%v, %v\n%s\nwant\n%s", err, errs, got.String(), want)
	}
}

// TestPrintApex: what is printed means the same again.
func TestPrintApex(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"ns ns1 ns.example.net.", "ns ns1 ns.example.net.\ncontact hostmaster@example.org\nttl 1h\nrefresh 2h\nretry 30m\nexpire 336h\nnegative 1m"},
		{"ns a {\nttl 5\n}\nprimary hidden.example.net.\ncontact jane\\.doe.example.net.\nttl 0\nnegative 0\nretry 1",
			"ns a {\nttl 5\n}\nprimary hidden.example.net.\ncontact jane.doe@example.net\nttl 0\nrefresh 2h\nretry 1\nexpire 336h\nnegative 0"},
		{"ns @\ncontact .", "ns @\ncontact .\nttl 1h\nrefresh 2h\nretry 30m\nexpire 336h\nnegative 1m"},
		{"ns a\ncontact mail.", "ns a\ncontact mail.\nttl 1h\nrefresh 2h\nretry 30m\nexpire 336h\nnegative 1m"},
		{"ns a {\nttl 1h\n}", "ns a\ncontact hostmaster@example.org\nttl 1h\nrefresh 2h\nretry 30m\nexpire 336h\nnegative 1m"},
	} {
		zone := Zones{"example.org."}
		all, errs := apexes(t, "authoritative {\n"+tc.text+"\n}", zone...)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		var got strings.Builder
		if err := all[0].Print(&got, zone); err != nil {
			t.Fatal(err)
		}
		if text := strings.ReplaceAll(got.String(), "    ", ""); text != "authoritative {\n"+tc.want+"\n}\n" {
			t.Errorf("%s\nis printed as\n%s\nwant\n%s", tc.text, text, tc.want)
		}
		again, errs := apexes(t, got.String(), zone...)
		if len(errs) > 0 || again[0].Contact != all[0].Contact || again[0].MName() != all[0].MName() || again[0].ServerTTL() != all[0].ServerTTL() ||
			again[0].Negative != all[0].Negative || again[0].TTL.Seconds != all[0].TTL.Seconds {
			t.Errorf("%v: %+v, want %+v", errs, again, all)
		}
	}
}
