package picture

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// title returns a title that names the zones, if they are few.
func title(zones definition.Zones) string {
	const few = 3
	if len(zones) == 0 || len(zones) > few {
		return "Mail and services"
	}
	var names []string
	for _, zone := range zones {
		names = append(names, cmp.Or(strings.TrimSuffix(string(zone), "."), "the root"))
	}
	return "Mail and services of " + strings.Join(names, ", ")
}

// name returns a name as definitions have it, but the zone itself in full.
func (p *Picture) name(n definition.Name) string {
	if p.zone == "" || p.zone == "." || n == p.zone || !n.Below(p.zone) {
		return string(n)
	}
	return strings.TrimSuffix(string(n), "."+string(p.zone))
}

// short returns a name, without its middle if it is long.
func (p *Picture) short(n definition.Name) string {
	s := p.name(n)
	if len(s) <= maxLetters {
		return s
	}
	labels := strings.Split(s, ".")
	for i := range len(labels) - 3 { // keep the service at the start, and as much of the end as there is room for
		if s := strings.Join(labels[:2], ".") + "…" + strings.Join(labels[3+i:], "."); utf8.RuneCountInString(s) <= maxLetters {
			return s
		}
	}
	half := (maxLetters - 1) / 2
	return s[:half] + "…" + s[len(s)-half:]
}

// names returns the names of a set, each a line, and the number of those for which there is no room.
func (p *Picture) names(s Set) []string {
	n := maxNames
	if len(s.Names) > n {
		n--
	}
	return s.firstNames(n, p.short)
}

// tip returns more names of a set, in full.
func (s Set) tip() string {
	return strings.Join(s.firstNames(maxTip, func(n definition.Name) string { return string(n) }), "\n")
}

func (s Set) firstNames(n int, write func(definition.Name) string) (lines []string) {
	for _, name := range s.Names[:min(len(s.Names), n)] {
		lines = append(lines, write(name))
	}
	return withMore(lines, len(s.Names)-n)
}

// none says what a set without ranks means.
func (s Set) none() string {
	if s.Kind == Mail {
		return "takes no mail"
	}
	return "not offered here"
}

// order returns when a rank is tried, and its number.
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

// head returns what stands above the hosts of a network.
func (n Network) head() string {
	if n.Prefix == elsewhere {
		return "elsewhere: no addresses here"
	}
	return "network " + n.Prefix
}

// sentences describes the picture, for people who cannot see it.
func (p *Picture) sentences() []string {
	names := make(map[string]string)
	for _, n := range p.Networks {
		for _, h := range n.Hosts {
			names[h.ID] = p.name(h.Name)
		}
	}
	var all []string
	for _, s := range p.Sets {
		text := s.Kind + ": " + strings.Join(p.names(s), ", ")
		if len(s.Ranks) == 0 {
			text += " " + s.none()
		}
		for i, r := range s.Ranks {
			var targets []string
			for _, t := range r.Targets {
				targets = append(targets, names[t.Host]+t.port())
			}
			text += fmt.Sprintf("; %s: %s", s.order(i), strings.Join(targets, ", "))
		}
		all = append(all, strings.TrimSuffix(text, ".")+".") // an absolute name has one
	}
	return all
}
