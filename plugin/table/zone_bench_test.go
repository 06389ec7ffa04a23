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
	for _, nested := range []int{100, 1_000} {
		zones := definition.Zones{"example.org."}
		names := definition.Names{"h.example.org.": true, "example.org.": true}
		var text strings.Builder
		for i := range nested {
			zone := definition.Name(fmt.Sprintf("z%d.example.org.", i))
			zones = append(zones, zone)
			names[zone] = true
			fmt.Fprintf(&text, "host ns1.%s 192.0.2.1 2001:db8::1\n", zone)
		}
		opt := table.Options{Zones: zones, Serials: digests}
		index := func(address int) *definition.Index {
			set, _ := definition.Read("x", fmt.Sprintf("%shost h.example.org. 192.0.2.%d\n", &text, address), definition.Zones{"."})
			set.Apexes = apexes(zones...)
			return set.Index()
		}
		tbl, i := table.Compile(index(0), opt), 0
		b.Run(fmt.Sprint(nested), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				i++
				changed := index(i % 200)
				b.StartTimer()
				tbl = tbl.Patch(changed, names, opt)
			}
		})
	}
}
