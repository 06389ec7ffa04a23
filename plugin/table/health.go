package table

import (
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Verdicts do not change what is stored: all that is declared, of which transfers, digests and denials speak. Beside
// it a table has what is left of the answers of which something is hidden. Names that share an RRset share that, too.

// remaining is what is left of answers, by the layer and the index of the stored answer. It has only answers of which
// something is hidden; it is nil if there are none.
type remaining map[*layer]map[uint32]*remains

// remains is what is left of an answer.
type remains struct {
	rrs, glue []dns.RR
	slots     []Slot
	order     Order // if the fixed one is not declared
	octets    uint32
}

// A Verdict is what is known of a probe.
type Verdict uint8

const (
	Up Verdict = iota + 1 // 0 is unknown
	Down
	Unreachable // from here, whatever is there: a target is what it is at its other addresses
)

// With returns the table with other verdicts of its probes; what is missing is unknown. It keeps the map, which must
// not be changed any more. Changed are the probes whose verdicts differ from those that t has, or nil
// for all. What it costs is some of the time for each RRset that a change concerns, however many names share it, and
// a copy of the list of answers of which something is hidden.
func (t *Table) With(verdicts map[definition.Probe]Verdict, changed []definition.Probe) *Table {
	w := *t
	w.verdicts = verdicts
	if changed == nil {
		w.live = nil
		for of := range w.layers() {
			w.judge(of, w.outAnswers(of))
		}
		return &w
	}
	w.live = maps.Clone(t.live)
	flipped := w.flipped(t, changed)
	for of := range w.layers() {
		w.judge(of, append(w.changedAnswers(of, t, changed), of.withAddresses(flipped)...))
	}
	return &w
}

// withPatch completes a table that a patch of t has made, with the small table of the names: they have the verdicts
// that t has.
func (t *Table) withPatch(before, small *Table, index *definition.Index, names definition.Names) {
	var changed []definition.Probe
	t.verdicts, t.live = before.verdicts, before.live.of(t)
	t.probes, changed = before.probesAfter(small, names)
	t.drained = before.drainedAfter(index, names)
	t.judge(small, t.outAnswers(small))
	if flipped := t.flipped(before, changed); len(flipped) > 0 {
		for of := range t.layers() {
			t.judge(of, of.withAddresses(flipped))
		}
	}
}

// layers goes through the tables that were compiled in one go, of which the table consists: itself for the base, and
// the small ones.
func (t *Table) layers() iter.Seq[*Table] {
	return func(yield func(*Table) bool) {
		if !yield(t) || t.patch == nil {
			return
		}
		seen := make(map[*Table]bool)
		for _, small := range t.patch.tables {
			if !seen[small] && !yield(small) {
				return
			}
			seen[small] = true
		}
	}
}

// of returns a copy of what is left of the layers that a table has.
func (r remaining) of(t *Table) remaining {
	if len(r) == 0 {
		return nil
	}
	copied := make(remaining)
	for of := range t.layers() {
		if answers := r[of.layer]; answers != nil {
			copied[of.layer] = answers
		}
	}
	return copied
}

// standingOf returns what verdicts say of a server: it is up if one of its addresses is, and down if all are that can be
// reached from here. One that has an address which is not probed is never down: it may answer there.
func (t *Table) standingOf(s *server) standing {
	if s.drained {
		return drained
	}
	var of [Unreachable + 1]int
	for _, p := range s.probes {
		of[t.verdicts[p]]++
	}
	switch {
	case of[Up] > 0:
		return up
	case of[Down] > 0 && of[Down]+of[Unreachable] == len(s.probes) && !s.partial:
		return down
	}
	return unknown
}

// standingAt returns that of an address: it is up if one of its probes is, down if all are.
func (t *Table) standingAt(addr netip.Addr) standing {
	uses := t.probes.at(addr)
	result := unknown
	for i, u := range uses {
		switch v := t.verdicts[u.probe]; {
		case v == Up:
			return up
		case v != Down:
			result = unknown
		case i == 0:
			result = down
		}
	}
	return result
}

// flipped returns the addresses of some probes whose standing differs from that before.
func (t *Table) flipped(before *Table, changed []definition.Probe) (addrs []netip.Addr) {
	seen := make(map[netip.Addr]bool)
	for _, p := range changed {
		addr := p.Addr.Addr()
		if !seen[addr] && t.standingAt(addr) != before.standingAt(addr) {
			addrs = append(addrs, addr)
		}
		seen[addr] = true
	}
	return addrs
}

// outTargets returns the answers of a layer with a target that is down or drained, those with several more than once.
func (t *Table) outTargets(of *Table) (answers []uint32) {
	for i := range of.layer.servers {
		if t.standingOf(&of.layer.servers[i]).isOut() {
			answers = of.layer.appendAnswers(answers, uint32(i))
		}
	}
	return answers
}

// outAnswers returns the answers of a layer of which something may be hidden.
func (t *Table) outAnswers(of *Table) []uint32 {
	answers := t.outTargets(of)
	if t.probes == nil {
		return answers
	}
	var addrs []netip.Addr
	for addr := range t.probes.uses {
		if t.standingAt(addr) == down {
			addrs = append(addrs, addr)
		}
	}
	return append(answers, of.withAddresses(addrs)...)
}

// changedAnswers returns the answers of a layer with a target whose standing differs from that before.
func (t *Table) changedAnswers(of, before *Table, changed []definition.Probe) (answers []uint32) {
	for _, p := range changed {
		for _, number := range of.layer.ofProbe[p] {
			if s := &of.layer.servers[number]; t.standingOf(s) != before.standingOf(s) {
				answers = of.layer.appendAnswers(answers, number)
			}
		}
	}
	return answers
}

// appendAnswers appends the answers with a server among their targets.
func (l *layer) appendAnswers(answers []uint32, server uint32) []uint32 {
	for _, set := range l.ofServer[server] {
		answers = append(answers, l.sets[set].answer)
	}
	return answers
}

// judge decides anew what is left of some answers of a layer.
func (t *Table) judge(of *Table, answers []uint32) {
	if len(answers) == 0 {
		return
	}
	slices.Sort(answers)
	left := maps.Clone(t.live[of.layer])
	if left == nil {
		left = make(map[uint32]*remains)
	}
	j := newJudgement(t, of)
	for _, answer := range slices.Compact(answers) {
		if r := j.remains(answer); r != nil {
			left[answer] = r
		} else {
			delete(left, answer)
		}
	}
	t.setLive(of.layer, left)
}

// setLive sets what is left of a layer. It changes the map of the table.
func (t *Table) setLive(l *layer, left map[uint32]*remains) {
	delete(t.live, l)
	switch {
	case len(left) > 0 && t.live == nil:
		t.live = remaining{l: left}
	case len(left) > 0:
		t.live[l] = left
	case len(t.live) == 0:
		t.live = nil
	}
}

// A judgement is about the answers of one layer.
type judgement struct {
	table, of *Table
	servers   []standing // by number, plus 1; 0 is not known yet
	addresses map[netip.Addr]standing

	priorities []uint16 // of one RRset, as are the next
	targets    []standing
}

func newJudgement(t, of *Table) *judgement {
	return &judgement{
		table: t, of: of,
		servers: make([]standing, len(of.layer.servers)), addresses: make(map[netip.Addr]standing),
	}
}

// remains returns what is left of an answer, or nil if nothing is hidden.
func (j *judgement) remains(answer uint32) *remains {
	s := &j.of.answers[answer]
	rrs, glue := j.of.records(s.rrs), j.of.records(s.glue)
	r := &remains{rrs: rrs, glue: glue}
	if set := j.of.layer.setOf(answer); set != nil {
		hidden, _ := j.hide(set)
		if r.rrs = withoutHidden(rrs, hidden, int(set.aliases)); len(r.rrs) < len(rrs) {
			r.glue = glueOf(glue, r.rrs)
		}
	}
	r.rrs, r.glue = j.keepAddresses(r.rrs), j.keepAddresses(r.glue)
	if len(r.rrs) == len(rrs) && len(r.glue) == len(glue) {
		return nil
	}
	r.rrs, r.glue = slices.Clip(r.rrs), slices.Clip(r.glue)
	r.arrange()
	return r
}

// hide says which targets of an RRset are hidden, and whether it fails open.
func (j *judgement) hide(set *checkedSet) (hidden []bool, failsOpen bool) {
	j.priorities, j.targets = j.priorities[:0], j.targets[:0]
	records := j.of.records(j.of.answers[set.answer].rrs)[set.aliases:]
	for i, number := range j.of.layer.serversOf(set) {
		j.priorities = append(j.priorities, slotOf(records[i]).Priority)
		if j.servers[number] == 0 {
			j.servers[number] = j.table.standingOf(&j.of.layer.servers[number]) + 1
		}
		j.targets = append(j.targets, j.servers[number]-1)
	}
	return hideTargets(set.mail, j.priorities, j.targets)
}

// withoutHidden returns records without those that are hidden after some aliases: the slice itself if none is.
func withoutHidden(rrs []dns.RR, hidden []bool, aliases int) []dns.RR {
	if !slices.Contains(hidden, true) {
		return rrs
	}
	left := make([]dns.RR, 0, len(rrs)-1)
	left = append(left, rrs[:aliases]...)
	for i, rr := range rrs[aliases:] {
		if !hidden[i] {
			left = append(left, rr)
		}
	}
	return left
}

// glueOf returns the addresses of the targets of records.
func glueOf(glue, records []dns.RR) []dns.RR {
	targets := make(map[definition.Name]bool, len(records))
	for _, rr := range records {
		targets[targetOf(rr)] = true
	}
	left := make([]dns.RR, 0, len(glue))
	for _, rr := range glue {
		if targets[definition.Name(rr.Header().Name)] {
			left = append(left, rr)
		}
	}
	return left
}

// keepAddresses returns a section without the addresses that are hidden: the slice itself if none is.
func (j *judgement) keepAddresses(section []dns.RR) []dns.RR {
	left := section
	for rrset := range addressRRsets(section) {
		if len(rrset) < 2 {
			continue
		}
		kept := keepAddresses(rrset, j.standingOf)
		if len(kept) == len(rrset) {
			continue
		}
		gone := func(rr dns.RR) bool { return slices.Contains(rrset, rr) && !slices.Contains(kept, rr) }
		left = slices.DeleteFunc(slices.Clone(left), gone)
	}
	return left
}

// standingOf returns that of the address in a record.
func (j *judgement) standingOf(rr dns.RR) standing {
	addr := addressOf(rr)
	s, ok := j.addresses[addr]
	if !ok {
		s = j.table.standingAt(addr)
		j.addresses[addr] = s
	}
	return s
}

// arrange makes the slots of what is left, and counts its octets.
func (r *remains) arrange() {
	for _, section := range [][]dns.RR{r.rrs, r.glue} {
		for _, rr := range section {
			r.octets += uint32(dns.Len(rr))
		}
	}
	records := afterAliases(r.rrs)
	switch {
	case len(records) < 2:
	case isAddress(records[0]):
		r.order = Rotated
	case isDrawn(records[0]):
		r.draw(records)
	}
}

// draw makes the slots of MX or SRV records.
func (r *remains) draw(records []dns.RR) {
	places := make(map[definition.Name]span) // in the glue, of each host
	for i, rr := range r.glue {
		name := definition.Name(rr.Header().Name)
		place, ok := places[name]
		if !ok {
			place.start = uint32(i)
		}
		place.end = uint32(i + 1)
		places[name] = place
	}
	r.slots, r.order = appendSlots(nil, records, uint32(len(r.glue)), func(name definition.Name) span { return places[name] })
}

// afterAliases returns an answer without the CNAME records at its start.
func afterAliases(rrs []dns.RR) []dns.RR {
	for len(rrs) > 0 && rrs[0].Header().Rrtype == dns.TypeCNAME {
		rrs = rrs[1:]
	}
	return rrs
}

func isDrawn(rr dns.RR) bool {
	t := rr.Header().Rrtype
	return t == dns.TypeMX || t == dns.TypeSRV
}

// leave leaves out of an answer what is hidden of it.
func (r remaining) leave(of *Table, e entry, a *Answer) {
	left := r[of.layer][e.answer]
	if left == nil {
		return
	}
	a.RRs, a.Glue, a.Len = left.rrs, left.glue, int(left.octets)
	if a.Order != Canonical {
		a.Order, a.Slots = left.order, left.slots
	}
}
