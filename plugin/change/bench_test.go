package change

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

var benchZones = definition.Zones{"example.org."}

// million returns a text of a million records, a line each.
func million() string {
	var b strings.Builder
	for i := range 500_000 {
		fmt.Fprintf(&b, "host h%d 192.0.2.%d\n", i, i%250)
		fmt.Fprintf(&b, "mail d%d 10 h%d\n", i, i)
	}
	return b.String()
}

func BenchmarkDocumentChange(b *testing.B) {
	text := million()
	middle := len(text) / 2
	middle += strings.IndexByte(text[middle:], '\n') + 1
	with := func(line string) string { return text[:middle] + line + text[middle:] }
	for _, bc := range []struct{ name, a, b string }{
		{"middle", with("host new 192.0.2.1\n"), with("host new 192.0.2.2\n")},
		{"ends", "host x 192.0.2.1\n" + text + "host y 192.0.2.1\n", "host x 192.0.2.2\n" + text + "host y 192.0.2.2\n"},
	} {
		b.Run(bc.name, func(b *testing.B) {
			d := NewDocument("x", bc.a, definition.NewReader(benchZones))
			if errs := d.Read(new(definition.Set)); len(errs) > 0 {
				b.Fatal(errs)
			}
			runtime.GC()
			b.ReportAllocs()
			for b.Loop() {
				bc.a, bc.b = bc.b, bc.a
				if names, ok := d.Change(bc.a); !ok || len(names) == 0 {
					b.Fatal(len(names), ok)
				}
			}
		})
	}
}

// BenchmarkFragmentChange: one of many that share two exchanges.
func BenchmarkFragmentChange(b *testing.B) {
	for _, n := range []int{25_000, 200_000} {
		f := NewFragments(benchZones)
		edit := func(i, preference int) Edit {
			text := fmt.Sprintf("mail d%d %d mx1 20 mx2", i, preference)
			return Edit{Fragment: Fragment{Key: fmt.Sprint(i), Text: text, Created: int64(i)}}
		}
		edits := []Edit{{Fragment: Fragment{Key: "mx", Text: "host mx1 192.0.2.1\nhost mx2 192.0.2.2"}}}
		for i := range n {
			edits = append(edits, edit(i, 10))
		}
		f.Apply(edits)
		done := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				done++
				changed, errs := f.Apply([]Edit{edit(n/2, done%10)})
				part, ok := Affected([]Store{f}, changed)
				if !ok || len(errs) > 0 || len(part.Set.Mails) != 1 || len(part.Set.Hosts) != 2 {
					b.Fatal(part, ok, errs)
				}
			}
		})
	}
}
