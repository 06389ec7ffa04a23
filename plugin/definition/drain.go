package definition

import (
	"maps"
	"slices"
	"strings"
)

// A Drain leaves its owner, a host, out of the answers of others as if a check had found it down. It is no declaration
// of the host, which may be outside all zones.
type Drain struct {
	Head // its TTL says nothing
}

func (d *Drain) targets() int    { return 0 }
func (d *Drain) target(int) Name { return "" }
func (d *Drain) list() any       { return nil }

// Drained returns the hosts that are drained.
func (s *Set) Drained() Names {
	hosts := make(Names, len(s.Drains))
	for i := range s.Drains {
		hosts[s.Drains[i].Owner] = true
	}
	return hosts
}

// Drained reports whether a host is drained, declared or not.
func (x *Index) Drained(host Name) bool { return x.drained[host] }

// drain reads: drain HOST... The hosts need not be declared, here or anywhere.
func (r *Reader) drain(s Statement) {
	hosts := s.Words[1:]
	if len(hosts) == 0 || s.braced {
		r.usage(s, "HOST...")
		return
	}
	if !r.affordable(s.Pos, hosts, 1) {
		return
	}
	for _, word := range hosts {
		if isAddress(word) {
			r.errs.add(s.Pos, TargetIsAddress, "%q is an address: write the name of the host that has it", word)
			continue
		}
		r.owners(s.Pos, []string{word}, func(o owner) { r.drainHost(s.Pos, o.name) })
	}
}

func (r *Reader) drainHost(pos Pos, host Name) {
	if strings.Contains(string(host), "*") || host == "." {
		r.errs.add(pos, NameInvalid, "drain %s: no answer points to it: write the names that answers have", host)
		return
	}
	r.set.Drains = append(r.set.Drains, Drain{Head{Pos: pos, Owner: host}})
}

// drains writes the hosts that are drained.
func (p *printer) drains(hosts Names) {
	if len(hosts) == 0 {
		return
	}
	p.WriteString(p.between + "drain")
	for _, host := range slices.SortedFunc(maps.Keys(hosts), Name.Compare) {
		p.WriteString(" " + p.name(host))
	}
	p.WriteString("\n")
}
