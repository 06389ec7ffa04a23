package table

import (
	"iter"
	"maps"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Restriction is what health makes of an RRset.
type Restriction struct {
	Owner     definition.Name
	Type      uint16
	Hidden    []dns.RR // declared, and left out of answers; those that many names share have the root as owner
	FailsOpen bool     // all targets are down or drained, and so all of them are answered
}

// Health goes through the RRsets of which something is hidden, or that fail open, name after name, always in the same
// order. Aliases of the names are not part of it. It costs nothing while nothing is down or drained, else a look at each
// name.
func (t *Table) Health() iter.Seq[Restriction] {
	return func(yield func(Restriction) bool) {
		judgements := make(map[*Table]*judgement) // nil for a layer of which nothing is out
		for name, n := range t.nodesOf(judgements) {
			j := judgements[t.of(name)]
			for _, e := range j.of.entriesOf(n) {
				if r, ok := j.restriction(e); ok {
					r.Owner = name
					if !yield(r) {
						return
					}
				}
			}
		}
	}
}

// FailedOpen goes through the names of the RRsets that fail open, in no order. It costs a look at each RRset that has a
// target which is down or drained, and at each name if one that many share fails open.
func (t *Table) FailedOpen() iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		for of := range t.layers() {
			for name := range t.failedOpenIn(of) {
				if t.of(name) == of && !yield(name) {
					return
				}
			}
		}
	}
}

// failedOpenIn goes through such names in a layer, which may have changed since.
func (t *Table) failedOpenIn(of *Table) iter.Seq[definition.Name] {
	return func(yield func(definition.Name) bool) {
		j, shared := newJudgement(t, of), make(map[uint32]bool)
		answers := t.outTargets(of)
		slices.Sort(answers)
		for _, answer := range slices.Compact(answers) {
			set := of.layer.setOf(answer)
			if _, failsOpen := j.hide(set); !failsOpen || set.aliases > 0 {
				continue
			}
			owner := definition.Name(of.records(of.answers[answer].rrs)[0].Header().Name)
			if owner == "." {
				shared[answer] = true
			} else if !yield(owner) {
				return
			}
		}
		isShared := func(e entry) bool { return e.shared && shared[e.answer] }
		for i := 0; i < len(of.nodes) && len(shared) > 0; i++ {
			if n := &of.nodes[i]; slices.ContainsFunc(of.entriesOf(n), isShared) && !yield(of.nameOf(n)) {
				return
			}
		}
	}
}

// nodesOf goes through the names with records, but not aliases, in the layers of which something is out. It notes these
// in judgements.
func (t *Table) nodesOf(judgements map[*Table]*judgement) iter.Seq2[definition.Name, *node] {
	return func(yield func(definition.Name, *node) bool) {
		for of := range t.layers() {
			if t.hasOut(of) {
				judgements[of] = newJudgement(t, of)
			}
		}
		if judgements[t] != nil {
			for i := range t.nodes {
				n := &t.nodes[i]
				if n.count == 0 || t.isAlias(n) {
					continue
				}
				if name := t.nameOf(n); t.of(name) == t && !yield(name, n) {
					return
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(t.Patched())) {
			of := t.of(name)
			if n := of.find(string(name)); judgements[of] != nil && n != nil && !of.isAlias(n) && !yield(name, n) {
				return
			}
		}
	}
}

// hasOut reports whether a server of a layer is down or drained, or something is hidden there.
func (t *Table) hasOut(of *Table) bool {
	isOut := func(s server) bool { return t.standingOf(&s).isOut() }
	return len(t.live[of.layer]) > 0 || slices.ContainsFunc(of.layer.servers, isOut)
}

func (t *Table) isAlias(n *node) bool {
	return slices.ContainsFunc(t.entriesOf(n), func(e entry) bool { return e.qtype == dns.TypeCNAME })
}

// restriction returns what health makes of an entry, if it makes something.
func (j *judgement) restriction(e entry) (r Restriction, ok bool) {
	r.Type = e.qtype
	if set := j.of.layer.setOf(e.answer); set != nil {
		_, r.FailsOpen = j.hide(set)
	}
	if left := j.table.live[j.of.layer][e.answer]; left != nil {
		rest := left.rrs
		for _, rr := range j.of.records(j.of.answers[e.answer].rrs) {
			if len(rest) > 0 && rest[0] == rr {
				rest = rest[1:]
			} else {
				r.Hidden = append(r.Hidden, rr)
			}
		}
	}
	return r, r.FailsOpen || len(r.Hidden) > 0
}

// Drained returns the hosts that are drained, sorted, whether answers point to them or not.
func (t *Table) Drained() []definition.Name { return slices.Sorted(maps.Keys(t.drained)) }

// drainedAfter returns the hosts that are drained after a patch of names.
func (t *Table) drainedAfter(index *definition.Index, names definition.Names) definition.Names {
	drained, cloned := t.drained, false
	for name := range names {
		if index.Drained(name) == drained[name] {
			continue
		}
		if !cloned {
			drained, cloned = maps.Clone(drained), true
		}
		if index.Drained(name) {
			drained[name] = true
		} else {
			delete(drained, name)
		}
	}
	return drained
}
