package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// apexes returns an apex for each zone, whose name servers are ns1 in it and one elsewhere.
func apexes(zones ...definition.Name) []definition.Apex {
	var apexes []definition.Apex
	for _, zone := range zones {
		apexes = append(apexes, definition.Apex{
			Zone: zone, Servers: []definition.NameServer{{Host: "ns1." + zone}, {Host: "ns.example.net."}},
			Contact: "hostmaster." + string(zone), TTL: definition.TTL{Seconds: 600},
			Refresh: 7200, Retry: 1800, Expire: 1209600, Negative: 60,
		})
	}
	return apexes
}

func digests(definition.Name, table.Digest) uint32 { return 1 }

// BenchmarkAll goes through a zone of 200 RRsets in tables with more and more names in another one.
func BenchmarkAll(b *testing.B) {
	zones := definition.Zones{"small.example.", "large.example."}
	for _, names := range []int{1_000, 200_000} {
		var text strings.Builder
		for i := range 200 {
			fmt.Fprintf(&text, "host h%d.small.example. 192.0.2.1\n", i)
		}
		for i := range names {
			fmt.Fprintf(&text, "host h%d.large.example. 192.0.2.1\n", i)
		}
		set, _ := definition.Read("x", text.String(), definition.Zones{"."})
		set.Apexes = apexes(zones...)
		tbl := table.Compile(set.Index(), table.Options{Zones: zones, Serials: digests})
		b.Run(fmt.Sprint(names), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range tbl.All("small.example.") {
				}
			}
		})
	}
}

// BenchmarkPatch changes an address in a zone that has many others within it, all authoritative.
func BenchmarkPatch(b *testing.B) {
	for _, zones := range []int{100, 1_000} {
		tbl, with, opt := nestedZones(zones)
		addresses := []*definition.Index{with("host h.example.org. 192.0.2.1"), with("host h.example.org. 192.0.2.2")}
		i := 0
		b.Run(fmt.Sprint(zones), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i++
				tbl = tbl.Patch(addresses[i%2], definition.Names{"h.example.org.": true}, opt)
			}
		})
	}
}

// nestedZones returns the table of an authoritative zone with others within it, each with a name server that has two
// addresses; and what makes an index of that with something else.
func nestedZones(n int) (tbl *table.Table, with func(text string) *definition.Index, opt table.Options) {
	zones := definition.Zones{"example.org."}
	var text strings.Builder
	for i := range n {
		zones = append(zones, definition.Name(fmt.Sprintf("z%d.example.org.", i)))
		fmt.Fprintf(&text, "host ns1.%s 192.0.2.1 2001:db8::1\n", zones[i+1])
	}
	servers, _ := definition.Read("x", text.String(), definition.Zones{"."})
	servers.Apexes = apexes(zones...)
	with = func(text string) *definition.Index {
		set, _ := definition.Read("y", text, definition.Zones{"."})
		return definition.Merge(servers, set).Index()
	}
	opt = table.Options{Zones: zones, Serials: digests}
	return table.Compile(with(""), opt), with, opt
}
