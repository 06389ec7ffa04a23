package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

func init() {
	after := slices.Index(dnsserver.Directives, "transfer")
	dnsserver.Directives = slices.Insert(slices.Clone(dnsserver.Directives), after+1, self)
}

// A server is mxsrv as far as this package makes it, on a table that does not change.
type server struct {
	*Responder
	table *table.Table
	next  plugin.Handler

	answers  plugin.Handler // in its place, if it is not nil
	warnings []string
}

func (*server) Name() string { return self }

func (s *server) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	reply, w := s.Reply(ctx, w, r, s.table)
	if reply != nil {
		return reply.Write(w)
	}
	rcode, err := plugin.NextOrFailure(self, s.next, ctx, w, r)
	rcode, _, err = s.AfterNext(ctx, w, r, s.table, rcode, err)
	return rcode, err
}

// newServer serves definitions of the zone example.org, which is authoritative if it is named, as are others that are.
func newServer(tb testing.TB, definitions string, next plugin.Handler, authoritative ...definition.Name) *server {
	tb.Helper()
	return serverOf(tb, definitions, next, Config{Zones: definition.Zones{"example.org."}, Authoritative: authoritative})
}

func serverOf(tb testing.TB, definitions string, next plugin.Handler, c Config) *server {
	tb.Helper()
	set, errs := definition.Read("test", definitions, c.Zones[:1])
	if len(errs) > 0 {
		tb.Fatal(errs)
	}
	for _, zone := range c.Authoritative {
		set.Apexes = append(set.Apexes, definition.Apex{Zone: zone, Servers: []definition.NameServer{{Host: "ns1." + zone}},
			Contact: "hostmaster." + string(zone), TTL: definition.TTL{Seconds: 3600}, Negative: 120})
	}
	counter := func(name string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name}, []string{"server"})
	}
	c.TrimmedGlue, c.RepairedNXDOMAIN, c.RepairedAlias = counter("trimmed"), counter("repaired"), counter("alias")
	s := &server{table: table.Compile(set.Index(), table.Options{Zones: c.Zones, Fallthrough: c.Fallthrough}), next: next}
	c.Warn = func(text string) { s.warnings = append(s.warnings, text) }
	s.Responder = New(c)
	s.Next = next
	return s
}

// after puts a server after other plugins in a server block of CoreDNS, and returns that.
func (s *server) after(tb testing.TB, handlers ...plugin.Handler) *dnsserver.Server {
	tb.Helper()
	c := &dnsserver.Config{Zone: "example.org.", Transport: "dns", ListenHosts: []string{""}, Port: "53"}
	for _, h := range handlers {
		c.AddPlugin(func(next plugin.Handler) plugin.Handler {
			h.(interface{ setNext(plugin.Handler) }).setNext(next)
			return h
		})
	}
	s.Join(c)
	c.AddPlugin(func(plugin.Handler) plugin.Handler {
		if s.answers != nil {
			return s.answers
		}
		return s
	})
	if s.next != nil {
		c.AddPlugin(func(plugin.Handler) plugin.Handler { return s.next })
	}
	core, err := dnsserver.NewServer("dns://:53", []*dnsserver.Config{c})
	if err != nil {
		tb.Fatal(err)
	}
	s.Inspect()
	return core
}

// before is a plugin before mxsrv, of any name.
type before struct {
	name string
	next plugin.Handler
	wrap func(dns.ResponseWriter) dns.ResponseWriter
	asks func(context.Context) // is called with the context of each query
}

func (b *before) setNext(next plugin.Handler) { b.next = next }

func (b *before) Name() string { return b.name }

func (b *before) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if b.wrap != nil {
		w = b.wrap(w)
	}
	if b.asks != nil {
		b.asks(ctx)
	}
	if b.name == "prometheus" && b.wrap == nil {
		w = metrics.NewRecorder(w)
	}
	return plugin.NextOrFailure(b.name, b.next, ctx, w, r)
}

// following is a next plugin: it answers with one message, and remembers how often it was asked.
type following struct {
	answer *dns.Msg
	asked  int
}

func (*following) Name() string { return "file" }

func (f *following) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	f.asked++
	f.answer.SetRcode(r, f.answer.Rcode)
	return f.answer.Rcode, w.WriteMsg(f.answer)
}

func ask(tb testing.TB, h plugin.Handler, m *dns.Msg) (rcode int, res *dns.Msg, err error) {
	tb.Helper()
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	rcode, err = h.ServeDNS(tb.Context(), w, m)
	return rcode, w.Msg, err
}

func query(question string) *dns.Msg {
	name, qtype, _ := strings.Cut(question, " ")
	return new(dns.Msg).SetQuestion(name, dns.StringToType[qtype])
}

func rr(tb testing.TB, text string) dns.RR {
	tb.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		tb.Fatal(err)
	}
	return rr
}

// brief writes a message: rcode, AA, AD, TC, and the owners and types of the sections.
func brief(m *dns.Msg) string {
	if m == nil {
		return "nothing"
	}
	var b strings.Builder
	b.WriteString(dns.RcodeToString[m.Rcode])
	for _, f := range []struct {
		name string
		set  bool
	}{{"aa", m.Authoritative}, {"ad", m.AuthenticatedData}, {"tc", m.Truncated}} {
		if f.set {
			b.WriteString(" " + f.name)
		}
	}
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		b.WriteString(" |")
		for _, rr := range section {
			fmt.Fprintf(&b, " %s %s", rr.Header().Name, dns.TypeToString[rr.Header().Rrtype])
		}
	}
	return b.String()
}
