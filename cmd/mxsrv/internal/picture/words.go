package picture

import (
	"fmt"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// sentences says in words what is drawn, for whoever cannot see it.
func (p *Picture) sentences() []string {
	names := make(map[string]string)
	for _, n := range p.Networks {
		for _, h := range n.Hosts {
			names[h.ID] = p.name(h.Name)
		}
	}
	var all []string
	for _, s := range p.Sets {
		text := fmt.Sprintf("%s: %s", s.Kind, strings.Join(p.names(s), ", "))
		if len(s.Ranks) == 0 {
			all = append(all, text+" "+s.none()+".")
			continue
		}
		for i, r := range s.Ranks {
			var targets []string
			for _, t := range r.Targets {
				targets = append(targets, names[t.Host]+t.port())
			}
			text += fmt.Sprintf("; %s: %s", s.order(i), strings.Join(targets, ", "))
		}
		all = append(all, text+".")
	}
	return all
}

// list writes names for a tip, as many as fit a screen.
func (p *Picture) list(names []definition.Name) string {
	const many = 40
	var b strings.Builder
	for i, n := range names {
		if i == many {
			fmt.Fprintf(&b, "\nand %d more", len(names)-many)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(n))
	}
	return b.String()
}
