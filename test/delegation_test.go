package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

const apex = "authoritative {\nns ns1.example.com.\n}\n"

// delegatedZones returns the Corefile of three zones, one in the other, each with a key that the one above vouches for, and
// of one that has none, and wildcards in the outermost; all in one server block, with one key, or each in its own. It returns the key of the outermost.
func delegatedZones(t *testing.T, dir string, oneBlock bool) (corefile string, key zoneKey) {
	t.Helper()
	zones := []string{"example.com.", "eu.example.com.", "deep.eu.example.com."}
	key = keygen(t, dir, zones[0])
	keys := []zoneKey{key, key, key}
	if !oneBlock {
		keys = []zoneKey{key, keygen(t, dir, zones[1]), keygen(t, dir, zones[2])}
	}
	ds := func(i int) string { // the record of the zone in the one above
		dnskey := *keys[i].dnskey
		dnskey.Hdr.Name = zones[i]
		return "record " + zones[i] + " DS " + strings.SplitN(dnskey.ToDS(dns.SHA256).String(), "\t", 5)[4] + "\n"
	}
	outer := "host ns1 192.0.2.53\nalias w h.deep.eu\nalias wi h.ins\nrecord out NS ns.out ns1\nhost ns.out 192.0.2.54\nalias wo h.out\n" +
		"host *.w 192.0.2.60\nrecord *.w TXT wild\nalias *.p h.eu\nalias *.q h.ins\n" +
		"host z.y.w 192.0.2.61\nalias no.y no.y.w\nalias *.n no.y.w\n" + ds(1)
	blocks := []string{outer, "host h 192.0.2.1\n" + ds(2), "host h 192.0.2.2\nmail @ 10 h.eu.example.com.\n", "host h 192.0.2.3\n"}
	names := append(zones[:3:3], "ins.example.com.")
	if oneBlock {
		corefile = strings.Join(names, ":1053 ") + ":1053 {\nbind 127.0.0.1\ndnssec {\nkey file " + key.name + "\n}\n"
		for i, name := range names {
			corefile += "mxsrv " + name + " {\n" + apex + blocks[i] + "}\n"
		}
		return corefile + "}\n", key
	}
	blocks[0] += "record eu NS ns1\nrecord ins NS ns1\n"
	blocks[1] += "record deep NS ns1.example.com.\n"
	for i, name := range names {
		signer := ""
		if i < len(keys) {
			signer = "dnssec {\nkey file " + keys[i].name + "\n}\n"
		}
		corefile += name + ":1053 {\nbind 127.0.0.1\n" + signer + "mxsrv {\n" + apex + blocks[i] + "}\n}\n"
	}
	return corefile, key
}

// delegatedQuestions are questions about these zones, and whether their answers are secure.
var delegatedQuestions = []struct {
	question     string
	data, secure bool
}{
	{"h.eu.example.com A", true, true},
	{"h.deep.eu.example.com A", true, true},
	{"deep.eu.example.com MX", true, true},
	{"w.example.com A", true, true}, // an alias across two cuts
	{"eu.example.com DS", true, true},
	{"deep.eu.example.com DS", true, true},
	{"deep.eu.example.com SOA", true, true},
	{"no.deep.eu.example.com A", false, true},
	{"h.deep.eu.example.com TXT", false, true},
	{"deep.eu.example.com TXT", false, true},
	{"ins.example.com DS", false, true},
	{"out.example.com DS", false, true},
	{"wo.example.com CNAME", true, true},
	{"h.ins.example.com A", true, false},
	{"no.ins.example.com A", false, false},
	{"wi.example.com A", true, false},
	{"x.w.example.com A", true, true}, // of a wildcard
	{"a.b.w.example.com TXT", true, true},
	{"*.w.example.com A", true, true},
	{"x.w.example.com MX", false, true},
	{"x.w.example.com AAAA", false, true},
	{"w.w.example.com DS", false, true},
	{"x.p.example.com A", true, true}, // of a wildcard alias, below a cut
	{"x.q.example.com A", true, false},
	{"x.no.example.com A", false, true},
	{"no.y.example.com A", false, true}, // of an alias of a name that no wildcard is for
	{"x.n.example.com MX", false, true},
}

// eachDelegation serves the zones in both ways.
func eachDelegation(t *testing.T, f func(t *testing.T, s *server, key zoneKey)) {
	t.Helper()
	for name, oneBlock := range map[string]bool{"one block": true, "a block each": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			corefile, key := delegatedZones(t, dir, oneBlock)
			f(t, start(t, dir, corefile), key)
		})
	}
}

// TestDelegationsDelv: answers of zones three levels deep validate from the key of the outermost.
func TestDelegationsDelv(t *testing.T) {
	eachDelegation(t, func(t *testing.T, s *server, key zoneKey) {
		for _, q := range delegatedQuestions {
			said, validated := key.delv(t, s, q.question)
			denied := strings.Contains(said, "negative response") || strings.Contains(said, ": ncache nx") // of an alias
			if validated != q.secure || denied == q.data || strings.Contains(said, "broken") {
				t.Errorf("%s: want data: %v, secure: %v\n%s", q.question, q.data, q.secure, said)
			}
		}
	})
}

// TestDelegationsUnbound: a resolver that validates, minimises names and learns from denials resolves them too.
func TestDelegationsUnbound(t *testing.T) {
	unbound := rig.Peer(t, "unbound")
	eachDelegation(t, func(t *testing.T, s *server, key zoneKey) {
		resolver := startUnbound(t, unbound, s.addr, fmt.Sprintf("trust-anchor-file: %q", key.path))
		for range 2 {
			for _, q := range delegatedQuestions {
				m := query(t, q.question)
				m.SetEdns0(1232, true)
				res := resolver.ask(t, "udp", m)
				asked := func(rr dns.RR) bool { return rr.Header().Rrtype == m.Question[0].Qtype }
				data := slices.ContainsFunc(res.Answer, asked)
				if res.AuthenticatedData != q.secure || data != q.data || res.Rcode == dns.RcodeServerFailure {
					t.Errorf("%s: want data: %v, secure: %v\n%v", q.question, q.data, q.secure, res)
				}
			}
		}
	})
}
