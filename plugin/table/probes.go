package table

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// probes are what is to be probed for a table, by address. They do not change: tables share them.
type probes struct {
	uses map[netip.Addr][]probeUse

	sort   sync.Once
	sorted []definition.Probe // once they were asked for
}

// A probeUse is a probe, and how often targets of names need it.
type probeUse struct {
	probe definition.Probe
	count int
}

// Probes returns what is to be probed, each once, by address and port: each address of each target that is checked, at
// port 25 for exchanges. It is shared, and not to be changed. A table that a patch leaves the probes as they were has
// the same slice.
func (t *Table) Probes() []definition.Probe {
	p := t.probes
	if p == nil {
		return nil
	}
	p.sort.Do(func() {
		for _, uses := range p.uses {
			for _, u := range uses {
				p.sorted = append(p.sorted, u.probe)
			}
		}
		slices.SortFunc(p.sorted, compareProbes)
		p.sorted = slices.Clip(p.sorted)
	})
	return p.sorted
}

func compareProbes(p, q definition.Probe) int {
	if c := p.Addr.Compare(q.Addr); c != 0 {
		return c
	}
	return strings.Compare(p.String(), q.String())
}

// at returns those of an address.
func (p *probes) at(addr netip.Addr) []probeUse {
	if p == nil {
		return nil
	}
	return p.uses[addr]
}

// with returns probes that are used so much more or less: p itself if that is nothing.
func (p *probes) with(change map[definition.Probe]int) *probes {
	maps.DeleteFunc(change, func(_ definition.Probe, n int) bool { return n == 0 })
	if len(change) == 0 {
		return p
	}
	now := &probes{uses: make(map[netip.Addr][]probeUse)}
	if p != nil {
		now.uses = maps.Clone(p.uses)
	}
	for probe, n := range change {
		now.add(probe, n)
	}
	if len(now.uses) == 0 {
		return nil
	}
	return now
}

// add adds n to the uses of a probe, in a copy of the slice that it is in.
func (p *probes) add(probe definition.Probe, n int) {
	addr := probe.Addr.Addr()
	uses := slices.Clone(p.uses[addr])
	i := slices.IndexFunc(uses, func(u probeUse) bool { return u.probe == probe })
	if i < 0 {
		i, uses = len(uses), append(uses, probeUse{probe: probe})
	}
	if uses[i].count += n; uses[i].count == 0 {
		uses = slices.Delete(uses, i, i+1)
	}
	if p.uses[addr] = uses; len(uses) == 0 {
		delete(p.uses, addr)
	}
}

// probes returns those of the RRsets that a layer has.
func (l *layer) probes() *probes {
	count := make([]int, len(l.servers))
	for i := range l.sets {
		for _, server := range l.serversOf(&l.sets[i]) {
			count[server] += int(l.sets[i].owners)
		}
	}
	uses := make(map[definition.Probe]int, len(l.ofProbe))
	for i, n := range count {
		for _, p := range l.servers[i].probes {
			uses[p] += n
		}
	}
	return (*probes)(nil).with(uses)
}

// probesOf goes through the probes of the targets of a name, with repetitions.
func (t *Table) probesOf(name definition.Name) iter.Seq[definition.Probe] {
	return func(yield func(definition.Probe) bool) {
		of := t.of(name)
		if len(of.layer.sets) == 0 {
			return
		}
		n := of.find(string(name))
		if n == nil {
			return
		}
		for _, e := range of.entriesOf(n) {
			set := of.layer.setOf(e.answer)
			if set == nil || set.aliases > 0 {
				continue
			}
			for _, server := range of.layer.serversOf(set) {
				for _, p := range of.layer.servers[server].probes {
					if !yield(p) {
						return
					}
				}
			}
		}
	}
}

// probesAfter returns the probes after a patch of names, which small has compiled anew, and those that come or go.
func (t *Table) probesAfter(small *Table, names definition.Names) (after *probes, changed []definition.Probe) {
	change := make(map[definition.Probe]int)
	for name := range names {
		for p := range t.probesOf(name) {
			change[p]--
		}
		for p := range small.probesOf(name) {
			change[p]++
		}
	}
	after = t.probes.with(change)
	return after, slices.Collect(maps.Keys(change))
}
