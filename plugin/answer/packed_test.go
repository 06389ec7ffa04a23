package answer

import (
	"context"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// seeing is the writer of a plugin that wants to see messages.
type seeing struct{ dns.ResponseWriter }

// TestIsClient: only clients over UDP, TCP and TLS take a packed reply.
func TestIsClient(t *testing.T) {
	r, udp := new(dns.Msg), newClient(t, false).ResponseWriter
	for _, tc := range []struct {
		name string
		w    dns.ResponseWriter
		want bool
	}{
		{"UDP", request.NewScrubWriter(r, udp), true},
		{"TCP", request.NewScrubWriter(r, newClient(t, true).ResponseWriter), true},
		{"not of a server", udp, false},
		{"a plugin that asks the server", request.NewScrubWriter(r, nonwriter.New(udp)), false},
		{"HTTPS", request.NewScrubWriter(r, new(dnsserver.DoHWriter)), false},
		{"HTTP/3", request.NewScrubWriter(r, new(dnsserver.DoHWriter)), false},
		{"QUIC", request.NewScrubWriter(r, new(dnsserver.DoQWriter)), false},
		{"a plugin after the server", seeing{request.NewScrubWriter(r, udp)}, false},
		{"no server", request.NewScrubWriter(r, nil), false},
		{"nobody", nil, false},
	} {
		if got := isClient(tc.w); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// signing is a dnssec plugin, which signs nothing by itself.
type signing struct {
	*before
	signs
}

func plugins(names ...string) (handlers []plugin.Handler) {
	for _, name := range names {
		b := &before{name: name}
		if handlers = append(handlers, b); name == "dnssec" {
			handlers[len(handlers)-1] = signing{b, "example.org."}
		}
	}
	return handlers
}

// askServer asks a server as a client does, and reports whether it got a packed reply: in that all names are compressed,
// which CoreDNS does only with what would be too long.
func askServer(t *testing.T, core *dnsserver.Server, m *dns.Msg, c *client) (res *dns.Msg, packed bool) {
	t.Helper()
	c.octets = nil
	core.ServeDNS(t.Context(), c.ResponseWriter, m)
	res = c.message(t)
	return res, len(c.octets) < res.Len()
}

// TestPacked: a reply is packed where no plugin sees it, and is data.
func TestPacked(t *testing.T) {
	zone := definition.Name("example.org.")
	for _, tc := range []struct {
		name          string
		before        []string
		authoritative bool
		question      string
		do            bool
		want          bool
	}{
		{"first", nil, false, "example.org. MX", false, true},
		{"first, asked with DO", nil, false, "example.org. MX", true, true},
		{"after errors", []string{"errors"}, false, "example.org. MX", false, true},
		{"after all that see no message", []string{"metadata", "geoip", "cancel", "bufsize", "prometheus", "errors", "local", "acl", "any", "chaos", "template", "transfer"},
			false, "example.org. MX", false, true},
		{"after log", []string{"errors", "log"}, false, "example.org. MX", false, false},
		{"after a plugin that is not known", []string{"errors", "minimal"}, false, "example.org. MX", false, false},
		{"after one without a place in plugin.cfg", []string{"nowhere"}, false, "example.org. MX", false, false},
		{"after dnssec", []string{"dnssec"}, true, "example.org. MX", false, true},
		{"after dnssec, asked with DO", []string{"dnssec"}, true, "example.org. MX", true, false},
		{"after cache, authoritative", []string{"cache"}, true, "example.org. MX", false, true},
		{"after cache", []string{"cache"}, false, "example.org. MX", false, false},
		{"denial", []string{"errors"}, true, "nosuch.example.org. MX", false, false},
		{"no data", []string{"errors"}, true, "mx1.example.org. AAAA", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var apexes []definition.Name
			if tc.authoritative {
				apexes = append(apexes, zone)
			}
			core := newServer(t, benchDefinitions, nil, apexes...).after(t, plugins(tc.before...)...)
			for _, tcp := range []bool{false, true} {
				m := query(tc.question)
				if tc.do {
					m.SetEdns0(1232, true)
				}
				if res, packed := askServer(t, core, m, newClient(t, tcp)); packed != tc.want {
					t.Errorf("TCP %v: packed: %v, want %v:\n%v", tcp, packed, tc.want, res)
				}
			}
		})
	}
}

// TestFlags: of the EDNS flags of a query a reply of ours has DO and no other, packed or not.
func TestFlags(t *testing.T) {
	alias := &following{answer: &dns.Msg{Answer: []dns.RR{rr(t, "mx1.example.org. CNAME www.example.net.")}}}
	for _, tc := range []struct {
		name, question string
		next           plugin.Handler
		before         []string
	}{
		{"packed", "example.org. MX", nil, nil},
		{"message", "example.org. MX", nil, []string{"log"}},
		{"denial", "nosuch.example.org. MX", nil, nil},
		{"denied alias", "mx1.example.org. TXT", alias, nil},
	} {
		for _, do := range []bool{false, true} {
			core, c := newServer(t, benchDefinitions, tc.next).after(t, plugins(tc.before...)...), newClient(t, false)
			m := query(tc.question).SetEdns0(1232, do)
			m.IsEdns0().Hdr.Ttl |= 0x7f00 | 0xff // 0x4000 is CO, RFC 9824
			res, _ := askServer(t, core, m, c)
			opt := res.IsEdns0()
			if opt == nil || opt.Do() != do || opt.Hdr.Ttl&0x7fff != 0 || opt.UDPSize() != 1232 {
				t.Errorf("%s, DO %v: %v", tc.name, do, opt)
			}
		}
	}
}

// TestPackedOnlyForClient: a plugin that asks the server itself gets a message, also with the context of a client's
// query, and after it the client gets a packed reply.
func TestPackedOnlyForClient(t *testing.T) {
	var core *dnsserver.Server
	asked := 0
	asking := &before{name: "template"}
	asking.asks = func(ctx context.Context) {
		asking.asks = nil
		w := nonwriter.New(newClient(t, false).ResponseWriter)
		if core.ServeDNS(ctx, w, query("example.org. MX")); w.Msg == nil || len(w.Msg.Answer) != 2 {
			t.Errorf("%v, want a message", w.Msg)
		}
		asked++
	}
	core = newServer(t, benchDefinitions, nil).after(t, asking)
	if res, packed := askServer(t, core, query("example.org. MX"), newClient(t, false)); !packed || asked != 1 {
		t.Errorf("packed: %v, asked %d times:\n%v", packed, asked, res)
	}
	first := newServer(t, benchDefinitions, nil).after(t)
	w := nonwriter.New(newClient(t, false).ResponseWriter)
	if first.ServeDNS(t.Context(), w, query("example.org. MX")); w.Msg == nil || len(w.Msg.Answer) != 2 {
		t.Errorf("%v, want a message", w.Msg)
	}
}

// TestCacheBypassZones: cache leaves alone what no other plugin has a part in.
func TestCacheBypassZones(t *testing.T) {
	const org, child, com = definition.Name("example.org."), definition.Name("child.example.org."), definition.Name("example.com.")
	for _, tc := range []struct {
		name   string
		config Config
		before []string
		want   string
	}{
		{"authoritative", Config{Zones: definition.Zones{org, com}, Authoritative: definition.Zones{org, com}}, nil, "example.com. example.org."},
		{"one of two", Config{Zones: definition.Zones{org, com}, Authoritative: definition.Zones{com}}, nil, "example.com."},
		{"overlay", Config{Zones: definition.Zones{org}}, nil, ""},
		{"zone below", Config{Zones: definition.Zones{org, child}, Authoritative: definition.Zones{org}}, nil, ""},
		{"zone below, authoritative", Config{Zones: definition.Zones{org, child}, Authoritative: definition.Zones{org, child}}, nil, "child.example.org."},
		{"fallthrough", Config{Zones: definition.Zones{org, com}, Authoritative: definition.Zones{org, com}, Fallthrough: definition.Zones{org}}, nil, "example.com."},
		{"fallthrough below", Config{Zones: definition.Zones{org}, Authoritative: definition.Zones{org}, Fallthrough: definition.Zones{"web.example.org."}}, nil, ""},
		{"fallthrough above", Config{Zones: definition.Zones{child}, Authoritative: definition.Zones{child}, Fallthrough: definition.Zones{org}}, nil, ""},
		{"signed", Config{Zones: definition.Zones{org, com}, Authoritative: definition.Zones{org, com}}, []string{"dnssec"}, "example.com."},
	} {
		s := serverOf(t, "", nil, tc.config)
		s.after(t, plugins(tc.before...)...)
		if got := strings.Join(s.CacheBypassZones(), " "); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestPackedCounted: metrics know the length of a packed reply, and who wrote it.
func TestPackedCounted(t *testing.T) {
	var recorder *metrics.Recorder
	s, c := newServer(t, benchDefinitions, nil), newClient(t, false)
	core := s.after(t, &before{name: "prometheus", wrap: func(w dns.ResponseWriter) dns.ResponseWriter {
		recorder = metrics.NewRecorder(w)
		return recorder
	}})
	if _, packed := askServer(t, core, query("example.org. MX"), c); !packed {
		t.Fatal("not packed")
	}
	if recorder.Rcode != dns.RcodeSuccess || recorder.Len != len(c.octets) || recorder.Plugin != self || recorder.Msg != nil {
		t.Errorf("counted rcode %d, %d of %d octets, by %q, message %v", recorder.Rcode, recorder.Len, len(c.octets), recorder.Plugin, recorder.Msg)
	}
}

// TestPackedSame: a client gets the same, to the record, whether the reply is packed or a message.
func TestPackedSame(t *testing.T) {
	for _, l := range workloads() {
		if l.next != nil {
			continue
		}
		l.definitions = "order fixed\n" + l.definitions
		var texts [2]string
		for i, chain := range []packing{asFirst, never} {
			r, c, h := l.query(), newClient(t, l.tcp), l.handler(t)
			h.chain.packing = chain
			if rcode, err := h.ServeDNS(t.Context(), request.NewScrubWriter(r, c.ResponseWriter), r); err != nil || rcode != c.message(t).Rcode {
				t.Fatalf("rcode %d, %v", rcode, err)
			}
			m := c.message(t)
			if trimmed := len(m.Extra) < l.glue; trimmed != (counted(h.config.TrimmedGlue) > 0) {
				t.Errorf("%s: %d addresses of %d, and trimmed glue counted: %v", l.name, len(m.Extra), l.glue, !trimmed)
			}
			m.Id = 0
			texts[i] = m.String()
		}
		if texts[0] != texts[1] {
			t.Errorf("%s: packed\n%s\nas a message\n%s", l.name, texts[0], texts[1])
		}
	}
}

// TestNotPacked: prometheus counts all that is packed as NOERROR.
func TestNotPacked(t *testing.T) {
	s, r := newServer(t, declared, nil), query("www.example.org. A")
	s.chain.packing = asFirst
	w := request.NewScrubWriter(r, newClient(t, false).ResponseWriter)
	reply := &Reply{answer: table.Answer{RRs: []dns.RR{rr(t, "www.example.org. CNAME nosuch.example.org.")}}}
	for _, reply.answer.Rcode = range []int{dns.RcodeSuccess, dns.RcodeNameError} {
		if got, want := s.mayPack(t.Context(), w, r, reply), reply.answer.Rcode == dns.RcodeSuccess; got != want {
			t.Errorf("rcode %d is packed: %v, want %v", reply.answer.Rcode, got, want)
		}
	}
}

// TestDeep: the stack is made larger at once where plugins are known to need more than 4 KB.
func TestDeep(t *testing.T) {
	for _, tc := range []struct {
		before []string
		want   bool
	}{{nil, false}, {[]string{"errors"}, false}, {[]string{"prometheus", "errors"}, true}, {[]string{"errors", "log"}, true}} {
		s := newServer(t, benchDefinitions, nil)
		s.after(t, plugins(tc.before...)...)
		if s.chain.deep != tc.want {
			t.Errorf("after %q: %v, want %v", tc.before, s.chain.deep, tc.want)
		}
	}
}

// TestMarker: the handler before all others is there where something asks it.
func TestMarker(t *testing.T) {
	for _, tc := range []struct {
		before        []string
		authoritative []definition.Name
		want          bool
	}{
		{[]string{"errors"}, nil, true},
		{[]string{"errors", "cache"}, nil, false},
		{[]string{"errors", "cache"}, []definition.Name{"example.org."}, true},
		{[]string{"minimal"}, nil, false},
		{[]string{"log", "minimal"}, nil, true},
		{[]string{"dnssec", "minimal"}, nil, true},
	} {
		s, next := newServer(t, benchDefinitions, nil, tc.authoritative...), &before{name: "first"}
		s.after(t, plugins(tc.before...)...)
		if _, got := s.mark(next).(*marker); got != tc.want {
			t.Errorf("before %q: %v, want %v", tc.before, got, tc.want)
		}
	}
}

// TestPackAllocs: to see whether a reply may be packed costs no memory.
func TestPackAllocs(t *testing.T) {
	w := request.NewScrubWriter(new(dns.Msg), newClient(t, false).ResponseWriter)
	if n := testing.AllocsPerRun(100, func() { isClient(w) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
