package lint

import "github.com/mxsrv/mxsrv/plugin/definition"

func orderConflict(p *pass) {
	for o := range p.index.Owners() {
		orders(p, o, "host", o.Hosts(), func(h *definition.Host) definition.Order { return h.Order })
		orders(p, o, "mail domain", o.Mails(), func(m *definition.Mail) definition.Order { return m.Order })
		orders(p, o, "service", o.Services(), func(s *definition.Service) definition.Order { return s.Order })
	}
}

// orders reports that declarations of one kind do not agree on the order of an owner.
func orders[D declaration](p *pass, o definition.Owner, kind string, declared []D, of func(D) definition.Order) {
	level := func(d D) int { return int(of(d).Said) }
	if c, ok := contradict(p, declared, level, of); ok {
		p.reportAs(c.severity, c.last.Header().Pos, []definition.Name{o.Name()}, "%s %s has order %s here and %s at %s: "+
			"write one order, in one place", kind, o.Name(), word(of(c.last)), word(of(c.first)), c.first.Header().Pos)
	}
}

func word(o definition.Order) string {
	if o.Fixed {
		return "fixed"
	}
	return "weighted"
}
