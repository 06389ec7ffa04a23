package definition

import (
	"fmt"
	"strings"
	"testing"
)

// million returns a text of a million records, a line each.
func million() string {
	var b strings.Builder
	for i := range 500_000 {
		fmt.Fprintf(&b, "host h%d 192.0.2.%d\nmail d%d 10 h%d\n", i, i%250, i, i)
	}
	return b.String()
}

func BenchmarkEachStatement(b *testing.B) {
	text := million()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if EachStatement(Pos{"x", 1}, text, func(Statement) { n++ }); n != 1_000_000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	text := million()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Read("x", text, Zones{"example.org."}); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	set, _ := Read("x", million(), Zones{"example.org."})
	b.ReportAllocs()
	for b.Loop() {
		if set.Index().Len() != 1_000_000 {
			b.Fatal("names are missing")
		}
	}
}
