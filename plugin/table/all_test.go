package table_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// whole compiles definitions in two zones that are served whole, one within the
// other, each with its name server.
func whole(text string, opt table.Options) *table.Table {
	opt.Zones = zones
	set, _ := definition.Read("x", text, zones[:1])
	for _, zone := range zones {
		set.Apexes = append(set.Apexes, definition.Apex{
			Zone: zone, Servers: []definition.NameServer{{Host: "ns1." + zone}, {Host: "ns.example.net."}},
			Contact: "hostmaster." + string(zone), TTL: definition.TTL{Seconds: 600},
			Refresh: 7200, Retry: 1800, Expire: 1209600, Negative: 60,
		})
	}
	return table.Compile(set.Index(), opt)
}

const rendered = `example.org.	600	IN	SOA	ns1.example.org. hostmaster.example.org. 5 7200 1800 1209600 60
example.org.	600	IN	NS	ns1.example.org.
example.org.	600	IN	NS	ns.example.net.
example.org.	3600	IN	MX	10 mx1.example.org.
example.org.	3600	IN	MX	20 mx1.deep.sub.example.org.
_ldap._tcp.example.org.	3600	IN	SRV	0 6 389 mx1.example.org.
mx1.example.org.	3600	IN	A	192.0.2.10
mx1.example.org.	3600	IN	AAAA	2001:db8::10
ns1.example.org.	3600	IN	A	192.0.2.53
deep.sub.example.org.	600	IN	NS	ns1.deep.sub.example.org.
deep.sub.example.org.	600	IN	NS	ns.example.net.
ns1.deep.sub.example.org.	3600	IN	A	192.0.2.54
ns1.deep.sub.example.org.	3600	IN	AAAA	2001:db8::54
www.example.org.	3600	IN	CNAME	mx1.example.org.
`

// TestRender: a zone in canonical order, with the delegation of the zone within
// it, its name servers' addresses, and nothing else of that.
func TestRender(t *testing.T) {
	tbl := whole(`
host ns1.deep.sub 192.0.2.54 2001:db8::54
host mx1.deep.sub 192.0.2.11
host ns1 192.0.2.53
host mx1 192.0.2.10 2001:db8::10
mail @ 20 mx1.deep.sub
mail @ 10 mx1
mail deep.sub 10 mx1.deep.sub
service _ldap._tcp 0 6 389 mx1
alias www mx1`, table.Options{Serial: 5})
	var b strings.Builder
	if err := tbl.Render(&b, zones[0]); err != nil {
		t.Fatal(err)
	}
	if b.String() != rendered {
		t.Errorf("%s\nwant\n%s", b.String(), rendered)
	}
	n := 0
	for p := dns.NewZoneParser(strings.NewReader(b.String()), "", ""); ; n++ {
		if _, ok := p.Next(); !ok {
			if p.Err() != nil {
				t.Error(p.Err())
			}
			break
		}
	}
	if n != strings.Count(rendered, "\n") {
		t.Errorf("%d records are read back, want %d", n, strings.Count(rendered, "\n"))
	}
}

// TestDigest: a serial is asked for with a digest that changes with every record
// of the zone, and with nothing else.
func TestDigest(t *testing.T) {
	digest := func(text string) (of [2]table.Digest) {
		whole(text, table.Options{Serials: func(zone definition.Name, d table.Digest) uint32 {
			of[slices.Index(zones, zone)] = d
			return 1
		}})
		return of
	}
	const text = "host ns1 192.0.2.53\nhost mx1 192.0.2.10 {\n ttl 60\n}\nmail @ 10 mx1\n"
	first := digest(text)
	for _, tc := range []struct {
		name, text string
		changes    bool
	}{
		{"another order", "mail @ 10 mx1\nhost mx1 192.0.2.10 {\n ttl 60\n}\nhost ns1 192.0.2.53", false},
		{"said twice", text + text, false},
		{"the zone within", text + "host a.deep.sub 192.0.2.1", false},
		{"its name server's address, which the zone has too", text + "host ns1.deep.sub 192.0.2.54", true},
		{"another name", text + "host a 192.0.2.1", true},
		{"another address", strings.Replace(text, "2.10", "2.11", 1), true},
		{"another ttl", strings.Replace(text, "60", "61", 1), true},
		{"another preference", strings.Replace(text, "10 mx1", "11 mx1", 1), true},
		{"one less", "host ns1 192.0.2.53", true},
	} {
		got := digest(tc.text)
		if changed := got[0] != first[0]; changed != tc.changes {
			t.Errorf("%s: changes: %v, want %v", tc.name, changed, tc.changes)
		}
		if again, err := table.ParseDigest(got[0].String()); err != nil || again != got[0] {
			t.Errorf("%s: %v is read back as %v, %v", tc.name, got[0], again, err)
		}
	}
}

// TestWholeAllocates: that a zone is served whole costs a denial nothing either.
func TestWholeAllocates(t *testing.T) {
	tbl := whole("host mx1 192.0.2.1\nmail @ 10 mx1", table.Options{})
	if n := testing.AllocsPerRun(100, func() { tbl.Lookup("example.org.", dns.TypeMX); tbl.Lookup("no.example.org.", dns.TypeA) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
