package test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/test/rig"
)

var (
	setsFlag = flag.Int("sets", 0, "sets of TestDifferential; 6 if left out, 50 where peers are required or with -long")
	seedFlag = flag.Uint64("seed", 1, "seed of the first set; 0 takes one from the clock")
)

// perSet is how many questions each set is asked about.
const perSet = 4200

// sets returns the seeds of the sets to make.
func sets() []uint64 {
	n := *setsFlag
	if n == 0 && (*long || os.Getenv("MXSRV_REQUIRE_PEERS") != "") {
		n = 50
	} else if n == 0 {
		n = 6
	}
	first := *seedFlag
	if first == 0 {
		first = uint64(time.Now().Unix())
	}
	var seeds []uint64
	for i := range n {
		seeds = append(seeds, first+uint64(i))
	}
	return seeds
}

// masterFiles renders all sets as the references read them, and notes what of it
// is not what the definitions mean.
func masterFiles(t *testing.T, all []*generated, serial func(zone string) uint32) []hosted {
	t.Helper()
	dir := t.TempDir()
	var zones []hosted
	for _, g := range all {
		compiled := compile(t, g.block, func(zone definition.Name, _ table.Digest) uint32 { return serial(string(zone)) })
		for i, zone := range g.zones {
			file := filepath.Join(dir, fmt.Sprintf("%d-%d", g.seed, i))
			var b strings.Builder
			if err := compiled.Render(&b, definition.Name(zone)); err != nil {
				t.Fatal(err)
			}
			if missing, extra := differ(strings.Split(g.master(zone, serial(zone)), "\n"), strings.Split(b.String(), "\n")); missing != nil || extra != nil {
				t.Errorf("seed %d: %s lacks %q and has %q", g.seed, zone, missing, extra)
			}
			write(t, file, b.String())
			zones = append(zones, hosted{zone: zone, file: file})
		}
	}
	return zones
}

// compile makes the table of the stanzas of a server block.
func compile(t *testing.T, stanzas string, serials func(definition.Name, table.Digest) uint32) *table.Table {
	t.Helper()
	d := caddyfile.NewDispenser("Corefile", strings.NewReader(stanzas))
	b := corefile.Read(&d, corefile.Env{Origins: plugin.OriginsFromArgsOrServerBlock})
	index := b.Inline.Index()
	if err := lint.Err(lint.Check(index, b.Errs, lint.Options{Zones: b.Zones})); err != nil {
		t.Fatalf("%v\n%s", err, stanzas)
	}
	return table.Compile(index, table.Options{Zones: b.Zones, Serials: serials})
}

// differ returns what only one of two lists holds.
func differ(a, b []string) (onlyA, onlyB []string) {
	counts := map[string]int{}
	for _, s := range a {
		counts[s]++
	}
	for _, s := range b {
		if counts[s]--; counts[s] < 0 {
			onlyB = append(onlyB, s)
		}
	}
	for _, s := range a {
		if counts[s] > 0 {
			counts[s]--
			onlyA = append(onlyA, s)
		}
	}
	return onlyA, onlyB
}

// corefileOf serves sets, each in a server block of its own. It sends no probes.
func corefileOf(t *testing.T, all []*generated, plugins string) string {
	t.Helper()
	requireNoSources(t)
	var b strings.Builder
	for _, g := range all {
		fmt.Fprintf(&b, "%s:1053 {\nbind 127.0.0.1\n%s\n%s}\n", strings.Join(g.zones, ":1053 "), plugins, g.block)
	}
	return b.String()
}

// TestDifferential asks our server and three that others trust the same
// questions about the same zones. A difference is ours, unless the three differ
// among themselves or it is one of those allowed. Verdicts of checks make none, where nothing is to be hidden.
func TestDifferential(t *testing.T) {
	var all []*generated
	dir := t.TempDir()
	for _, seed := range sets() {
		g := generate(seed)
		g.verdicts(t, dir)
		all = append(all, g)
	}
	if len(all) < 50 {
		rig.Short(t, "-sets 50")
	}
	t.Logf("%d sets, the first of seed %d; one alone: go test ./test -run TestDifferential -sets 1 -seed SEED", len(all), all[0].seed)
	ours := start(t, dir, corefileOf(t, all, "")+metricsBlock)
	if len(all) > 3 {
		checkVerdicts(t, ours)
	}
	zones := masterFiles(t, all, func(zone string) uint32 {
		return serialOf(t, ours, zone)
	})
	servers := []*server{ours}
	for _, r := range references {
		servers = append(servers, r.run(t, zones))
	}
	c := &comparison{allowed: map[string]int{}, byField: map[string]int{}, split: map[string]int{}}
	for _, g := range all {
		c.compareSet(t, servers, g)
	}
	t.Logf("%d questions over %d sets, %d differences %v; the references differ among themselves in %v; lost over UDP: %v of us, NSD, Knot, BIND",
		c.questions, len(all), c.differences, c.byField, c.split, c.lost)
	for _, a := range allowances {
		t.Logf("allowed %6d  %s: %s", c.allowed[a.name], a.name, a.reason)
	}
}

// A comparison counts what was compared.
type comparison struct {
	questions, differences  int
	lost                    [4]int
	allowed, byField, split map[string]int
}

// lostLimit is how many answers of one server may get lost over UDP.
const lostLimit = 50

// shown is how many differences are printed whole.
const shown = 20

// compareSet asks all servers about a set: ours first, then the references.
func (c *comparison) compareSet(t *testing.T, servers []*server, g *generated) {
	t.Helper()
	questions := newCurious(g).questions(perSet)
	known := rrsetsByName(g)
	var raw [4][][]byte
	for i, s := range servers {
		var lost int
		raw[i], lost = askAll(t, s, questions, func(q *question) bool { return i != knot || !q.hangsKnot(known) })
		if c.lost[i] += lost; c.lost[i] > lostLimit {
			t.Fatalf("seed %d: server %d did not answer %d questions over UDP, more than %d", g.seed, i, c.lost[i], lostLimit)
		}
	}
	for i, q := range questions {
		e := &exchanged{question: q, known: known, fixed: g.fixed}
		for j := range servers {
			if raw[j][i] == nil && j > 0 {
				continue // not asked, or lost
			}
			if err := e.answers[j].unpack(raw[j][i]); err != nil {
				t.Errorf("seed %d: %v: server %d: %v", g.seed, q, j, err)
				return
			}
		}
		c.questions++
		for _, d := range e.differences() {
			c.judge(t, g, e, d)
		}
		for _, field := range e.split {
			c.split[field]++
		}
	}
}

// knot is its place among the servers.
const knot = 2

// hangsKnot reports whether an answer may not fit with the addresses of all its
// targets: a thread of Knot 3.2.6 answers some of these never, and no other
// question from then on. It does where the names are long and the size is not
// the smallest.
func (q *question) hangsKnot(known map[string]map[uint16][]string) bool {
	if q.tcp || q.size == dns.MinMsgSize {
		return false
	}
	name := strings.ToLower(q.name)
	if target := targetOfAlias(known, name); target != "" {
		name = target
	}
	octets := 0 // more than on the wire
	for _, rrtype := range []uint16{dns.TypeMX, dns.TypeSRV, dns.TypeNS, dns.TypeHTTPS, dns.TypeSVCB} {
		for _, rr := range known[name][rrtype] {
			target := rr[strings.LastIndex(rr, " ")+1:]
			octets += len(rr) + len(strings.Join(addresses(known, target), ""))
		}
	}
	return octets > q.size
}

// judge counts a difference, as allowed or not.
func (c *comparison) judge(t *testing.T, g *generated, e *exchanged, d difference) {
	t.Helper()
	for _, a := range allowances {
		if a.applies(e, d) {
			c.allowed[a.name]++
			return
		}
	}
	c.byField[d.field]++
	if c.differences++; c.differences <= shown {
		t.Errorf("seed %d: %v: %s: we say %q, NSD, Knot and BIND %q", g.seed, e.question, d.field, d.ours, d.references)
	}
	if c.byField[d.field] == 1 {
		t.Logf("ours:\n%v\nNSD:\n%v\nKnot:\n%v\nBIND:\n%v",
			&e.answers[0].msg, &e.answers[1].msg, &e.answers[2].msg, &e.answers[3].msg)
	}
}

// An exchanged is a question with the answers to it: ours, NSD's, Knot's and
// BIND's.
type exchanged struct {
	*question
	answers [4]answer
	known   map[string]map[uint16][]string // RRsets of the set
	fixed   map[string]bool                // those of them that are in the fixed order, by fixedKey
	split   []string                       // fields in which the references differ, and with whom we agree
}

// An answer is a message with what is compared of it, as text.
type answer struct {
	msg    dns.Msg
	octets int
	rrs    []string // Answer, sorted
}

func (a *answer) unpack(raw []byte) error {
	a.octets = len(raw)
	if err := a.msg.Unpack(raw); err != nil {
		return err
	}
	a.rrs = texts(a.msg.Answer)
	slices.Sort(a.rrs)
	return nil
}

// texts writes records in lower case: names are compressed to those of the
// question, whatever case these are in.
func texts(rrs []dns.RR) []string {
	all := make([]string, len(rrs))
	for i, rr := range rrs {
		all[i] = strings.ToLower(rr.String())
	}
	return all
}

// A difference is a field in which we say what no reference does.
type difference struct {
	field      string
	ours       string
	references [3]string
}

// fields are what is compared of all four.
var fields = []struct {
	name string
	of   func(a *answer) string
}{
	{"rcode", func(a *answer) string { return dns.RcodeToString[a.msg.Rcode] }},
	{"flags", func(a *answer) string {
		h := a.msg.MsgHdr
		return fmt.Sprintf("response %v opcode %d aa %v rd %v ra %v ad %v cd %v", h.Response, h.Opcode, h.Authoritative, h.RecursionDesired, h.RecursionAvailable, h.AuthenticatedData, h.CheckingDisabled)
	}},
	{"TC", func(a *answer) string { return fmt.Sprint(a.msg.Truncated) }},
	{"answer", func(a *answer) string {
		if a.msg.Truncated {
			return "cut"
		}
		return strings.Join(a.rrs, "\n")
	}},
	{"SOA", func(a *answer) string {
		soas := slices.DeleteFunc(slices.Clone(a.msg.Ns), func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeSOA })
		return strings.Join(texts(soas), "\n")
	}},
	{"referral", func(a *answer) string {
		if len(a.msg.Answer) > 0 || a.msg.Rcode != dns.RcodeSuccess || a.msg.Truncated {
			return ""
		}
		servers := texts(slices.DeleteFunc(slices.Clone(a.msg.Ns), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA }))
		slices.Sort(servers)
		return strings.Join(servers, "\n")
	}},
	{"EDNS", func(a *answer) string {
		opt := a.msg.IsEdns0()
		if opt == nil {
			return "none"
		}
		return fmt.Sprintf("version %d DO %v", opt.Version(), opt.Do())
	}},
	{"question", func(a *answer) string { return fmt.Sprint(a.msg.Question) }},
}

// differences compares what all four say, and then what of our answer is to be
// so whatever they say.
func (e *exchanged) differences() []difference {
	var found []difference
	for _, f := range fields {
		d := difference{field: f.name, ours: f.of(&e.answers[0])}
		same, other := "", 0
		for i := range d.references {
			if e.answers[1+i].octets == 0 {
				continue // not asked
			}
			if d.references[i] = f.of(&e.answers[1+i]); d.references[i] == d.ours {
				same += " " + references[i].name
			} else {
				other++
			}
		}
		switch {
		case same == "":
			found = append(found, d)
		case other > 0:
			e.split = append(e.split, f.name+" as"+same)
		}
	}
	for _, c := range alone {
		if wrong := c.wrong(e); wrong != "" {
			found = append(found, difference{field: c.field, ours: wrong})
		}
	}
	return found
}

// alone is what is wrong with our answer whatever the others say.
var alone = []struct {
	field string
	wrong func(*exchanged) string
}{
	{"size", (*exchanged).tooLong},
	{"case", (*exchanged).capitals},
	{"authority", (*exchanged).strangers},
	{"glue", (*exchanged).glue},
	{"order", (*exchanged).order},
}

func (e *exchanged) tooLong() string {
	if octets := e.answers[0].octets; octets > e.size {
		return fmt.Sprintf("%d octets, more than %d", octets, e.size)
	}
	return ""
}

// capitals finds owners that are not in lower case.
func (e *exchanged) capitals() string {
	m := &e.answers[0].msg
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if name := rr.Header().Name; name != strings.ToLower(name) {
				return name
			}
		}
	}
	return ""
}

// strangers finds records in our Authority that no reference has there.
func (e *exchanged) strangers() string {
	for _, rr := range texts(e.answers[0].msg.Ns) {
		known := false
		for i := range references {
			known = known || slices.Contains(texts(e.answers[1+i].msg.Ns), rr)
		}
		if !known {
			return rr
		}
	}
	return ""
}

// rrsetsByName returns the RRsets of a set by owner and type, as sorted lines:
// those of the zone that the owner is in.
func rrsetsByName(g *generated) map[string]map[uint16][]string {
	all := map[string]map[uint16][]string{}
	for _, zone := range g.zones {
		for _, rr := range g.records[zone] {
			h := rr.Header()
			if g.zoneOf(h.Name) != zone {
				continue
			}
			if all[h.Name] == nil {
				all[h.Name] = map[uint16][]string{}
			}
			all[h.Name][h.Rrtype] = append(all[h.Name][h.Rrtype], strings.ToLower(rr.String()))
		}
	}
	for _, byType := range all {
		for _, lines := range byType {
			slices.Sort(lines)
		}
	}
	return all
}

// addresses returns the address RRsets of a host, A before AAAA.
func addresses(known map[string]map[uint16][]string, host string) []string {
	var sets []string
	for _, rrtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		if lines := known[host][rrtype]; lines != nil {
			sets = append(sets, strings.Join(lines, "\n"))
		}
	}
	return sets
}

// glue compares our Additional with the addresses of all targets in our answer:
// in their order, each RRset whole, and none left out that fits. What a
// reference has of these must be among them.
func (e *exchanged) glue() string {
	ours := &e.answers[0].msg
	if ours.Truncated {
		return ""
	}
	var want []string
	targets := map[string]bool{}
	for _, rr := range slices.Concat(ours.Answer, delegation(ours)) {
		target := targetOf(rr)
		if target != "" && target != "." && !targets[target] {
			targets[target] = true
			want = append(want, addresses(e.known, target)...)
			if lines := e.known[target][rr.Header().Rrtype]; isServiceAlias(rr) && lines != nil {
				want = append(want, strings.Join(lines, "\n"))
			}
		}
	}
	got := rrsetsOf(ours.Extra)
	for _, rrset := range want {
		switch {
		case len(got) > 0 && got[0] == rrset:
			got = got[1:]
		case e.fits(rrset):
			return fmt.Sprintf("%q is left out, and fits", rrset)
		}
	}
	if len(got) > 0 {
		return fmt.Sprintf("%q is none of %q, or not in their order", got[0], want)
	}
	for i := range references {
		for _, rr := range e.answers[1+i].msg.Extra {
			if text := strings.ToLower(rr.String()); targets[strings.ToLower(rr.Header().Name)] && !strings.Contains(strings.Join(want, "\n"), text) {
				return fmt.Sprintf("%s has %s", references[i].name, text)
			}
		}
	}
	return ""
}

// targetOf returns the host whose addresses go with a record.
func targetOf(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.MX:
		return rr.Mx
	case *dns.SRV:
		return rr.Target
	case *dns.NS:
		return rr.Ns
	case *dns.SVCB:
		return targetOfService(rr)
	case *dns.HTTPS:
		return targetOfService(&rr.SVCB)
	}
	return ""
}

// isServiceAlias reports whether a record is an alias of another service (RFC 9460 §2.4.2).
func isServiceAlias(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.SVCB:
		return rr.Priority == 0
	case *dns.HTTPS:
		return rr.Priority == 0
	}
	return false
}

func targetOfService(rr *dns.SVCB) string {
	if rr.Target == "." && rr.Priority > 0 {
		return rr.Hdr.Name
	}
	return rr.Target
}

// delegation returns the NS records of a referral: first those whose glue is needed most, of hosts in the zone.
func delegation(m *dns.Msg) (servers []dns.RR) {
	for _, inside := range []bool{true, false} {
		for _, rr := range m.Ns {
			if ns, ok := rr.(*dns.NS); ok && len(m.Answer) == 0 && dns.IsSubDomain(ns.Hdr.Name, ns.Ns) == inside {
				servers = append(servers, rr)
			}
		}
	}
	return servers
}

// rrsetsOf returns the RRsets of an Additional section in order, OPT left out,
// each as sorted lines.
func rrsetsOf(rrs []dns.RR) []string {
	var sets []string
	var lines []string
	for i, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeOPT {
			continue
		}
		lines = append(lines, strings.ToLower(rr.String()))
		if i+1 == len(rrs) || !dns.IsRRset(rrs[i:i+2]) {
			slices.Sort(lines)
			sets = append(sets, strings.Join(lines, "\n"))
			lines = nil
		}
	}
	return sets
}

// fits reports whether an RRset would have had room in our answer.
func (e *exchanged) fits(rrset string) bool {
	m := e.answers[0].msg.Copy()
	m.Compress = true
	for line := range strings.SplitSeq(rrset, "\n") {
		rr, err := dns.NewRR(line)
		if err != nil {
			return true
		}
		m.Extra = append(m.Extra, rr)
	}
	return m.Len() <= e.size
}

// An allowance is a difference that is meant, with the reason.
type allowance struct {
	name, reason string
	applies      func(e *exchanged, d difference) bool
}

var allowances = []allowance{
	{"any", "an ANY question gets one RRset, so that it amplifies nothing (RFC 8482 §4.1)",
		func(e *exchanged, d difference) bool {
			return e.qtype == dns.TypeANY && (d.field == "answer" || d.field == "TC") && e.isRRset()
		}},
	{"mixed case", "names are in lower case and not compressed to those of a question in mixed case: an answer that just fits in lower case is cut",
		func(e *exchanged, d difference) bool {
			return (d.field == "answer" || d.field == "TC") && e.answers[0].msg.Truncated && e.fitsInLowerCase()
		}},
	{"DS of a zone by an alias", "the DS of a zone is its parent's to deny; through an alias we deny with the SOA of the zone, and Knot and BIND do not deny",
		func(e *exchanged, d difference) bool {
			target := targetOfAlias(e.known, strings.ToLower(e.name))
			return (d.field == "SOA" || d.field == "authority") && e.qtype == dns.TypeDS && target != "" && e.known[target][dns.TypeNS] != nil
		}},
}

// targetOfAlias returns the host of an alias, or "".
func targetOfAlias(known map[string]map[uint16][]string, name string) string {
	for _, alias := range known[name][dns.TypeCNAME] {
		return alias[strings.LastIndex(alias, "\t")+1:]
	}
	return ""
}

// fitsInLowerCase reports whether the answer of a reference has no room in a message of ours, but would have in one whose
// question is in lower case. Some add NS records, which others leave out.
func (e *exchanged) fitsInLowerCase() bool {
	for i := range references {
		theirs := &e.answers[1+i]
		if theirs.octets == 0 || theirs.msg.Truncated {
			continue
		}
		m := &dns.Msg{Question: slices.Clone(theirs.msg.Question), Compress: true}
		m.Answer, m.Ns = lowered(theirs.msg.Answer), lowered(theirs.msg.Ns)
		if e.edns != "none" {
			m.SetEdns0(4096, false)
		}
		mixed := m.Len()
		m.Question[0].Name = strings.ToLower(m.Question[0].Name)
		if mixed > e.size && m.Len() <= e.size {
			return true
		}
	}
	return false
}

func lowered(rrs []dns.RR) []dns.RR {
	var all []dns.RR
	for _, rr := range rrs {
		lower, err := dns.NewRR(strings.ToLower(rr.String()))
		if err == nil {
			all = append(all, lower)
		}
	}
	return all
}

// isRRset reports whether our answer is one whole RRset of the asked name.
func (e *exchanged) isRRset() bool {
	ours := e.answers[0].msg.Answer
	return len(ours) > 0 && slices.Equal(e.answers[0].rrs, e.known[strings.ToLower(e.name)][ours[0].Header().Rrtype])
}
