package answer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/dnssec"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// seeing is the writer of a plugin that wants to see messages.
type seeing struct{ dns.ResponseWriter }

// labelled is a writer as a plugin gets it of CoreDNS.
func labelled(t *testing.T, name string, w dns.ResponseWriter) (got dns.ResponseWriter) {
	t.Helper()
	see := named{name, func(_ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		got = w
		return 0, nil
	}}
	if _, err := plugin.NextOrFailure("front", see, t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	return got
}

type named struct {
	name string
	plugin.HandlerFunc
}

func (n named) Name() string { return n.name }

// TestPathOf: octets go to a client if nobody on the way wants to see a message.
func TestPathOf(t *testing.T) {
	r, over := new(dns.Msg), newClient(t, false)
	client := request.NewScrubWriter(r, over.ResponseWriter)
	tcp := request.NewScrubWriter(r, newClient(t, true).ResponseWriter)
	counting := metrics.NewRecorder(client)
	label := func(w dns.ResponseWriter) dns.ResponseWriter { return labelled(t, pluginName, w) }
	beneath := label(client)
	for _, tc := range []struct {
		name string
		w    dns.ResponseWriter
		want path
		ok   bool
	}{
		{"nothing in front", client, path{to: client}, true},
		{"a plugin that passes on", beneath, path{to: beneath}, true},
		{"metrics", counting, path{to: counting, recorder: counting}, true},
		{"log", label(dnstest.NewRecorder(client)), path{}, false},
		{"cache or another", label(seeing{client}), path{}, false},
		{"one behind metrics", metrics.NewRecorder(&seeing{client}), path{}, false},
		{"not of a server", over.ResponseWriter, path{}, false},
		{"a plugin that asks for what it serves", request.NewScrubWriter(r, nonwriter.New(over.ResponseWriter)), path{}, false},
		{"HTTPS", request.NewScrubWriter(r, new(dnsserver.DoHWriter)), path{}, false},
		{"QUIC", request.NewScrubWriter(r, new(dnsserver.DoQWriter)), path{}, false},
		{"another server", request.NewScrubWriter(r, over), path{}, false},
		{"no server", request.NewScrubWriter(r, nil), path{}, false},
		{"TCP", tcp, path{to: tcp}, true},
		{"nobody", nil, path{}, false},
		{"dnssec", label(&dnssec.ResponseWriter{ResponseWriter: beneath}), path{to: beneath, signed: true}, true},
		{"dnssec behind metrics", label(&dnssec.ResponseWriter{ResponseWriter: label(counting)}), path{to: label(counting), signed: true, recorder: counting}, true},
		{"one behind dnssec", label(&dnssec.ResponseWriter{ResponseWriter: seeing{client}}), path{}, false},
	} {
		got, ok := pathOf(tc.w)
		if !ok {
			got = path{}
		}
		if ok != tc.ok || got.signed != tc.want.signed || got.recorder != tc.want.recorder || (got.to == nil) != (tc.want.to == nil) {
			t.Errorf("%s: %+v, %v, want %+v, %v", tc.name, got, ok, tc.want, tc.ok)
		}
		if tc.name == "dnssec" && got.to != beneath {
			t.Errorf("%s: not written behind it", tc.name)
		}
	}
}

// TestPathAllocs: to find the path costs no memory.
func TestPathAllocs(t *testing.T) {
	w := labelled(t, pluginName, metrics.NewRecorder(labelled(t, "front", request.NewScrubWriter(new(dns.Msg), newClient(t, false).ResponseWriter))))
	if n := testing.AllocsPerRun(100, func() { pathOf(w) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// TestOctets: a client gets the same, to the record, whether or not somebody has seen
// the message.
func TestOctets(t *testing.T) {
	for _, l := range workloads() {
		if l.behind != nil {
			continue
		}
		var texts [2]string
		for i := range texts {
			r, c := l.query(), newClient(t, l.tcp)
			counting := metrics.NewRecorder(request.NewScrubWriter(r, c.ResponseWriter))
			var w dns.ResponseWriter = counting
			if i == 1 {
				w = seeing{w}
			}
			if _, err := l.handler(t).ServeDNS(t.Context(), w, r); err != nil {
				t.Fatal(err)
			}
			if seen := counting.Msg != nil; seen != (i == 1) {
				t.Errorf("%s: the message was seen: %v", l.name, seen)
			}
			m := c.message(t)
			m.Id = 0
			texts[i] = m.String()
		}
		if texts[0] != texts[1] {
			t.Errorf("%s: as octets\n%s\nas a message\n%s", l.name, texts[0], texts[1])
		}
	}
}

// TestOctetsCounted: metrics know the rcode and the length of what is written as
// octets, and who wrote it.
func TestOctetsCounted(t *testing.T) {
	l := workload{definitions: benchDefinitions, question: "nosuch.example.org. MX"}
	r, c := l.query(), newClient(t, false)
	counting := metrics.NewRecorder(request.NewScrubWriter(r, c.ResponseWriter))
	rcode, err := l.handler(t).ServeDNS(t.Context(), labelled(t, pluginName, counting), r)
	if err != nil || counting.Msg != nil {
		t.Fatalf("%v, message %v", err, counting.Msg)
	}
	if rcode != dns.RcodeNameError || counting.Rcode != rcode || counting.Len != len(c.octets) || counting.Plugin != pluginName {
		t.Errorf("rcode %d; counted rcode %d, %d of %d octets, by %q", rcode, counting.Rcode, counting.Len, len(c.octets), counting.Plugin)
	}
}

// TestOctetsSigned: dnssec signs what is written as octets. Once a second it writes a
// message itself, which it counts; this one, that has no keys, leaves it unsigned.
func TestOctetsSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := workload{definitions: benchDefinitions, question: "example.org. MX", edns: 1232}
		h := l.handler(t)
		h.signer = signs("example.org.")
		ask := func(question string) (m *dns.Msg, whole bool) {
			l.question = question
			r, c := l.query(), newClient(t, false)
			counting := metrics.NewRecorder(request.NewScrubWriter(r, c.ResponseWriter))
			w := &dnssec.ResponseWriter{ResponseWriter: counting}
			if _, err := h.ServeDNS(t.Context(), labelled(t, pluginName, w), r); err != nil {
				t.Fatal(err)
			}
			return c.message(t), counting.Msg != nil
		}
		for range 2 {
			for i := range 3 {
				m, whole := ask("example.org. MX")
				if first := i == 0; whole != first || len(m.Answer) != 2 && first || len(m.Answer) != 4 && !first {
					t.Errorf("answer %d of this second: %d records; came as a message: %v", i+1, len(m.Answer), whole)
				}
			}
			time.Sleep(time.Second)
		}
		ask("example.org. MX")
		if _, whole := ask("nosuch.example.org. MX"); !whole {
			t.Error("a denial came as octets, want it left to dnssec")
		}
	})
}
