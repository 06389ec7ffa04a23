package definition

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestOpen: in the block of which statements it may stand, and that it is printed.
func TestOpen(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"host a 192.0.2.1 {\nopen\n}", "host a 192.0.2.1 {\n    open\n}\n"},
		{"host a 192.0.2.1 {\nttl 60\nopen\n}\nhost a 192.0.2.2", "ttl 1m\n\nhost a 192.0.2.1 192.0.2.2 {\n    open\n}\n"},
		{"service _s._tcp {\nopen\n0 0 1 a\n}", "service _s._tcp 0 0 1 a {\n    open\n}\n"},
		{"service _s._tcp none {\nopen\n}", "service _s._tcp none {\n    open\n}\n"},
		{"service _s._tcp 0 0 1 open", "service _s._tcp 0 0 1 open\n"},
		{"host open 192.0.2.1", "host open 192.0.2.1\n"},
		{"host a 192.0.2.1 {\norder fixed\nopen\n}", "host a 192.0.2.1 {\n    open\n    order fixed\n}\n"},
		{"service _s._tcp 0 0 1 a {\nopen\norder fixed\n}", "service _s._tcp 0 0 1 a {\n    open\n    order fixed\n}\n"},
		{"mail m 10 a {\nopen\n}", `x:2: "open": write PREFERENCE HOST..., none, srv, clients, dkim, dmarc, mta-sts, spf, tls-rpt, check KIND, order ORDER or ttl TTL`},
		{"alias l a {\nopen\n}", `x:2: "open": write ttl TTL, or nothing, in the block of alias`},
		{"host a 192.0.2.1 {\nopen b\n}", "x:2: usage: open"},
		{"service _s._tcp 0 0 1 a {\nopen {\n}\n}", "x:2: usage: open"},
		{"host a 192.0.2.1 {\nopen {\n}\n}", "x:2: usage: open"},
		{"service _s._tcp {\nopen\n}", "x:1: usage: service NAME... PRIORITY WEIGHT PORT HOST..., or service NAME... none"},
	} {
		set, errs := Read("x", tc.text, zones[:1])
		var got strings.Builder
		if len(errs) > 0 {
			got.WriteString(errs.Error())
		} else if err := set.Print(&got, zones[:1]); err != nil {
			t.Fatal(err)
		}
		if got.String() != tc.want {
			t.Errorf("%q: %q, want %q", tc.text, got.String(), tc.want)
		}
	}
}

// TestLimit: of statements that would declare very many records nothing is made, and the error has their line.
func TestLimit(t *testing.T) {
	words := func(format string, n int) string {
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, format, i)
		}
		return all.String()
	}
	thousand := make(Zones, 1000)
	for i := range thousand {
		thousand[i] = Name(fmt.Sprintf("z%d.example.", i))
	}
	manyReverse := slices.Concat(zones[:1], slash17)
	for _, tc := range []struct {
		name, text string
		zones      Zones
		want       string
		owners     int
	}{
		{"names and hosts", "#\nservice" + words(" _s%d._tcp", 400) + " 0 0 1" + words(" h%d", 400), zones[:1], "x:2: 160000 records of one statement, 400 names with 400 records each: write at most 100000, and the others in further statements", 0},
		{"as many as there may be", "service" + words(" _s%d._tcp", 250) + " 0 0 1" + words(" h%d", 400), zones[:1], "", 250},
		{"in a thousand zones", "service" + words(" _s%d._tcp", 250) + " 0 0 1" + words(" h%d", 250), thousand, "x:1: 62500000 records of one statement, 250000 names with 250 records each: write at most 100000, and the others in further statements", 0},
		{"a block", "service" + words(" _s%d._tcp", 250) + " {" + words("\n0 0 1 h%d", 250) + "\n}", thousand, "x:1: 62500000 records of one statement, 250000 names with 250 records each: write at most 100000, and the others in further statements", 0},
		{"mail", "host a 192.0.2.1\nmail" + words(" d%d", 200) + " 10" + words(" h%d", 100), thousand, "x:2: 20000000 records of one statement, 200000 names with 100 records each: write at most 100000, and the others in further statements", 1000},
		{"mail with srv", "mail" + words(" d%d", 200) + " {\n10" + words(" h%d", 300) + "\nsrv\n}", zones[:1], "x:1: 120000 records of one statement, 200 names with 600 records each: write at most 100000, and the others in further statements", 0},
		{"none", "mail" + words(" d%d", 200) + " none", thousand, "x:1: 200000 records of one statement, 200000 names with 1 records each: write at most 100000, and the others in further statements", 0},
		{"aliases", "alias" + words(" a%d", 200) + " h", thousand, "x:1: 200000 records of one statement, 200000 names with 1 records each: write at most 100000, and the others in further statements", 0},
		{"addresses", "host a" + words(" 2001:db8::%d", 200), thousand, "x:1: 200000 records of one statement, 1000 names with 200 records each: write at most 100000, and the others in further statements", 0},
		{"absolute names are made once", "alias" + words(" a%d.z1.example.", 2000) + " h", thousand, "", 2000},
		{"in reverse zones no relative name is made", "alias" + words(" a%d", 2000) + " h", manyReverse, "", 2000},
		{"in reverse zones alone a name is read once", "alias" + words(" a%d.z1.example.", 2000) + " h.z1.example.", manyReverse[1:], "", 2000},
		{"beside reverse zones", "mail" + words(" d%d", 400) + " 10" + words(" h%d", 400), manyReverse[:2], "x:1: 160000 records of one statement, 400 names with 400 records each: write at most 100000, and the others in further statements", 0},
		{"very many words", "mail" + words(" d%d", 50000) + " {\n10 a\n20 b\n30 c\n}", zones[:1], "", 50000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, errs := Read("x", tc.text, tc.zones)
			if got := errs.Error(); got != tc.want || len(set.Owners()) != tc.owners {
				t.Errorf("%s, %d owners, want %d and\n%s", got, len(set.Owners()), tc.owners, tc.want)
			}
		})
	}
}

// slash17 are the reverse zones that CoreDNS makes of 192.0.0.0/17.
var slash17 = func() (reverse Zones) {
	for i := range 128 {
		reverse = append(reverse, Name(fmt.Sprintf("%d.0.192.in-addr.arpa.", i)))
	}
	return reverse
}()

// TestLimitRecords: how many records all statements of a text may declare, whatever reverse zones there are.
func TestLimitRecords(t *testing.T) {
	for _, zones := range []Zones{zones[:1], slices.Concat(zones[:1], slash17)} {
		r := NewReader(zones)
		r.LimitRecords(4)
		r = r.Into(new(Set))
		r.Text(Pos{"x", 1}, "host a 192.0.2.1\nmail m n 10 a b\nalias l a\nhost z 192.0.2.1", nil)
		set, errs := r.Set()
		const want = "x:2: 5 records in one fragment up to here: write at most 4, and the others in further fragments"
		if got := errs.Error(); got != want || len(set.Hosts) != 1 || len(set.Owners()) != len(set.Hosts)+len(set.Records) {
			t.Errorf("%d zones: %s, owners %v", len(zones), got, set.Owners())
		}
	}
}
