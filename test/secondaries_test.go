package test

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// primary is a zone of ten lines. Its timers are so long that only NOTIFY brings
// a change to a secondary.
const primary = `example.org:1053 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns1 ns2.example.net.
            refresh 168h
            retry 168h
            expire 1000h
        }
        file zone.conf
        reload 100ms
    }
    transfer {
        to * 127.0.0.1:1055 127.0.0.1:1056 127.0.0.1:1057 127.0.0.1:1058
    }
}`

const tenLines = `host ns1 192.0.2.53
host mx1 192.0.2.10 2001:db8::10
host mx2 198.51.100.20
host web1 192.0.2.80
mail @ lists 10 mx1 20 mx2
mail noreply none
service _xmpp-server._tcp 0 0 5269 web1
service _gopher._tcp none
alias www web1
alias shop shop.example.net.
`

// transferred are questions about every kind of record and denial.
var transferred = []string{"example.org SOA", "example.org NS", "example.org MX", "lists.example.org MX", "noreply.example.org MX",
	"mx1.example.org A", "mx1.example.org AAAA", "mx2.example.org AAAA", "_xmpp-server._tcp.example.org SRV", "_gopher._tcp.example.org SRV",
	"www.example.org A", "www.example.org CNAME", "shop.example.org CNAME", "_tcp.example.org A", "nosuch.example.org A"}

// startSecondaries starts NSD, Knot, BIND and CoreDNS where the primary notifies them, and returns once they have the
// zone.
func startSecondaries(t *testing.T, from *server) map[string]*server {
	t.Helper()
	zones := []hosted{{zone: "example.org.", primary: from.addr}}
	all := map[string]*server{}
	for i, r := range references {
		all[r.name] = r.start(t, rig.Peer(t, r.program), from.at[fmt.Sprint(":", 1055+i)], zones)
	}
	addr := from.at[":1058"]
	_, port, _ := net.SplitHostPort(addr)
	s := start(t, t.TempDir(), fmt.Sprintf("example.org:%s {\n bind 127.0.0.1\n secondary {\n transfer from %s\n }\n}\n", port, from.addr))
	s.addr = addr
	all["CoreDNS"] = s
	awaitAll(t, all, answers(from, "example.org SOA"))
	return all
}

// TestSecondaries: what ten lines declare is transferred to the servers that
// people run, and a change of a line is there by NOTIFY.
func TestSecondaries(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "zone.conf"), tenLines)
	from := start(t, dir, primary)
	secondaries := startSecondaries(t, from)
	sameAnswers(t, from, secondaries, transferred)
	for i, change := range []string{"mail @ lists 10 mx1 20 mx2 30 mx1", "mail @ 10 mx2", "mail @ lists news 10 mx1 20 mx2"} {
		before := serialOf(t, from, "example.org")
		write(t, filepath.Join(from.Dir, "zone.conf"), strings.Replace(tenLines, "mail @ lists 10 mx1 20 mx2", change, 1))
		began := time.Now()
		eventually(t, from, "the change is served", func() bool { return serialOf(t, from, "example.org") != before })
		took := []string{fmt.Sprintf("primary %v", time.Since(began).Round(time.Millisecond))}
		arrived := awaitAll(t, secondaries, answers(from, "example.org SOA"))
		for name, at := range arrived {
			took = append(took, fmt.Sprintf("%s %v", name, at.Sub(began).Round(time.Millisecond)))
		}
		slices.Sort(took)
		t.Logf("change %d is served after: %v", i+1, took)
		if after := serialOf(t, from, "example.org"); int32(after-before) <= 0 {
			t.Errorf("serial %d after %d", after, before)
		}
		sameAnswers(t, from, secondaries, transferred)
	}
}

// awaitAll returns when each of the secondaries had a SOA.
func awaitAll(t *testing.T, secondaries map[string]*server, soa string) map[string]time.Time {
	t.Helper()
	arrived := map[string]time.Time{}
	for deadline := time.Now().Add(rig.Limit); len(arrived) < len(secondaries); time.Sleep(time.Millisecond) {
		for name, s := range secondaries {
			if arrived[name].IsZero() && answers(s, "example.org SOA") == soa {
				arrived[name] = time.Now()
			}
		}
		if time.Now().After(deadline) {
			for name, s := range secondaries {
				t.Logf("%s: %s", name, s)
			}
			t.Fatalf("after %v only these have the change: %v", rig.Limit, arrived)
		}
	}
	return arrived
}

// sameAnswers asks each secondary what the primary is asked.
func sameAnswers(t *testing.T, from *server, secondaries map[string]*server, questions []string) {
	t.Helper()
	for _, q := range questions {
		want := answers(from, q)
		for name, s := range secondaries {
			if got := answers(s, q); got != want {
				t.Errorf("%s: %s\n%s\nwant\n%s", q, name, got, want)
			}
		}
	}
}

// answers returns the rcode, whether the server has authority, and the records, sorted and in lower case: those in
// Answer, or of a referral those in Authority and Additional.
func answers(s *server, question string) string {
	name, qtype, _ := strings.Cut(question, " ")
	c := dns.Client{Net: "tcp"}
	res, _, err := c.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype]), s.addr)
	if err != nil {
		return err.Error()
	}
	lines := texts(res.Answer)
	if delegation(res) != nil {
		lines = texts(slices.Concat(res.Ns, res.Extra))
	}
	slices.Sort(lines)
	return fmt.Sprintf("%s aa %v\n%s", dns.RcodeToString[res.Rcode], res.Authoritative, strings.Join(lines, "\n"))
}

// TestTransfer: the whole zone, in canonical order between two SOA records; a
// secondary that has the serial gets the SOA alone, and one that is not allowed
// nothing.
func TestTransfer(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "zone.conf"), tenLines)
	s := start(t, dir, primary)
	serial := serialOf(t, s, "example.org")
	all := zoneOf(t, s, "example.org.")
	if n := len(all); n != 18 || all[0].Header().Rrtype != dns.TypeSOA || all[0].String() != all[n-1].String() {
		t.Errorf("%d records, want 18 between two SOA:\n%v", n, all)
	}
	for i := 2; i < len(all)-1; i++ {
		if a, b := all[i-1].Header().Name, all[i].Header().Name; a != b && canonicalLess(b, a) {
			t.Errorf("%s is before %s", a, b)
		}
	}
	for _, tc := range []struct {
		serial uint32
		want   int
	}{{serial, 1}, {serial + 1, 1}, {serial - 1, len(all)}} {
		got, err := transfer(s.addr, new(dns.Msg).SetIxfr("example.org.", tc.serial, "ns1.example.org.", "hostmaster.example.org."))
		if err != nil || len(got) != tc.want {
			t.Errorf("IXFR from %d of %d: %v, %d records, want %d", tc.serial, serial, err, len(got), tc.want)
		}
	}
	closed := start(t, dir, strings.ReplaceAll(strings.Replace(primary, "to * ", "to ", 1), "127.0.0.1:105", "127.0.0.2:105"))
	if res := closed.ask(t, "tcp", new(dns.Msg).SetAxfr("example.org.")); res.Rcode != dns.RcodeRefused || len(res.Answer) > 0 {
		t.Errorf("one that is not allowed gets %v, want REFUSED", res)
	}
}

// canonicalLess reports whether a name is before another (RFC 4034 §6.1).
func canonicalLess(a, b string) bool {
	x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y) < 0
}

// TestNotifyOfOtherZones: a secondary that is dead delays the NOTIFY of its own
// zone alone, at start and after a change.
func TestNotifyOfOtherZones(t *testing.T) {
	dead, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	alive, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	tried := &tally{of: map[string]int{}}
	go eachNotify(dead, func(m *dns.Msg) bool { tried.add(m.Question[0].Name); return false })
	told := make(chan string, 100)
	go eachNotify(alive, func(m *dns.Msg) bool { told <- m.Question[0].Name; return true })

	dir := t.TempDir()
	write(t, filepath.Join(dir, "zone.conf"), "host ns1 192.0.2.53\n")
	s := start(t, dir, fmt.Sprintf(`a.example.org:1053 b.example.org:1053 c.example.org:1053 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns1
        }
        file zone.conf
        reload 100ms
    }
    transfer a.example.org c.example.org {
        to %s
    }
    transfer b.example.org {
        to %s
    }
}`, dead.LocalAddr(), alive.LocalAddr()))
	awaitNotify(t, s, told, "at start")
	if n := tried.most(); n > 1 {
		t.Errorf("at start the dead secondary was tried %d times before the NOTIFY of another zone", n)
	}
	write(t, filepath.Join(s.Dir, "zone.conf"), "host ns1 192.0.2.54\n")
	awaitNotify(t, s, told, "after a change")
	if n := tried.most(); n > 5 { // three at start, and three for the change
		t.Errorf("after a change the dead secondary was tried %d times before the NOTIFY of another zone", n)
	}
}

// eachNotify calls heard for each NOTIFY that arrives, and answers it if that
// returns true.
func eachNotify(conn net.PacketConn, heard func(*dns.Msg) bool) {
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return // closed
		}
		m := new(dns.Msg)
		if m.Unpack(buf[:n]) != nil || m.Opcode != dns.OpcodeNotify || !heard(m) {
			continue
		}
		if packed, err := new(dns.Msg).SetReply(m).Pack(); err == nil {
			conn.WriteTo(packed, from)
		}
	}
}

func awaitNotify(t *testing.T, s *server, told chan string, when string) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(rig.Limit):
		t.Fatalf("%s no NOTIFY\n%s", when, s)
	}
}

// A tally counts how often a zone was told of.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

func (c *tally) add(zone string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[zone]++
}

func (c *tally) most() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := 0
	for _, n := range c.of {
		most = max(most, n)
	}
	return most
}

// TestSecondariesRecords: records of any type, wildcards and delegations are transferred, too.
func TestSecondariesRecords(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "zone.conf"), tenLines+`record @ TXT "v=spf1 mx -all"
record @ CAA 0 issue "ca.example.net"
record svc HTTPS 1 web1 alpn="h2"
record odd TYPE65280 "\#" 2 0a0b
host *.apps 192.0.2.90
alias *.pages web1
record eu NS ns1.eu ns.example.net.
record eu DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
host ns1.eu 192.0.2.54
`)
	from := start(t, dir, primary)
	secondaries := startSecondaries(t, from)
	sameAnswers(t, from, secondaries, []string{"example.org TXT", "example.org CAA", "svc.example.org HTTPS", "x.apps.example.org A",
		"*.apps.example.org A", "x.pages.example.org A", "eu.example.org DS", "h.eu.example.org A", "eu.example.org NS"})
	if got := answers(from, "h.eu.example.org A"); !strings.Contains(got, "192.0.2.54") {
		t.Errorf("a referral without glue: %s", got)
	}
}
