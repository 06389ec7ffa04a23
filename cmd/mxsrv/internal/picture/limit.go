package picture

import (
	"fmt"
	"slices"
	"strings"
)

// What is drawn at most. Of more nobody sees more than the number.
const (
	maxNames   = 4  // of a set, each on a line
	maxRanks   = 8  // of a set
	maxTargets = 12 // of a rank
	maxLetters = 38 // of a name
	maxTip     = 40 // names in the tip of a set
)

// omitted counts what is not drawn.
type omitted struct {
	sets, names int // names of these sets
	hosts       int // to which nothing points that is drawn
}

func (p *Picture) drawn() *Picture {
	d := *p
	d.Sets = slices.Clone(p.Sets[:min(len(p.Sets), p.limit)])
	for _, set := range p.Sets[len(d.Sets):] {
		d.omitted.sets++
		d.omitted.names += len(set.Names)
	}
	targets := make(map[string]bool)
	for i := range d.Sets {
		d.Sets[i].shorten()
		for _, id := range d.Sets[i].hosts() {
			targets[id] = true
		}
	}
	d.Networks = nil
	for _, n := range p.Networks {
		hosts := slices.DeleteFunc(slices.Clone(n.Hosts), func(h Host) bool { return !targets[h.ID] })
		d.omitted.hosts += len(n.Hosts) - len(hosts)
		if len(hosts) > 0 {
			d.Networks = append(d.Networks, Network{n.Prefix, hosts})
		}
	}
	return &d
}

// shorten limits ranks and targets, and counts the rest.
func (s *Set) shorten() {
	s.more = max(0, len(s.Ranks)-maxRanks)
	s.Ranks = slices.Clone(s.Ranks[:len(s.Ranks)-s.more])
	for i := range s.Ranks {
		r := &s.Ranks[i]
		r.more = max(0, len(r.Targets)-maxTargets)
		r.Targets = r.Targets[:len(r.Targets)-r.more]
	}
}

// remarks returns sentences about what is not drawn.
func (p *Picture) remarks() []string {
	var all []string
	if n := p.omitted.sets; n > 0 {
		all = append(all, fmt.Sprintf("Not drawn: %s with %s.", count(n, "more set"), count(p.omitted.names, "name")))
	}
	if n := p.omitted.hosts; n > 0 {
		all = append(all, fmt.Sprintf("Not drawn: %s to which nothing here points.", count(n, "host")))
	}
	for _, c := range []struct {
		n    int
		what string
	}{{p.Delegations, "delegation"}, {p.Pointers, "PTR record"}, {p.Records, "record of another type"}} {
		if c.n > 0 {
			all = append(all, fmt.Sprintf("Not drawn: %s.", count(c.n, c.what)))
		}
	}
	return all
}

// count writes a number with its noun, which is the words before " of ".
func count(n int, what string) string {
	if n != 1 {
		noun, of, _ := strings.Cut(what, " of ")
		what = strings.TrimSuffix(noun+"s of "+of, " of ")
	}
	return fmt.Sprint(n, " ", what)
}

// withMore adds to lines how many more there are, if any.
func withMore(lines []string, more int) []string {
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}
