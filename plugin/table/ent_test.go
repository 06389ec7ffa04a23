package table_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestEmptyNonTerminals: a name exists as long as one below it has records, as patches come and go.
func TestEmptyNonTerminals(t *testing.T) {
	const a, c, d = "host a 192.0.2.1\n", "host c.b.a 192.0.2.2\n", "host d.b.a 192.0.2.3\n"
	for _, tc := range []struct {
		name  string
		texts []string // one after another
		want  string   // whether a, b.a, c.b.a and d.b.a have records, exist or do not
	}{
		{"none", []string{a}, "data none none none"},
		{"come", []string{a, a + c}, "data exists data none"},
		{"gone with what was below", []string{c, ""}, "none none none none"},
		{"gone up to a name with records", []string{a + c, a}, "data none none none"},
		{"left for another below", []string{a + c + d, a + d}, "data exists none data"},
		{"left for one that came in a patch", []string{a + c, a + c + d, a + d}, "data exists none data"},
		{"gone with one that came in a patch", []string{a, a + c, a}, "data none none none"},
		{"gone with the last of two", []string{a + c + d, a + d, a}, "data none none none"},
		{"gone, and come again", []string{a + c, a, a + c}, "data exists data none"},
		{"a name loses its records", []string{a + c, c}, "exists exists data none"},
		{"a name loses its records, and then what is below", []string{a + c, c, ""}, "none none none none"},
		{"both at once", []string{a + c, ""}, "none none none none"},
		{"one takes the place of another", []string{c, d}, "exists exists none data"},
	} {
		var tbl *table.Table
		for i, text := range tc.texts {
			set, _ := definition.Read("x", text, zones[:1])
			if i == 0 {
				tbl = table.Compile(set.Index(), table.Options{Zones: zones})
				continue
			}
			names := definition.Names{}
			for name, line := range map[definition.Name]string{"a": a, "c.b.a": c, "d.b.a": d} {
				if strings.Contains(text, line) != strings.Contains(tc.texts[i-1], line) {
					names[name+".example.org."] = true
				}
			}
			tbl = tbl.Patch(set.Index(), names, table.Options{Zones: zones})
		}
		var got []string
		for _, name := range []string{"a", "b.a", "c.b.a", "d.b.a"} {
			match, _ := tbl.Lookup(name+".example.org.", dns.TypeA)
			got = append(got, []string{table.None: "none", table.Exists: "exists", table.Data: "data"}[match])
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, got, tc.want)
		}
	}
}
