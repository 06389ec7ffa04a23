package table_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestHealthProperties: whatever is declared and edited and whatever verdicts there are, a table that is patched and
// given verdicts bit by bit answers as one that is compiled and given all; it has what is declared in transfers,
// digests and types; and its answers are these without the records that are to be hidden, never empty, and with each
// preference of mail.
func TestHealthProperties(t *testing.T) {
	var hiding atomic.Int64
	t.Cleanup(func() {
		if n := hiding.Load(); n < 1000 {
			t.Errorf("only %d answers had something hidden", n)
		}
	})
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := patient{Rand: rand.New(rand.NewPCG(seed, 7)), verdicts: map[definition.Probe]table.Verdict{}, drained: definition.Names{}}
			for range 8 {
				p.lines = append(p.lines, p.line())
			}
			if p.IntN(3) == 0 { // names that share their records
				p.lines = append(p.lines, checkedLine{"mail " + strings.Join(numbered("s", 70), " ") + " 10 h1 h2 h3", smtp})
			}
			tbl := table.Compile(p.set(t).Index(), p.options())
			for range 25 {
				tbl = p.step(t, tbl)
				hiding.Add(p.check(t, tbl))
			}
		})
	}
}

// A checkedLine is a stanza with a check.
type checkedLine struct {
	text  string
	check definition.Check
}

// A patient is definitions that change at random, and so do the verdicts of their probes.
type patient struct {
	*rand.Rand
	lines    []checkedLine
	drained  definition.Names
	verdicts map[definition.Probe]table.Verdict
}

func (p *patient) of(words ...string) string { return words[p.IntN(len(words))] }

func (p *patient) host() string {
	return p.of("h1", "h2", "h3", "h4", "h5", "out.example.net.", "w1")
}

func (p *patient) line() checkedLine {
	check := []definition.Check{smtp, tcp, tcp, {}}[p.IntN(4)]
	order := p.of("", "", " {\norder fixed\n}")
	hosts := p.host() + " " + p.host() + " " + p.host()
	address := func() string { return fmt.Sprint(" 192.0.2.", 1+p.IntN(7)) }
	text := ""
	switch p.IntN(9) {
	case 0, 1, 2:
		text = "host " + p.of("h1", "h2", "h3", "h4", "h5") + address() + p.of("", address(), address()+" 2001:db8::1 2001:db8::2") + order
	case 3, 4:
		text = "mail " + p.of("d1", "d2", "d3", "@") + p.of(" 10 ", " 20 ") + hosts + p.of(order, order, " {\nsrv\n}")
	case 5, 6:
		text = "service " + p.of("_a._tcp", "_b._tcp", "_smtp._tcp.d1", "_a._tcp.d2") + p.of(" 0 0 ", " 0 5 ", " 1 3 ") + p.of("25 ", "80 ") + hosts + order
	case 7:
		text = "alias " + p.of("w1", "w2", "w3") + " " + p.of("h1", "h2", "d1", "@", "_a._tcp", "_smtp._tcp.d1", "w1", "s70")
	case 8:
		text = p.of("record r1 HTTPS 1 ", "record r2 HTTPS 0 ") + p.host()
	}
	return checkedLine{text, check}
}

// options returns those of all tables: the serial of a zone is of its digest.
func (p *patient) options() table.Options {
	return table.Options{Zones: zones[:1], Serials: digestsOf{}.note}
}

// set returns what is declared.
func (p *patient) set(t *testing.T) *definition.Set {
	t.Helper()
	set := new(definition.Set)
	for _, line := range p.lines {
		one, errs := definition.Read("x", line.text, zones[:1])
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for i := range one.Mails {
			one.Mails[i].Check = &line.check
		}
		for i := range one.Services {
			one.Services[i].Check = &line.check
		}
		set.Add(one)
	}
	for _, host := range slices.Sorted(maps.Keys(p.drained)) {
		set.Drains = append(set.Drains, definition.Drain{Head: definition.Head{Owner: host}})
	}
	set.Apexes = apexes(zones[0])
	return set
}

// step changes what is declared, or verdicts, and returns the next table.
func (p *patient) step(t *testing.T, tbl *table.Table) *table.Table {
	if p.IntN(2) == 0 {
		return p.decide(tbl)
	}
	before := p.set(t)
	changed := definition.Names{}
	switch p.IntN(4) {
	case 0:
		host := definition.Name(p.of("h1.example.org.", "h2.example.org.", "out.example.net."))
		p.drained[host] = !p.drained[host]
		if !p.drained[host] {
			delete(p.drained, host)
		}
		changed[host] = true
	case 1:
		i := p.IntN(len(p.lines))
		p.change(t, changed, p.lines[i])
		p.lines = slices.Delete(p.lines, i, i+1)
	default:
		line := p.line()
		p.change(t, changed, line)
		p.lines = append(p.lines, line)
	}
	set := p.set(t)
	names := dependents(before, maps.Clone(changed))
	names.Add(dependents(set, changed))
	return tbl.Patch(set.Index(), names, p.options())
}

func (p *patient) change(t *testing.T, changed definition.Names, line checkedLine) {
	set, errs := definition.Read("x", line.text, zones[:1])
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	changed.Add(set.Owners())
}

// decide changes some verdicts.
func (p *patient) decide(tbl *table.Table) *table.Table {
	p.verdicts = maps.Clone(p.verdicts)
	changed := []definition.Probe{}
	for _, probe := range tbl.Probes() {
		switch p.IntN(7) {
		case 0, 1:
			p.verdicts[probe] = table.Down
		case 2:
			p.verdicts[probe] = table.Up
		case 3:
			p.verdicts[probe] = table.Unreachable
		case 4:
			delete(p.verdicts, probe)
		default:
			continue
		}
		changed = append(changed, probe)
	}
	return tbl.With(p.verdicts, changed)
}

// check compares a table with what it must be. It returns of how many answers something is hidden.
func (p *patient) check(t *testing.T, got *table.Table) (hiding int64) {
	t.Helper()
	set := p.set(t)
	fresh := table.Compile(set.Index(), p.options())
	want := fresh.With(p.verdicts, nil)
	if !slices.Equal(got.Probes(), fresh.Probes()) {
		t.Fatalf("%v\nprobes %v\nwant %v", p.lines, got.Probes(), fresh.Probes())
	}
	if !slices.Equal(got.Drained(), fresh.Drained()) || len(got.Drained()) != len(set.Drains) {
		t.Fatalf("%v\ndrained %v\nwant %v", p.lines, got.Drained(), fresh.Drained())
	}
	set.Drains = nil
	declared := table.Compile(set.Index(), p.options())
	rules := p.reference(set.Index(), fresh.Probes())
	if g, w := renderAll(t, got, zones[:1]), renderAll(t, declared, zones[:1]); g != w {
		t.Fatalf("%v\n%s\nwant\n%s", p.lines, g, w)
	}
	for name := range set.Owners() {
		for _, qtype := range asked {
			_, g := got.Lookup(string(name), qtype)
			_, w := want.Lookup(string(name), qtype)
			_, d := declared.Lookup(string(name), qtype)
			if !reflect.DeepEqual(g, w) {
				t.Fatalf("%v %v\n%s %s: %+v\nwant %+v", p.lines, p.verdicts, name, dns.TypeToString[qtype], g, w)
			}
			checkPart(t, string(name), g, d)
			if got, want := texts(g), texts(rules.left(d)); got != want {
				t.Fatalf("%v %v\n%s %s:\n%s\nwant\n%s", p.lines, p.verdicts, name, dns.TypeToString[qtype], got, want)
			}
			if len(g.RRs) < len(d.RRs) {
				hiding++
			}
		}
	}
	p.checkHealth(t, got, declared)
	return hiding
}

// A reference says what is to be hidden, rule by rule and record by record.
type reference struct {
	*patient
	index  *definition.Index
	states map[netip.Addr]map[table.Verdict]bool // of the probes at an address
}

func (p *patient) reference(index *definition.Index, probes []definition.Probe) *reference {
	r := &reference{patient: p, index: index, states: make(map[netip.Addr]map[table.Verdict]bool)}
	for _, probe := range probes {
		addr := probe.Addr.Addr()
		if r.states[addr] == nil {
			r.states[addr] = make(map[table.Verdict]bool)
		}
		r.states[addr][p.verdicts[probe]] = true
	}
	return r
}

// left returns what is left of an answer of a table without verdicts.
func (r *reference) left(a table.Answer) table.Answer {
	aliases := slices.IndexFunc(a.RRs, func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeCNAME })
	if aliases < 0 {
		return a
	}
	set := a.RRs[aliases:]
	a.RRs = slices.DeleteFunc(slices.Clone(a.RRs), func(rr dns.RR) bool {
		return r.hidesTarget(set, rr) || r.hidesAddress(a.RRs, rr)
	})
	a.Glue = slices.DeleteFunc(slices.Clone(a.Glue), func(rr dns.RR) bool {
		isOf := func(of dns.RR) bool { return targetOf(of).host == definition.Name(rr.Header().Name) }
		return slices.ContainsFunc(set, isOf) && !slices.ContainsFunc(a.RRs, isOf) || r.hidesAddress(a.Glue, rr)
	})
	return a
}

// A target is that of an MX or SRV record.
type target struct {
	priority, port uint16
	host           definition.Name
}

// targetOf returns that of a record, or none.
func targetOf(rr dns.RR) target {
	switch rr := rr.(type) {
	case *dns.MX:
		return target{rr.Preference, 25, definition.Name(rr.Mx)}
	case *dns.SRV:
		return target{rr.Priority, rr.Port, definition.Name(rr.Target)}
	}
	return target{}
}

// hidesTarget reports whether a record of an RRset is hidden for its target.
func (r *reference) hidesTarget(set []dns.RR, rr dns.RR) bool {
	is, other := r.stateOf(rr), func(same bool, states ...string) bool {
		return slices.ContainsFunc(set, func(other dns.RR) bool {
			return (targetOf(other).priority == targetOf(rr).priority) == same && slices.Contains(states, r.stateOf(other))
		})
	}
	isMail := rr.Header().Rrtype == dns.TypeMX || strings.HasPrefix(rr.Header().Name, "_smtp._tcp.")
	switch {
	case is == "down" && other(true, "up"), is == "drained" && other(true, "up", "unknown"):
		return true
	case is == "down" || is == "drained":
		return !isMail && !other(true, "up", "unknown") && other(false, "up")
	}
	return false
}

// stateOf returns the state of the target of a record.
func (r *reference) stateOf(rr dns.RR) string {
	owner, to := r.index.At(definition.Name(rr.Header().Name)), targetOf(rr)
	check := owner.ServiceCheck()
	if rr.Header().Rrtype == dns.TypeMX {
		check = owner.MailCheck()
	}
	states := make(map[table.Verdict]bool)
	if check != (definition.Check{}) {
		for _, addr := range r.index.At(to.host).Addrs() {
			states[r.verdicts[definition.NewProbe(netip.AddrPortFrom(addr, to.port), check, to.host)]] = true
		}
	}
	switch {
	case to.host == "" || to.host == ".":
		return "none"
	case r.drained[to.host]:
		return "drained"
	case states[table.Up]:
		return "up"
	case states[table.Down] && !states[0]:
		return "down"
	}
	return "unknown"
}

// hidesAddress reports whether an address in a section is hidden.
func (r *reference) hidesAddress(section []dns.RR, rr dns.RR) bool {
	states := r.statesAt(rr)
	return len(states) == 1 && states[table.Down] && slices.ContainsFunc(section, func(other dns.RR) bool {
		a, b := other.Header(), rr.Header()
		return a.Name == b.Name && a.Rrtype == b.Rrtype && r.statesAt(other)[table.Up]
	})
}

// statesAt returns the verdicts of all probes at the address in a record.
func (r *reference) statesAt(rr dns.RR) map[table.Verdict]bool {
	var addr netip.Addr
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ = netip.AddrFromSlice(rr.A.To4())
	case *dns.AAAA:
		addr, _ = netip.AddrFromSlice(rr.AAAA)
	}
	return r.states[addr]
}

// texts writes the records of an answer.
func texts(a table.Answer) string {
	var b strings.Builder
	for _, rr := range slices.Concat(a.RRs, a.Glue) {
		fmt.Fprintln(&b, rr)
	}
	return b.String()
}

// checkPart checks that an answer is a part of what is declared that can be sent.
func checkPart(t *testing.T, name string, a, declared table.Answer) {
	t.Helper()
	checkLengths(t, name, a)
	checkLengths(t, name, declared)
	preferences := func(rrs []dns.RR) map[uint16]bool {
		all := make(map[uint16]bool)
		for _, rr := range rrs {
			if mx, ok := rr.(*dns.MX); ok {
				all[mx.Preference] = true
			}
		}
		return all
	}
	if len(a.RRs) == 0 && len(declared.RRs) > 0 || !isPart(a.RRs, declared.RRs) || !isPart(a.Glue, declared.Glue) ||
		!maps.Equal(preferences(a.RRs), preferences(declared.RRs)) || !reflect.DeepEqual(a.Ns, declared.Ns) {
		t.Fatalf("%s: %v is no part of %v", name, a, declared)
	}
	if a.Order > declared.Order || len(a.RRs) == len(declared.RRs) && a.Order != declared.Order {
		t.Fatalf("%s: order %v of %v, declared %v", name, a.Order, a.RRs, declared.Order)
	}
	places := 0
	for i, s := range a.Slots {
		rr := a.RRs[len(a.RRs)-len(a.Slots)+i]
		if int(s.Record) != i || s.GlueEnd < s.Glue {
			t.Fatalf("%s: slots %v", name, a.Slots)
		}
		for _, glue := range a.Glue[s.Glue:s.GlueEnd] {
			if !strings.HasSuffix(strings.ReplaceAll(rr.String(), "\t", " "), " "+glue.Header().Name) {
				t.Fatalf("%s: %v is not of %v", name, glue, rr)
			}
		}
		places += int(s.GlueEnd - s.Glue)
	}
	if len(a.Slots) > 0 && (places < len(a.Glue) || places > len(a.Glue) && a.Order != table.DrawnRepeating) {
		t.Fatalf("%s: slots %v of %d addresses, order %v", name, a.Slots, len(a.Glue), a.Order)
	}
}

// isPart reports whether records are some of others, in the same order.
func isPart(some, all []dns.RR) bool {
	for _, rr := range some {
		i := slices.IndexFunc(all, func(other dns.RR) bool { return other.String() == rr.String() })
		if i < 0 {
			return false
		}
		all = all[i+1:]
	}
	return true
}

// checkHealth checks that what a table says to be hidden is what its answers do not have.
func (p *patient) checkHealth(t *testing.T, got, declared *table.Table) {
	t.Helper()
	hidden, failing := make(map[string]int), make(map[definition.Name]int)
	for r := range got.Health() {
		hidden[fmt.Sprint(r.Owner, r.Type)] += len(r.Hidden)
		if r.FailsOpen {
			failing[r.Owner]++
		}
	}
	for name := range got.FailedOpen() {
		failing[name]--
	}
	for name, n := range failing {
		if n != 0 {
			t.Fatalf("%v\n%s fails open %d times more by Health than by FailedOpen", p.lines, name, n)
		}
	}
	for o := range p.set(t).Index().Owners() {
		if len(o.Aliases()) > 0 {
			continue
		}
		for _, qtype := range got.Types(string(o.Name())) {
			_, a := got.Lookup(string(o.Name()), qtype)
			_, d := declared.Lookup(string(o.Name()), qtype)
			if n := hidden[fmt.Sprint(o.Name(), qtype)]; n != len(d.RRs)-len(a.RRs) {
				t.Fatalf("%v\n%s: %d hidden, want %d", p.lines, o.Name(), n, len(d.RRs)-len(a.RRs))
			}
		}
	}
}
