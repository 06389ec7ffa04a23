package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// BenchmarkTexts checks a hundred thousand TXT records: of no policy, of one statement for all, and of one for each name.
func BenchmarkTexts(b *testing.B) {
	const n = 100_000
	rsaKey := key(b)
	for _, bc := range []struct {
		name string
		text func() string
	}{
		{"other", func() string {
			return lines(n, func(i int) string { return fmt.Sprintf("record d%d TXT \"site-verification=%d\"\n", i, i) })
		}},
		{"shared", func() string {
			return "record" + lines(n, func(i int) string { return fmt.Sprintf(" d%d", i) }) +
				" TXT \"v=spf1 mx ip4:192.0.2.1 include:_spf.example.net -all\"\n"
		}},
		{"own", func() string {
			return lines(n, func(i int) string {
				return fmt.Sprintf("record d%d TXT \"v=spf1 mx ip4:192.0.%d.%d include:_spf.example.net -all\"\n", i, i/256%256, i%256)
			})
		}},
		{"dmarc", func() string {
			return lines(n, func(i int) string {
				return fmt.Sprintf("record _dmarc.d%d TXT \"v=DMARC1; p=reject; rua=mailto:a%d@example.org\"\n", i, i)
			})
		}},
		{"dkim", func() string {
			return lines(n, func(i int) string {
				return fmt.Sprintf("record s._domainkey.d%d TXT \"v=DKIM1; n=%d; p=%s\"\n", i, i, rsaKey)
			})
		}},
	} {
		set, errs := definition.Read("x", bc.text(), definition.Zones{"example.org."})
		if len(errs) > 0 {
			b.Fatal(errs)
		}
		index := set.Index()
		b.Run(bc.name, func(b *testing.B) {
			for b.Loop() {
				Check(index, nil, Options{Zones: definition.Zones{"example.org."}})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
		})
	}
}

func lines(n int, line func(int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}
