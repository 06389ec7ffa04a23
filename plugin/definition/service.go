package definition

import (
	"cmp"
	"fmt"
)

// A Service is a service with its targets. None means that it is decidedly not offered (target ".", RFC 2782).
type Service struct {
	Head             // of _service._proto.domain
	Targets []Target // by priority, descending weight, then name, each once; shared by the owners of a statement
	Open    bool     // fragments in etcd may add targets
	Order   Order
	Check   *Check // of its targets, shared by the owners of a statement; or nil
}

// A Target is a host and port that offer a service. The lowest priority is
// tried first, and within one the weights share the load (RFC 2782).
type Target struct {
	Pos
	Priority, Weight, Port uint16
	Host                   Name
}

func (v *Service) targets() int      { return len(v.Targets) }
func (v *Service) target(i int) Name { return v.Targets[i].Host }
func (v *Service) list() any         { return shared(v.Targets) }

func (v *Service) open() bool { return v.Open }

func byPriority(a, b Target) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
}

// SortTargets returns targets as a Service has them, in the same memory.
func SortTargets(all []Target) []Target { return distinct(all, byPriority) }

func target(e *entry, host Name) Target {
	return Target{e.Pos, e.numbers[0], e.numbers[1], e.numbers[2], host}
}

func (r *Reader) service(s Statement) {
	st := r.stanza(s, serviceForm)
	targets := perZone[Target]{reader: r, entries: st.entries, of: target, compare: byPriority}
	eachDeclared(s.Pos, st, &targets, func(h Head, t []Target, c *Check) {
		r.set.Services = append(r.set.Services, Service{Head: h, Targets: t, Open: st.open, Order: st.order, Check: c})
	})
}

// Services returns what the name is declared as a service, in the order of declaration.
func (o Owner) Services() []*Service { return o.declared().services.of(o.number) }

// Targets returns the targets of a service, each once, by ascending priority, then descending weight, then name.
func (o Owner) Targets() []Target {
	return joined(o.Services(), func(v *Service) []Target { return v.Targets }, byPriority)
}

// service gathers the targets of a service, unless srv in a mail domain publishes it.
func (p *printer) service(o Owner, g gatherer) {
	if len(o.Services()) == 0 || p.published[o.Name()] {
		return
	}
	var e entriesText
	for _, t := range o.Targets() {
		e.add(fmt.Sprintf("%d %d %d", t.Priority, t.Weight, t.Port), p.name(t.Host))
	}
	g.add(o.Name(), wording{body: e.end(hasNone(o.Services())), open: isOpen(o.Services()), check: o.ServiceCheck(),
		ttl: o.ServiceTTL(), fixed: o.ServiceOrder()})
}
