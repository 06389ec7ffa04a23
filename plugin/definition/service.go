package definition

import (
	"cmp"
	"fmt"
)

// A Service is a service with its targets. None means that it is decidedly not
// offered (target ".", RFC 2782).
type Service struct {
	Pos
	Owner   Name     // _service._proto.domain
	Targets []Target // by priority, descending weight, then name, each once; shared by the owners of a statement
	TTL     TTL
}

// A Target is a host and port that offer a service. The lowest priority is
// tried first, and within one the weights share the load (RFC 2782).
type Target struct {
	Pos
	Priority, Weight, Port uint16
	Host                   Name
}

func (v *Service) owner() Name       { return v.Owner }
func (v *Service) ttl() *TTL         { return &v.TTL }
func (v *Service) records() int      { return max(len(v.Targets), 1) }
func (v *Service) targets() int      { return len(v.Targets) }
func (v *Service) target(i int) Name { return v.Targets[i].Host }
func (v *Service) list() any         { return shared(v.Targets) }

func byPriority(a, b Target) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
}

func target(e *entry, host Name) Target {
	return Target{e.Pos, e.numbers[0], e.numbers[1], e.numbers[2], host}
}

// service reads: service NAME... PRIORITY WEIGHT PORT HOST... | none
func (r *Reader) service(s Statement) {
	st, ok := r.stanza(s, serviceForm)
	if !ok {
		return
	}
	targets := perZone[Target]{reader: r, entries: st.entries, of: target, compare: byPriority}
	r.owners(s.Pos, st.names, func(o owner) {
		v := Service{Pos: s.Pos, Owner: o.name, TTL: st.ttl}
		if v.Targets = targets.in(o.zone); len(v.Targets) > 0 {
			r.set.Services = append(r.set.Services, v)
		}
		if st.none != nil {
			v.Pos, v.Targets = *st.none, nil
			r.set.Services = append(r.set.Services, v)
		}
	})
}

// Services returns what the name is declared as a service, in the order of declaration.
func (o Owner) Services() []*Service { return o.declared().services.of(o.number) }

// ServiceTTL returns the TTL of the SRV records in seconds, and whether all declarations
// agree on it.
func (o Owner) ServiceTTL() (uint32, bool) { return common(o.Services()) }

// Targets returns the targets of a service, each once, by ascending priority,
// then descending weight, then name.
func (o Owner) Targets() []Target {
	return joined(o.Services(), func(v *Service) []Target { return v.Targets }, byPriority)
}

// services returns a statement for the services with the same targets, but for those that
// srv in a mail domain publishes.
func (p *printer) services() []statement {
	g := make(gatherer)
	for o := range p.index.Owners() {
		if len(o.Services()) > 0 && !p.published[o.Name()] {
			ttl, _ := o.ServiceTTL()
			g.add(o.Name(), wording{body: p.targets(o), ttl: ttl})
		}
	}
	return g.sorted()
}

func (p *printer) targets(o Owner) string {
	var e entriesText
	for _, t := range o.Targets() {
		e.add(fmt.Sprintf("%d %d %d", t.Priority, t.Weight, t.Port), p.name(t.Host))
	}
	return e.end(hasNone(o.Services()))
}
