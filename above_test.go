package mxsrv

import (
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
)

// total returns what a counter has counted, of all servers and rcodes.
func total(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "coredns_mxsrv_"+name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// TestAbove: a question for DS that has come to the server block of an outer zone is answered as in the block of the
// zone right above the name, with all that belongs to that: the next plugin, what it denies, and the counters.
func TestAbove(t *testing.T) {
	const outer = `mxsrv {
    authoritative {
        ns ns1
    }
    host ns1 192.0.2.53
}`
	const inner = `mxsrv sub.example.org {
    authoritative {
        ns ns1.example.org.
    }
    record eu NS ns1.example.org.
    record eu DS 1 13 2 00
    service _sip._tcp.shop none
    fallthrough shop.sub.example.org
}`
	denies := &nextPlugin{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}}}
	for _, tc := range []struct {
		name, question      string
		next                plugin.Handler
		want                string
		responses, repaired float64
	}{
		{"DS", "eu.sub.example.org.", denies, "NOERROR aa=true | eu.sub.example.org. DS 3600 | |", 1, 0},
		{"no DS", "nosuch.sub.example.org.", denies, "NXDOMAIN aa=true | | sub.example.org. SOA 60 |", 1, 0},
		{"the next plugin denies a declared name", "_tcp.shop.sub.example.org.", denies, "NOERROR aa=false | | sub.example.org. SOA 60 |", 0, 1},
		{"no next plugin answers", "_tcp.shop.sub.example.org.", passes, "NOERROR aa=true | | sub.example.org. SOA 60 |", 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, err := load(t, outer, denies)
			if err != nil {
				t.Fatal(err)
			}
			above, err := load(t, inner, tc.next)
			if err != nil {
				t.Fatal(err)
			}
			h.instance.add(above)
			responses, repaired := total(t, "responses_total"), total(t, "repaired_nxdomain_total")
			_, res, err := ask(t, h, new(dns.Msg).SetQuestion(tc.question, dns.TypeDS))
			if got := brief(res); got != tc.want || err != nil {
				t.Errorf("%s, %v\nwant %s", got, err, tc.want)
			}
			responses, repaired = total(t, "responses_total")-responses, total(t, "repaired_nxdomain_total")-repaired
			if responses != tc.responses || repaired != tc.repaired {
				t.Errorf("%v responses and %v repaired ones are counted, want %v and %v", responses, repaired, tc.responses, tc.repaired)
			}
		})
	}
}
