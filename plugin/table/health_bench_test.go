package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// BenchmarkWith: a verdict that takes an exchange of many mail domains out of answers, and one that brings it back. With
// own, each has another backup, and so an RRset of its own; else they share one.
func BenchmarkWith(b *testing.B) {
	for _, names := range []int{1000, 100_000} {
		for _, own := range []bool{false, true} {
			b.Run(fmt.Sprintf("names=%d/own=%v", names, own), func(b *testing.B) {
				text := []string{"host a 192.0.2.1 2001:db8::1\nhost b 192.0.2.2\n"}
				for i := range names {
					backup := 0
					if own {
						backup = i
					}
					text = append(text, fmt.Sprintf("mail d%d {\n10 a b\n20 mx%d.example.net.\n}\n", i, backup))
				}
				set := checkedSet(b, strings.Join(text, ""))
				up := table.Compile(set.Index(), table.Options{Zones: zones[:1]})
				changed := up.Probes()
				up = up.With(verdictsOf(b, up, "1+ 2+"), nil)
				downs := verdictsOf(b, up, "1- 2+")
				b.ReportAllocs()
				for b.Loop() {
					up.With(downs, changed)
				}
			})
		}
	}
}

// BenchmarkFind: an answer of a table without checks, of one with checks, and of one in which something is hidden.
func BenchmarkFind(b *testing.B) {
	const text = "host a 192.0.2.1\nhost b 192.0.2.2\nmail @ 10 a b\n"
	set, _ := definition.Read("x", text, zones[:1])
	unchecked := table.Compile(set.Index(), table.Options{Zones: zones[:1]})
	checked := table.Compile(checkedSet(b, text).Index(), table.Options{Zones: zones[:1]})
	hiding := checked.With(verdictsOf(b, checked, "1- 2+"), nil)
	for _, bm := range []struct {
		name string
		tbl  *table.Table
	}{{"unchecked", unchecked}, {"checked", checked}, {"hiding", hiding}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			var a table.Answer
			for b.Loop() {
				bm.tbl.Find("example.org.", dns.TypeMX, &a)
			}
		})
	}
}
