package picture

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// What is drawn of a set at most. More can be counted, not seen.
const (
	maxNames   = 4  // of a set, each on a line
	maxRanks   = 8  // of a set
	maxTargets = 12 // of a rank
	maxLetters = 38 // of a name
)

// left is what is not drawn.
type left struct {
	sets, names int // names of these sets
	hosts       int // to which nothing points, or nothing that is drawn
}

// shown returns what of a picture is drawn.
func (p *Picture) shown() *Picture {
	s := *p
	s.Sets = slices.Clone(p.Sets[:min(len(p.Sets), p.limit)])
	for _, set := range p.Sets[len(s.Sets):] {
		s.left.sets++
		s.left.names += len(set.Names)
	}
	pointed := make(map[string]bool)
	for i := range s.Sets {
		s.Sets[i].shorten()
		for _, id := range hostIDs(s.Sets[i]) {
			pointed[id] = true
		}
	}
	s.Networks = nil
	for _, n := range p.Networks {
		hosts := slices.DeleteFunc(slices.Clone(n.Hosts), func(h Host) bool { return !pointed[h.ID] })
		s.left.hosts += len(n.Hosts) - len(hosts)
		if len(hosts) > 0 {
			s.Networks = append(s.Networks, Network{n.Prefix, hosts})
		}
	}
	return &s
}

// shorten leaves ranks and targets out, and counts them.
func (s *Set) shorten() {
	ranks := slices.Clone(s.Ranks[:min(len(s.Ranks), maxRanks)])
	s.more = len(s.Ranks) - len(ranks)
	for i := range ranks {
		all := ranks[i].Targets
		ranks[i].Targets = all[:min(len(all), maxTargets)]
		ranks[i].more = len(all) - len(ranks[i].Targets)
	}
	s.Ranks = ranks
}

// remarks says what is left out.
func (p *Picture) remarks() []string {
	var all []string
	if n := p.left.sets; n > 0 {
		all = append(all, fmt.Sprintf("Left out: %s with %s.", count(n, "more set"), count(p.left.names, "name")))
	}
	if n := p.left.hosts; n > 0 {
		all = append(all, fmt.Sprintf("Not drawn: %s to which nothing here points.", count(n, "host")))
	}
	return all
}

func count(n int, what string) string {
	if n == 1 {
		return fmt.Sprint(n, " ", what)
	}
	return fmt.Sprint(n, " ", what, "s")
}

// name writes a name as definitions do, but the zone itself in full.
func (p *Picture) name(n definition.Name) string {
	if p.zone == "" || p.zone == "." || n == p.zone || !n.Below(p.zone) {
		return string(n)
	}
	return strings.TrimSuffix(string(n), "."+string(p.zone))
}

// short writes a name with its middle left out if it is long.
func (p *Picture) short(n definition.Name) string {
	s := p.name(n)
	if len(s) <= maxLetters {
		return s
	}
	labels := strings.Split(s, ".")
	for i := range len(labels) - 3 { // the service at the start, and as much as there is room for of the end
		if s := strings.Join(labels[:2], ".") + "…" + strings.Join(labels[3+i:], "."); utf8.RuneCountInString(s) <= maxLetters {
			return s
		}
	}
	half := (maxLetters - 1) / 2
	return s[:half] + "…" + s[len(s)-half:]
}

// names writes the names of a set, each a line, with the number of those that are
// left out.
func (p *Picture) names(s Set) []string {
	n := len(s.Names)
	if n > maxNames {
		n = maxNames - 1
	}
	var lines []string
	for _, name := range s.Names[:n] {
		lines = append(lines, p.short(name))
	}
	if more := len(s.Names) - n; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// none says what a set without ranks means.
func (s Set) none() string {
	if s.Kind == Mail {
		return "takes no mail"
	}
	return "not offered here"
}

// order says when a rank is tried, and its number.
func (s Set) order(i int) string {
	if s.Kind == Alias {
		return "another name of"
	}
	number := "preference"
	if s.Kind == Service {
		number = "priority"
	}
	number = fmt.Sprint(number, " ", s.Ranks[i].Number)
	switch {
	case i > 0:
		return "then · " + number
	case len(s.Ranks)+s.more > 1:
		return "first · " + number
	}
	return number
}

// percent writes a share.
func (t Target) percent() string {
	switch {
	case t.Share == 0:
		return "rarely" // weight 0 beside others (RFC 2782)
	case t.Share < 1:
		return "<1 %"
	}
	return fmt.Sprintf("%.0f %%", math.Round(t.Share))
}

func (t Target) port() string {
	if t.Port == 0 {
		return ""
	}
	return fmt.Sprint(":", t.Port)
}

// title says what the picture is of.
func (p *Picture) title() string {
	const few = 3
	if len(p.zones) == 0 || len(p.zones) > few {
		return "Mail and services"
	}
	var names []string
	for _, zone := range p.zones {
		names = append(names, cmp.Or(strings.TrimSuffix(string(zone), "."), "the root"))
	}
	return "Mail and services of " + strings.Join(names, ", ")
}
