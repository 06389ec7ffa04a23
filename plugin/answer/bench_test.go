package answer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

const benchDefinitions = `
host mx1 192.0.2.10
host mx2 192.0.2.20
mail @ {
    10 mx1
    20 mx2
}
`

const benchZone = `
example.org. 3600 IN SOA ns.example.org. admin.example.org. 1 7200 1800 86400 300
example.org. 3600 IN NS ns.example.net.
example.org. 3600 IN MX 10 mx1.example.org.
example.org. 3600 IN MX 20 mx2.example.org.
mx1.example.org. 3600 IN A 192.0.2.10
mx2.example.org. 3600 IN A 192.0.2.20
`

// discard is the client of a benchmark, on UDP.
type discard struct{ test.ResponseWriter }

func (*discard) RemoteAddr() net.Addr { return udpAddr }

// silence is a next plugin that writes nothing.
var silence = plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) { return 0, nil })

// bare is a plugin that does nothing but call the next one. What that costs is CoreDNS's.
type bare struct{ next plugin.Handler }

func (bare) Name() string { return "bare" }

func (b bare) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return plugin.NextOrFailure("bare", b.next, ctx, w, r)
}

func fromFile(tb testing.TB) plugin.Handler {
	tb.Helper()
	zone, err := file.Parse(strings.NewReader(benchZone), "example.org.", "bench", 0)
	if err != nil {
		tb.Fatal(err)
	}
	return file.File{Next: silence, Zones: file.Zones{
		Z: map[string]*file.Zone{"example.org.": zone}, Names: []string{"example.org."},
	}}
}

var w = new(discard)

func serve(tb testing.TB, h plugin.Handler, m *dns.Msg) {
	if _, err := h.ServeDNS(context.Background(), w, m); err != nil {
		tb.Fatal(err)
	}
}

func benchmark(b *testing.B, h plugin.Handler, name string) {
	m := new(dns.Msg).SetQuestion(name, dns.TypeMX)
	b.ReportAllocs()
	for b.Loop() {
		serve(b, h, m)
	}
}

// BenchmarkMX answers two exchanges with two addresses.
func BenchmarkMX(b *testing.B) {
	b.Run("mxsrv", func(b *testing.B) { benchmark(b, newServer(b, benchDefinitions, silence), "example.org.") })
	b.Run("file", func(b *testing.B) { benchmark(b, fromFile(b), "example.org.") })
}

// BenchmarkChain answers after other plugins, each query on a goroutine of its own as in CoreDNS: what the stack costs is
// part of it.
func BenchmarkChain(b *testing.B) {
	for _, names := range []string{"", "errors", "prometheus+errors"} {
		l := workload{definitions: benchDefinitions, question: "example.org. MX"}
		for _, contender := range []string{"mxsrv", "fixed"} {
			b.Run(names+"/"+contender, func(b *testing.B) {
				s, c := l.handler(b), newClient(b, false)
				if contender == "fixed" {
					s.answers = l.fixed(b, s)
				}
				core := s.after(b, plugins(strings.FieldsFunc(names, func(r rune) bool { return r == '+' })...)...)
				done := make(chan struct{})
				for b.Loop() {
					go func() {
						core.ServeDNS(context.Background(), c.ResponseWriter, l.query())
						done <- struct{}{}
					}()
					<-done
				}
			})
		}
	}
}

// BenchmarkNext leaves a name that is not declared to the next plugin.
func BenchmarkNext(b *testing.B) {
	b.Run("mxsrv", func(b *testing.B) { benchmark(b, newServer(b, benchDefinitions, silence), "nosuch.example.org.") })
	b.Run("bare", func(b *testing.B) { benchmark(b, bare{silence}, "nosuch.example.org.") })
}

// BenchmarkNames answers for one name in many, at random. Both sizes walk over
// as many questions, so that the difference is the table's.
func BenchmarkNames(b *testing.B) {
	for _, n := range []int{1000, 1000000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkNames(b, n) })
	}
}

func benchmarkNames(b *testing.B, n int) {
	h := newServer(b, manyDomains(n), silence)
	names := shuffled(n)
	m := new(dns.Msg).SetQuestion("example.org.", dns.TypeMX)
	runtime.GC() // or what is left of compiling is cleared away at our expense
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Question[0].Name = names[i%len(names)]
		serve(b, h, m)
	}
}

// manyDomains declares n mail domains with the same exchanges.
func manyDomains(n int) string {
	var text strings.Builder
	text.WriteString("host mx1 192.0.2.10\nhost mx2 192.0.2.20\nmail")
	for i := range n {
		fmt.Fprintf(&text, " d%d", i)
	}
	text.WriteString(" 10 mx1 mx2\n")
	return text.String()
}

// shuffled returns a million of the names that manyDomains declares, or each
// of them as often as it takes.
func shuffled(n int) []string {
	names := make([]string, 1000000)
	for i, j := range rand.New(rand.NewPCG(1, 2)).Perm(len(names)) {
		names[i] = fmt.Sprintf("d%d.example.org.", j%n)
	}
	return names
}

// TestAllocs: an answer costs the message and its question, and the way to the next plugin
// nothing that is ours.
func TestAllocs(t *testing.T) {
	h := newServer(t, benchDefinitions, silence)
	count := func(h plugin.Handler, name string, qtype uint16) float64 {
		m := new(dns.Msg).SetQuestion(name, qtype)
		return testing.AllocsPerRun(1000, func() { serve(t, h, m) })
	}
	for _, tc := range []struct {
		name  string
		qtype uint16
	}{{"example.org.", dns.TypeMX}, {"mx1.example.org.", dns.TypeA}} {
		if got := count(h, tc.name, tc.qtype); got > 2 {
			t.Errorf("%s %s: %v allocations, want at most 2", tc.name, dns.TypeToString[tc.qtype], got)
		}
	}
	own := count(bare{silence}, "nosuch.example.org.", dns.TypeMX)
	if got := count(h, "nosuch.example.org.", dns.TypeMX); got > own {
		t.Errorf("next plugin: %v allocations, want the %v of CoreDNS", got, own)
	}
}
