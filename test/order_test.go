package test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// byFixedOrder compares two records of an RRset as `order fixed` does.
func byFixedOrder(a, b dns.RR) int {
	switch a := a.(type) {
	case *dns.SRV:
		if b, ok := b.(*dns.SRV); ok {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
				cmp.Compare(a.Target, b.Target), cmp.Compare(a.Port, b.Port))
		}
	case *dns.MX:
		if b, ok := b.(*dns.MX); ok {
			return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(a.Mx, b.Mx))
		}
	case *dns.A:
		if b, ok := b.(*dns.A); ok {
			return bytes.Compare(a.A, b.A)
		}
	case *dns.AAAA:
		if b, ok := b.(*dns.AAAA); ok {
			return bytes.Compare(a.AAAA, b.AAAA)
		}
	}
	return 0 // those of another type stay where they are
}

// byPriority compares two records as every order does: priority or preference, and weight 0 after all others.
func byPriority(a, b dns.RR) int {
	switch a := a.(type) {
	case *dns.SRV:
		if b, ok := b.(*dns.SRV); ok {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(min(b.Weight, 1), min(a.Weight, 1)))
		}
	case *dns.MX:
		if b, ok := b.(*dns.MX); ok {
			return cmp.Compare(a.Preference, b.Preference)
		}
	}
	return 0
}

// glueInOrder returns the records of a section as glue of an answer is: the addresses of each target, as they are among
// these records, in the order of the targets.
func glueInOrder(answer, glue []dns.RR) (ordered []dns.RR) {
	added := map[string]bool{}
	for _, rr := range answer {
		target := targetOf(rr)
		for _, g := range glue {
			if g.Header().Name == target && !added[target] {
				ordered = append(ordered, g)
			}
		}
		added[target] = true
	}
	return ordered
}

// inFixedOrder returns a message as it would be with `order fixed`, if its records are in an order in which they may be
// sent, and otherwise the message as it is.
func inFixedOrder(m *dns.Msg) *dns.Msg {
	isGlue := func(rr dns.RR) bool {
		return slices.ContainsFunc(m.Answer, func(a dns.RR) bool { return targetOf(a) == rr.Header().Name })
	}
	glue := slices.DeleteFunc(slices.Clone(m.Extra), func(rr dns.RR) bool { return !isGlue(rr) })
	if !slices.IsSortedFunc(m.Answer, byPriority) || !slices.Equal(glueInOrder(m.Answer, glue), glue) {
		return m
	}
	fixed := *m
	fixed.Answer = slices.Clone(m.Answer)
	slices.SortStableFunc(fixed.Answer, byFixedOrder)
	fixed.Extra = slices.Concat(glueInOrder(fixed.Answer, glue), slices.DeleteFunc(slices.Clone(m.Extra), isGlue))
	return &fixed
}

// order finds what is wrong with the order of our answer: it may be any within a priority, unless the fixed one is
// declared.
func (e *exchanged) order() string {
	answer := e.answers[0].msg.Answer
	if len(answer) == 0 {
		return ""
	}
	compare, last := byPriority, answer[len(answer)-1].Header()
	if e.fixed[fixedKey(strings.ToLower(last.Name), last.Rrtype)] {
		compare = byFixedOrder
	}
	if !slices.IsSortedFunc(answer, compare) {
		return strings.Join(texts(answer), "\n")
	}
	return ""
}

var answersFlag = flag.Int("answers", 2000, "how many answers TestOrder asks for, of each set and in each way")

// orderSets are targets, as "PRIORITY WEIGHT", and the chance of each to be the first in an answer.
var orderSets = []struct {
	name    string
	targets []string
	want    func(i int) float64
}{
	{"6-4", []string{"0 6", "0 4"}, func(i int) float64 { return []float64{.6, .4}[i] }},
	{"1-1-1", []string{"0 1", "0 1", "0 1"}, func(int) float64 { return 1. / 3 }},
	{"with-0", []string{"0 0", "0 3", "0 1", "0 0"}, func(i int) float64 { return []float64{0, .75, .25, 0}[i] }},
	{"all-0", []string{"0 0", "0 0", "0 0", "0 0"}, func(int) float64 { return .25 }},
	{"forty", fortyTargets(), func(i int) float64 { return float64(i%10+1) / 220 }},
	{"two-priorities", []string{"5 60", "5 1", "1 100", "1 300"}, func(i int) float64 { return []float64{0, 0, .25, .75}[i] }},
}

func fortyTargets() (targets []string) {
	for i := range 40 {
		targets = append(targets, fmt.Sprintf("0 %d", i%10+1))
	}
	return targets
}

// orderDefinitions declares the sets as services, and two exchanges of one preference.
func orderDefinitions() string {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "host t%d 192.0.2.%d\n", i, i)
	}
	for _, set := range orderSets {
		fmt.Fprintf(&b, "service _%s._tcp {\n", set.name)
		for i, numbers := range set.targets {
			fmt.Fprintf(&b, "%s 1 t%d\n", numbers, i)
		}
		b.WriteString("}\n")
	}
	return b.String() + "mail @ 10 t0 t1 20 t2\n"
}

// checkedDefinitions are those with a check of each service, and in each priority of it with a target that is down, and
// has a large weight. If that is hidden, they are the same.
func checkedDefinitions() string {
	text := orderDefinitions()
	for _, set := range orderSets {
		dead := "check tcp\n"
		for _, numbers := range set.targets {
			priority, _, _ := strings.Cut(numbers, " ")
			if line := priority + " 1000 1 dead\n"; !strings.Contains(dead, line) {
				dead += line
			}
		}
		head := "service _" + set.name + "._tcp {\n"
		text = strings.Replace(text, head, head+dead, 1)
	}
	return text + "host dead 192.0.2.99\n"
}

// TestOrder: the share of each target in the first place of answers is that of its weight, over UDP and TCP, packed or
// not, signed or not, after cache where that leaves the zone alone, and with other targets that are hidden. Each answer
// has ascending priorities, and its glue in the order of its targets. dnssec keeps one signature of an RRset.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	key := keygen(t, dir, "signed.test")
	write(t, filepath.Join(dir, "weighted.conf"), orderDefinitions())
	write(t, filepath.Join(dir, "fixed.conf"), "order fixed\n"+orderDefinitions())
	requireNoSources(t)
	write(t, filepath.Join(dir, "checked.conf"), checkedDefinitions())
	writeVerdicts(t, filepath.Join(dir, "verdicts"), compile(t, "mxsrv checked.test {\n"+checkedDefinitions()+"}\n", nil).Probes(),
		func(p definition.Probe) string {
			return map[bool]string{true: "down", false: "up"}[p.Addr.Addr().String() == "192.0.2.99"]
		})
	const block = `%s:1053 {
    bind 127.0.0.1
    errors
    %s
    mxsrv {
        %s
        file %s.conf
    }
}
`
	const authoritative = "authoritative {\n ns ns.example.net.\n }"
	s := start(t, dir, fmt.Sprintf(block, "packed.test", "", "", "weighted")+
		fmt.Sprintf(block, "message.test", "nsid", "", "weighted")+fmt.Sprintf(block, "cached.test", "cache", authoritative, "weighted")+
		fmt.Sprintf(block, "fixed.test", "", "", "fixed")+fmt.Sprintf(block, "checked.test", "", neverProbed("verdicts"), "checked")+
		fmt.Sprintf(block, "signed.test", "prometheus 127.0.0.1:1054\ndnssec {\n key file "+key.name+"\n}", authoritative, "weighted"))
	for _, way := range []struct{ zone, network string }{
		{"packed.test", "udp"}, {"packed.test", "tcp"}, {"message.test", "udp"}, {"message.test", "tcp"},
		{"cached.test", "udp"}, {"checked.test", "udp"}, {"checked.test", "tcp"}, {"signed.test", "udp"}, {"signed.test", "tcp"},
	} {
		for _, set := range orderSets {
			t.Run(way.zone+"/"+way.network+"/"+set.name, func(t *testing.T) {
				m := query(t, "_"+set.name+"._tcp."+way.zone+" SRV").SetEdns0(dns.MaxMsgSize, way.zone == "signed.test")
				o := &ordering{key: key.dnskey, first: map[string]int{}, valid: map[string]bool{}}
				o.ask(t, s, way.network, m, 1)
				signatures := signaturesKept(s)
				o.ask(t, s, way.network, m, *answersFlag-1)
				o.checkShares(t, way.zone, len(set.targets), set.want)
				if now := signaturesKept(s); now != signatures {
					t.Errorf("dnssec keeps %q, and %q before", now, signatures)
				}
			})
		}
	}
	for range 100 {
		m := s.ask(t, "udp", query(t, "_forty._tcp.fixed.test SRV").SetEdns0(4096, false))
		if !slices.IsSortedFunc(m.Answer, byFixedOrder) || len(m.Answer) != 40 {
			t.Fatalf("order fixed: %v", m.Answer)
		}
	}
	for range 20 {
		if said, validated := key.delv(t, s, "_6-4._tcp.signed.test SRV"); !validated {
			t.Fatal(said)
		}
	}
}

// signaturesKept returns the metric of that.
func signaturesKept(s *server) string {
	for line := range strings.Lines(s.get(":1054", "/metrics")) {
		if strings.HasPrefix(line, "coredns_dnssec_cache_entries{") {
			return line
		}
	}
	return ""
}

// An ordering is what many answers to one question were.
type ordering struct {
	key   *dns.DNSKEY
	first map[string]int  // by target: how often it was the first
	valid map[string]bool // orders whose signature was verified
}

// ask asks a question many times over one connection. What is lost over UDP is asked again.
func (o *ordering) ask(t *testing.T, s *server, network string, m *dns.Msg, times int) {
	t.Helper()
	c := dns.Client{Net: network, UDPSize: dns.MaxMsgSize, Timeout: lostAfter}
	conn, err := c.Dial(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for lost := 0; times > 0; {
		m.Id = dns.Id()
		res, _, err := c.ExchangeWithConn(m, conn)
		if err != nil {
			if lost++; lost > lostLimit {
				t.Fatal(err)
			}
			continue
		}
		o.check(t, res)
		times--
	}
}

// check fails if an answer is in no order that it may be in, or not validly signed.
func (o *ordering) check(t *testing.T, m *dns.Msg) {
	t.Helper()
	isSig := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeRRSIG }
	isOther := func(rr dns.RR) bool { return isSig(rr) || rr.Header().Rrtype == dns.TypeOPT }
	answer := slices.DeleteFunc(slices.Clone(m.Answer), isSig)
	glue := slices.DeleteFunc(slices.Clone(m.Extra), isOther)
	if len(answer) == 0 || len(glue) != len(answer) || !slices.IsSortedFunc(answer, byPriority) || !slices.Equal(glueInOrder(answer, glue), glue) {
		t.Fatalf("in no order:\n%v", m)
	}
	name, _, _ := strings.Cut(targetOf(answer[0]), ".")
	o.first[name]++
	if len(m.Answer) > len(answer) {
		if order := fmt.Sprint(m.Answer); !o.valid[order] && len(o.valid) < 1000 {
			if err := m.Answer[len(answer)].(*dns.RRSIG).Verify(o.key, answer); err != nil {
				t.Fatal(err)
			}
			o.valid[order] = true
		}
	}
}

// checkShares fails if a target was the first more or less often than it should, by six standard deviations.
func (o *ordering) checkShares(t *testing.T, zone string, targets int, want func(i int) float64) {
	t.Helper()
	n, most := float64(*answersFlag), 0.0
	for i := range targets {
		share := want(i)
		off := float64(o.first[fmt.Sprint("t", i)]) - n*share
		deviation := math.Sqrt(n * share * (1 - share))
		if math.Abs(off) > 6*deviation {
			t.Errorf("t%d is the first %.0f times in %.0f, want %.0f +- %.0f", i, off+n*share, n, n*share, 6*deviation)
		}
		if deviation > 0 {
			most = max(most, math.Abs(off)/deviation)
		}
	}
	t.Logf("%v of %.0f, at most %.1f standard deviations off; %d orders verified", o.first, n, most, len(o.valid))
}
