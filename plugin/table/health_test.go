package table_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

var (
	smtp = definition.Check{Protocol: definition.CheckSMTP}
	tcp  = definition.Check{Protocol: definition.CheckTCP}
)

// checkedSet reads definitions, and has all mail domains and services of them checked but those below
// unchecked.example.org. Hosts are drained.
func checkedSet(t testing.TB, text string, drained ...definition.Name) *definition.Set {
	t.Helper()
	set, errs := definition.Read("x", text, zones[:1])
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for i := range set.Mails {
		if m := &set.Mails[i]; !m.Owner.Below("unchecked.example.org.") {
			m.Check = &smtp
		}
	}
	for i := range set.Services {
		if s := &set.Services[i]; !s.Owner.Below("unchecked.example.org.") {
			s.Check = &tcp
		}
	}
	for _, host := range drained {
		set.Drains = append(set.Drains, definition.Drain{Head: definition.Head{Owner: host}})
	}
	return set
}

// verdictsOf returns verdicts of the probes of a table. Words say for which, as the end of ADDRESS:PORT or of ADDRESS,
// and which: 1:25+ is up, 1- is down, and 1! is unreachable.
func verdictsOf(t testing.TB, tbl *table.Table, words string) map[definition.Probe]table.Verdict {
	t.Helper()
	verdicts := make(map[definition.Probe]table.Verdict)
	signs := map[string]table.Verdict{"+": table.Up, "-": table.Down, "!": table.Unreachable}
	for word := range strings.FieldsSeq(words) {
		end, sign, found := word[:len(word)-1], word[len(word)-1:], false
		for _, p := range tbl.Probes() {
			addr := p.Addr.Addr().String()
			if addr == "192.0.2."+end || addr == "2001:db8::"+end || p.Addr.String() == "192.0.2."+end {
				verdicts[p], found = signs[sign], true
			}
		}
		if !found {
			t.Fatalf("%s is not probed: %v", word, tbl.Probes())
		}
	}
	return verdicts
}

// brief writes an answer: what records point to or have, then the glue.
func brief(a table.Answer) string {
	words := func(rrs []dns.RR) string {
		var all []string
		for _, rr := range rrs {
			data := strings.Fields(strings.TrimPrefix(rr.String(), rr.Header().String()))
			all = append(all, strings.TrimSuffix(data[len(data)-1], ".example.org."))
		}
		return strings.Join(all, " ")
	}
	text := words(a.RRs)
	if len(a.Glue) > 0 {
		text += " / " + words(a.Glue)
	}
	return strings.NewReplacer("192.0.2.", "", "2001:db8::", "").Replace(text)
}

// TestWith: what is left of answers.
func TestWith(t *testing.T) {
	const hosts = "host a 192.0.2.1\nhost b 192.0.2.2\nhost c 192.0.2.3 192.0.2.4 2001:db8::c\n"
	for _, tc := range []struct {
		name, text, verdicts, owner string
		qtype                       uint16
		want                        string
	}{
		{"exchange", "mail @ 10 a b", "1- 2+", "", dns.TypeMX, "b / 2"},
		{"exchange, before the first verdicts", "mail @ 10 a b", "", "", dns.TypeMX, "a b / 1 2"},
		{"best exchange", "mail @ 10 a 20 b", "1- 2+", "", dns.TypeMX, "a b / 1 2"},
		{"all exchanges", "mail @ 10 a b", "1- 2-", "", dns.TypeMX, "a b / 1 2"},
		{"beside one outside", "mail @ 10 a x.example.net.", "1-", "", dns.TypeMX, "a x.example.net. / 1"},
		{"mail without check", "mail unchecked 10 a b\nmail @ 10 a b", "1- 2+", "unchecked.", dns.TypeMX, "a b / 1 2"},
		{"mail that srv publishes", "mail @ {\n10 a\n20 b\nsrv\n}", "1- 2+", "_smtp._tcp.", dns.TypeSRV, "a b / 1 2"},
		{"one of that", "mail @ {\n10 a b\nsrv\n}", "1- 2+", "_smtp._tcp.", dns.TypeSRV, "b / 2"},
		{"target", "service _s._tcp 0 0 1 a b", "1- 2+", "_s._tcp.", dns.TypeSRV, "b / 2"},
		{"priority", "service _s._tcp 0 0 1 a\nservice _s._tcp 1 0 1 b", "1- 2+", "_s._tcp.", dns.TypeSRV, "b / 2"},
		{"one of two ports", "service _s._tcp 0 0 1 a\nservice _s._tcp 0 0 2 a", "1:1- 1:2+", "_s._tcp.", dns.TypeSRV, "a / 1"},
		{"alias", "alias w v\nalias v _s._tcp\nservice _s._tcp 0 0 1 a b", "1- 2+", "w.", dns.TypeSRV, "v _s._tcp b / 2"},
		{"alias of a mail domain", "alias w @\nmail @ 10 a b", "1- 2+", "w.", dns.TypeMX, "example.org. b / 2"},
		{"none", "mail no none\nmail @ 10 a", "1-", "no.", dns.TypeMX, "."},
		{"target, one of its addresses up", "service _s._tcp 0 0 1 a c", "3- 4+ c- 1+", "_s._tcp.", dns.TypeSRV, "a c / 1 4 c"},
		{"target, one of its addresses unknown", "service _s._tcp 0 0 1 a c", "3- c- 1+", "_s._tcp.", dns.TypeSRV, "a c / 1 3 4 c"},
		{"target, all its addresses down", "service _s._tcp 0 0 1 a c", "3- 4- c- 1+", "_s._tcp.", dns.TypeSRV, "a / 1"},
		{"target, one of its addresses unreachable", "service _s._tcp 0 0 1 a c", "3- 4- c! 1+", "_s._tcp.", dns.TypeSRV, "a / 1"},
		{"target, one of its addresses down", "service _s._tcp 0 0 1 a c", "3! 4! c- 1+", "_s._tcp.", dns.TypeSRV, "a / 1"},
		{"target, unreachable but for one that is up", "service _s._tcp 0 0 1 a c", "3! 4+ c! 1-", "_s._tcp.", dns.TypeSRV, "c / 3 4 c"},
		{"target, one unreachable and one unknown", "service _s._tcp 0 0 1 a c", "3! 4- 1+", "_s._tcp.", dns.TypeSRV, "a c / 1 3 4 c"},
		{"target, unreachable", "service _s._tcp 0 0 1 a c", "3! 4! c! 1+", "_s._tcp.", dns.TypeSRV, "a c / 1 3 4 c"},
		{"beside one that is unreachable", "service _s._tcp 0 0 1 a c", "3! 4! c! 1-", "_s._tcp.", dns.TypeSRV, "a c / 1 3 4 c"},
		{"before one that is unreachable", "service _s._tcp 0 0 1 a\nservice _s._tcp 1 0 1 c", "3! 4! c! 1-", "_s._tcp.", dns.TypeSRV, "a c / 1 3 4 c"},
		{"exchange, one of its addresses unreachable", "mail @ 10 a c", "3- 4- c! 1+", "", dns.TypeMX, "a / 1"},
		{"exchange beside one that is unreachable", "mail @ 10 a b", "1! 2-", "", dns.TypeMX, "a b / 1 2"},
		{"all unreachable", "mail @ 10 a b", "1! 2!", "", dns.TypeMX, "a b / 1 2"},
		{"an unreachable address", "service _s._tcp 0 0 1 c", "3! 4+", "c.", dns.TypeA, "3 4"},
		{"beside an unreachable address", "service _s._tcp 0 0 1 c", "3! 4-", "c.", dns.TypeA, "3 4"},
		{"an address unreachable at one port", "service _s._tcp 0 0 1 c\nservice _t._tcp 0 0 2 c", "3:1- 3:2! 4+", "c.", dns.TypeA, "3 4"},
		{"its addresses, all down", "service _s._tcp 0 0 1 a c", "3- 4- c- 1+", "c.", dns.TypeA, "3 4"},
		{"address", "service _s._tcp 0 0 1 c", "3- 4+", "c.", dns.TypeA, "4"},
		{"the other family", "service _s._tcp 0 0 1 c", "3- 4+ c-", "c.", dns.TypeAAAA, "c"},
		{"one address, the other unknown", "service _s._tcp 0 0 1 c", "3-", "c.", dns.TypeA, "3 4"},
		{"one port of two", "service _s._tcp 0 0 1 c\nservice _t._tcp 0 0 2 c", "3:1- 3:2+ 4+", "c.", dns.TypeA, "3 4"},
		{"both ports", "service _s._tcp 0 0 1 c\nservice _t._tcp 0 0 2 c", "3- 4:1-  4:2+", "c.", dns.TypeA, "4"},
		{"alias of a host", "alias w c\nservice _s._tcp 0 0 1 c", "3- 4+", "w.", dns.TypeA, "c 4"},
		{"glue of another", "mail unchecked 10 c\nservice _s._tcp 0 0 1 c", "3- 4+", "unchecked.", dns.TypeMX, "c / 4 c"},
		{"glue of HTTPS", "record w HTTPS 1 c\nservice _s._tcp 0 0 1 c", "3- 4+", "w.", dns.TypeHTTPS, "c / 4 c"},
		{"address of two hosts", "host d 192.0.2.3 192.0.2.9\nservice _s._tcp 0 0 1 c", "3- 4+", "d.", dns.TypeA, "3 9"},
	} {
		tbl := table.Compile(checkedSet(t, hosts+tc.text).Index(), table.Options{Zones: zones[:1]})
		declared := renderAll(t, tbl, zones[:1])
		verdicts := verdictsOf(t, tbl, tc.verdicts)
		with := tbl.With(verdicts, nil)
		_, a := with.Lookup(tc.owner+"example.org.", tc.qtype)
		if got := brief(a); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		checkLengths(t, tc.name, a)
		if got := renderAll(t, with, zones[:1]); got != declared {
			t.Errorf("%s: a transfer has\n%s\nwant\n%s", tc.name, got, declared)
		}
		after := with.With(nil, slices.Collect(maps.Keys(verdicts)))
		_, a = after.Lookup(tc.owner+"example.org.", tc.qtype)
		_, b := tbl.Lookup(tc.owner+"example.org.", tc.qtype)
		if brief(a) != brief(b) {
			t.Errorf("%s: without verdicts %s, want %s", tc.name, brief(a), brief(b))
		}
	}
}

// TestUnprobedAddress: a target that has an address which may not be probed is never down, as it may answer there.
func TestUnprobedAddress(t *testing.T) {
	const text = "host a 192.0.2.1 198.51.100.1\nhost b 192.0.2.2\nhost c 198.51.100.3 192.0.2.3\nmail @ 10 a b\nmail @ 20 c b"
	mayProbe := func(_ definition.Owner, addr netip.Addr) bool {
		return netip.MustParsePrefix("192.0.2.0/24").Contains(addr)
	}
	for _, tc := range []struct{ verdicts, want string }{
		{"1- 2+ 3-", "a b b c"},
		{"1+ 2- 3-", "a b c"},
		{"1+ 2- 3+", "a c"},
	} {
		tbl := table.Compile(checkedSet(t, text).Index(), table.Options{Zones: zones[:1], Probe: mayProbe})
		_, a := tbl.With(verdictsOf(t, tbl, tc.verdicts), nil).Lookup("example.org.", dns.TypeMX)
		a.Glue = nil
		if got := brief(a); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.verdicts, got, tc.want)
		}
	}
}

// TestWithOrder: in which orders what is left of an answer may be sent.
func TestWithOrder(t *testing.T) {
	const hosts = "host a 192.0.2.1 2001:db8::a\nhost b 192.0.2.2\nhost c 192.0.2.3 192.0.2.4 192.0.2.5\n"
	for _, tc := range []struct {
		name, text, verdicts, owner string
		qtype                       uint16
		want                        string
	}{
		{"three targets", "service _s._tcp 0 6 1 a b c", "1- a- 2+ 3+", "_s._tcp.", dns.TypeSRV, "2 [{0 0 6 0 1} {1 0 6 1 4}]"},
		{"one is left", "service _s._tcp 0 6 1 a b", "1- a- 2+", "_s._tcp.", dns.TypeSRV, "0 []"},
		{"one of each priority is left", "mail @ 10 a b\nmail @ 20 c", "1- a- 2+", "", dns.TypeMX, "0 []"},
		{"at two ports", "service _s._tcp 0 0 1 a\nservice _s._tcp 0 0 2 a\nservice _s._tcp 0 0 1 b", "1+ a+ 2-", "_s._tcp.", dns.TypeSRV, "3 [{0 0 0 0 2} {1 0 0 0 2}]"},
		{"fixed", "service _s._tcp 0 6 1 a b c {\norder fixed\n}", "1- a- 2+", "_s._tcp.", dns.TypeSRV, "0 []"},
		{"any type", "service _s._tcp 0 6 1 a b c", "1- a- 2+", "_s._tcp.", dns.TypeANY, "0 []"},
		{"alias", "service _s._tcp 0 6 1 a b c\nalias w _s._tcp", "1- a- 2+", "w.", dns.TypeSRV, "2 [{0 0 6 0 1} {1 0 6 1 4}]"},
		{"glue", "service _s._tcp 0 6 1 b c", "3- 2+ 4+", "_s._tcp.", dns.TypeSRV, "2 [{0 0 6 0 1} {1 0 6 1 3}]"},
		{"two addresses", "service _s._tcp 0 6 1 c", "3- 4+", "c.", dns.TypeA, "1 []"},
		{"one address", "service _s._tcp 0 6 1 c", "3- 4- 5+", "c.", dns.TypeA, "0 []"},
	} {
		tbl := table.Compile(checkedSet(t, hosts+tc.text).Index(), table.Options{Zones: zones[:1]})
		_, a := tbl.With(verdictsOf(t, tbl, tc.verdicts), nil).Lookup(tc.owner+"example.org.", tc.qtype)
		if got := fmt.Sprint(a.Order, " ", a.Slots); got != tc.want {
			t.Errorf("%s: %s of %s, want %s", tc.name, got, brief(a), tc.want)
		}
	}
}

// TestDrained: a host that is drained leaves answers without any verdict, declared or not, and no address does.
func TestDrained(t *testing.T) {
	const text = "host a 192.0.2.1\nhost b 192.0.2.2\nmail unchecked 10 a b\nmail out.unchecked 10 a x.example.net.\nmail alone 10 a 20 b\n"
	for _, tc := range []struct{ drained, owner, want string }{
		{"a.example.org.", "unchecked.", "b / 2"},
		{"a.example.org.", "out.unchecked.", "x.example.net."},
		{"x.example.net.", "out.unchecked.", "a / 1"},
		{"a.example.org.", "alone.", "a b / 1 2"},
		{"c.example.org.", "unchecked.", "a b / 1 2"},
	} {
		set := checkedSet(t, text, definition.Name(tc.drained))
		tbl := table.Compile(set.Index(), table.Options{Zones: zones[:1]})
		if _, a := tbl.Lookup(tc.owner+"example.org.", dns.TypeMX); brief(a) != tc.want {
			t.Errorf("%s without %s: %s, want %s", tc.owner, tc.drained, brief(a), tc.want)
		}
		if _, a := tbl.Lookup("a.example.org.", dns.TypeA); brief(a) != "1" {
			t.Errorf("without %s: %s", tc.drained, brief(a))
		}
		patched := table.Compile(checkedSet(t, text).Index(), table.Options{Zones: zones[:1]})
		names := dependents(set, definition.Names{definition.Name(tc.drained): true})
		patched = patched.Patch(set.Index(), names, table.Options{Zones: zones[:1]})
		if _, a := patched.Lookup(tc.owner+"example.org.", dns.TypeMX); brief(a) != tc.want {
			t.Errorf("%s after a patch without %s: %s, want %s", tc.owner, tc.drained, brief(a), tc.want)
		}
	}
}

// TestProbes: what is to be probed.
func TestProbes(t *testing.T) {
	const hosts = "host a 192.0.2.1 2001:db8::1\nhost b 192.0.2.2\n"
	for _, tc := range []struct{ name, text, want string }{
		{"exchanges", "mail @ 10 a b", "192.0.2.1:25 (smtp), 192.0.2.2:25 (smtp), [2001:db8::1]:25 (smtp)"},
		{"many names", "mail c d 10 b\nmail e {\n20 b\nsrv\n}", "192.0.2.2:25 (smtp)"},
		{"targets", "service _s._tcp 0 0 1 b\nservice _s._tcp 0 0 2 b", "192.0.2.2:1 (tcp), 192.0.2.2:2 (tcp)"},
		{"aliases", "alias w _s._tcp\nservice _s._tcp 0 0 1 b", "192.0.2.2:1 (tcp)"},
		{"not checked", "mail unchecked 10 a", ""},
		{"outside", "mail @ 10 a.example.net.", ""},
		{"none", "mail @ none\nservice _s._tcp none", ""},
	} {
		tbl := table.Compile(checkedSet(t, hosts+tc.text).Index(), table.Options{Zones: zones[:1]})
		var got []string
		for _, p := range tbl.Probes() {
			got = append(got, p.String())
		}
		if got := strings.Join(got, ", "); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// TestShared: a verdict concerns an RRset once, however many names share it, and does not mix names of other checks.
func TestShared(t *testing.T) {
	const names = 100_000
	text := "host a 192.0.2.1\nhost b 192.0.2.2\nmail " + strings.Join(numbered("d", names), " ") + " 10 a b\n" +
		"mail " + strings.Join(numbered("n", 100), ".unchecked ") + ".unchecked 10 a b\n"
	tbl := table.Compile(checkedSet(t, text).Index(), table.Options{Zones: zones[:1]})
	verdicts := verdictsOf(t, tbl, "1- 2+")
	allocs := testing.AllocsPerRun(1, func() { tbl.With(verdicts, nil) })
	if allocs > 3000 {
		t.Errorf("%v allocations for a verdict, want some for each of 64 RRsets", allocs)
	}
	with := tbl.With(verdicts, nil)
	for _, tc := range []struct{ owner, want string }{
		{"d1.", "b / 2"}, {"d63.", "b / 2"}, {"d64.", "b / 2"}, {"d100000.", "b / 2"}, {"n90.unchecked.", "a b / 1 2"},
	} {
		_, a := with.Lookup(tc.owner+"example.org.", dns.TypeMX)
		if got := brief(a); got != tc.want || a.RRs[0].Header().Name != tc.owner+"example.org." {
			t.Errorf("%s: %s, want %s", a.RRs[0].Header().Name, got, tc.want)
		}
		checkLengths(t, tc.owner, a)
	}
	restricted := 0
	for r := range with.Health() {
		if restricted++; len(r.Hidden) != 1 || r.Type != dns.TypeMX || r.FailsOpen {
			t.Fatalf("%+v", r)
		}
	}
	if restricted != names {
		t.Errorf("%d names are restricted, want %d", restricted, names)
	}
}

// TestHealth: what is hidden of which names, and what fails open.
func TestHealth(t *testing.T) {
	const text = "host a 192.0.2.1\nhost b 192.0.2.2\nhost c 192.0.2.3 192.0.2.4\n" +
		"mail m 10 a b\nmail n 10 a 20 b\nservice _s._tcp 0 0 25 a\nservice _t._tcp 0 0 25 a b\nservice _u._tcp 0 0 1 c\nalias w m\n"
	for _, tc := range []struct{ verdicts, want string }{
		{"", ""},
		{"1-", "_s._tcp SRV open"},
		{"1- 2+", "m MX a, _s._tcp SRV open, _t._tcp SRV a"},
		{"1- 2-", "m MX open, n MX open, _s._tcp SRV open, _t._tcp SRV open"},
		{"3- 4+", "c A 192.0.2.3"},
	} {
		tbl := table.Compile(checkedSet(t, text).Index(), table.Options{Zones: zones[:1]})
		var got []string
		for r := range tbl.With(verdictsOf(t, tbl, tc.verdicts), nil).Health() {
			words := strings.TrimSuffix(string(r.Owner), ".example.org.") + " " + dns.TypeToString[r.Type]
			for _, rr := range r.Hidden {
				data := strings.Fields(rr.String())
				words += " " + strings.TrimSuffix(data[len(data)-1], ".example.org.")
			}
			if r.FailsOpen {
				words += " open"
			}
			got = append(got, words)
		}
		if got := strings.Join(got, ", "); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.verdicts, got, tc.want)
		}
	}
}
