package table_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// authoritative compiles definitions in two authoritative zones, one within the other, each with its name server.
func authoritative(text string, opt table.Options) *table.Table {
	opt.Zones = zones
	set, _ := definition.Read("x", text, zones[:1])
	set.Apexes = apexes(zones...)
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

// TestRender: a zone in canonical order, with the delegation of the zone within it, its name servers' addresses, and
// nothing else of that.
func TestRender(t *testing.T) {
	tbl := authoritative(`
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

// TestAllOfOverlay: a zone that is not authoritative has neither SOA nor NS, but delegates; a zone that is none has
// nothing.
func TestAllOfOverlay(t *testing.T) {
	const text = "host h 192.0.2.1\nhost ns1.deep.sub 192.0.2.54\nhost outside.example. 192.0.2.2"
	set, _ := definition.Read("x", text, zones[:1])
	set.Apexes = apexes(zones[1])
	for _, all := range []definition.Zones{zones, zones[:1]} {
		tbl := table.Compile(set.Index(), table.Options{Zones: all})
		for zone, want := range map[definition.Name]string{
			"example.org.": "h.example.org. A, deep.sub.example.org. NS, ns1.deep.sub.example.org. A, ",
			"example.":     "",
			".":            "",
		} {
			if len(all) == 1 && want != "" { // then nothing is delegated
				want = "h.example.org. A, ns1.deep.sub.example.org. A, "
			}
			if got := rrsetsOf(tbl, zone); got != want {
				t.Errorf("zones %v: %s has %s\nwant %s", all, zone, got, want)
			}
		}
	}
}

// rrsetsOf returns the owners and types of a zone.
func rrsetsOf(tbl *table.Table, zone definition.Name) string {
	var b strings.Builder
	for rrset := range tbl.All(zone) {
		h := rrset[0].Header()
		fmt.Fprintf(&b, "%s %s, ", h.Name, dns.TypeToString[h.Rrtype])
	}
	return b.String()
}

// TestAllStops: who has seen enough gets no more.
func TestAllStops(t *testing.T) {
	tbl, with, opt := nestedZones(3)
	tbl = tbl.Patch(with("host a.example.org. 192.0.2.1"), definition.Names{"a.example.org.": true}, opt)
	all := strings.Count(rrsetsOf(tbl, "example.org."), ",")
	for most := range all {
		n := 0
		for range tbl.All("example.org.") {
			if n++; n > most {
				break
			}
		}
		if n != most+1 {
			t.Errorf("%d RRsets, want %d", n, most+1)
		}
	}
}

// TestAllAtOnce: many readers of one zone each get all of it, whoever is first.
func TestAllAtOnce(t *testing.T) {
	tbl, _, _ := nestedZones(200)
	want := rrsetsOf(tbl, "example.org.")
	tbl, _, _ = nestedZones(200)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			if got := rrsetsOf(tbl, "example.org."); got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
		})
	}
	readers.Wait()
}

// TestAllAllocates: names in other zones cost nothing. Looking at each would make a string of it; the race detector
// makes some of what is pooled again.
func TestAllAllocates(t *testing.T) {
	const others, pooled = 1000, 100
	cost := func(others int) float64 {
		var text strings.Builder
		for i := range others {
			fmt.Fprintf(&text, "host o%d.deep.sub 192.0.2.1\n", i)
		}
		tbl := compile(t, "host h 192.0.2.1\nmail @ 10 h\n"+text.String())
		return testing.AllocsPerRun(10, func() {
			for range tbl.All("example.org.") {
			}
		})
	}
	if few, many := cost(1), cost(others); many > few+pooled {
		t.Errorf("%v allocations beside 1 name of another zone, %v beside %d, want as many", few, many, others)
	}
}
