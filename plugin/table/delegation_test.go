package table_test

import (
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestDelegation: what a zone has of the zones within it.
func TestDelegation(t *testing.T) {
	const text = "host ns 192.0.2.1\nhost ns.d1 192.0.2.2 2001:db8::2\nhost ns.x.d1 192.0.2.3\nhost d1 192.0.2.4\n" +
		"mail d1 none"
	const apex = "SOA, example.org. NS, "
	const ns, nsd1 = "ns.example.org. A, ", "ns.d1.example.org. A, ns.d1.example.org. AAAA, "
	type servers map[definition.Name]definition.Name
	for _, tc := range []struct {
		name    string
		servers servers // of the authoritative zones
		want    string  // what example.org has
	}{
		{"no zone within", servers{"example.org.": "ns.example.org."}, apex + ns},
		{"a name server elsewhere",
			servers{"example.org.": "ns.example.org.", "d1.example.org.": "ns.example.net."},
			apex + "d1.example.org. NS, " + ns},
		{"a name server in the zone",
			servers{"example.org.": "ns.example.org.", "d1.example.org.": "ns.example.org."},
			apex + "d1.example.org. NS, " + ns},
		{"a name server in the zone within",
			servers{"example.org.": "ns.example.org.", "d1.example.org.": "ns.d1.example.org."},
			apex + "d1.example.org. NS, " + nsd1 + ns},
		{"a name server at the apex of the zone within",
			servers{"example.org.": "ns.example.org.", "d1.example.org.": "d1.example.org."},
			apex + "d1.example.org. NS, d1.example.org. A, " + ns},
		{"a name server two zones down",
			servers{"example.org.": "ns.example.org.", "d1.example.org.": "ns.x.d1.example.org."},
			apex + "d1.example.org. NS, ns.x.d1.example.org. A, " + ns},
		{"its own name server in the zone within",
			servers{"example.org.": "ns.d1.example.org.", "d1.example.org.": "ns.example.net."},
			apex + "d1.example.org. NS, " + nsd1 + ns},
		{"its own name server in an overlay within, which is not delegated",
			servers{"example.org.": "ns.d1.example.org."}, apex + ns},
		{"an authoritative zone two zones down, in an overlay",
			servers{"example.org.": "ns.example.org.", "x.d1.example.org.": "ns.x.d1.example.org."},
			apex + ns},
	} {
		set, _ := definition.Read("x", text, zones[:1])
		for zone, server := range tc.servers {
			apex := apexes(zone)[0]
			apex.Servers = []definition.NameServer{{Host: server}}
			set.Apexes = append(set.Apexes, apex)
		}
		tbl := table.Compile(set.Index(), table.Options{Zones: nested})
		if got := rrsetsOf(tbl, "example.org."); got != "example.org. "+tc.want {
			t.Errorf("%s: %s\nwant example.org. %s", tc.name, got, tc.want)
		}
	}
}
