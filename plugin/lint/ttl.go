package lint

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func ttlConflict(p *pass) {
	for o := range p.index.Owners() {
		ttls(p, o, "host", o.Hosts())
		ttls(p, o, "mail domain", o.Mails())
		ttls(p, o, "service", o.Services())
		ttls(p, o, "alias", o.Aliases())
		for _, s := range o.RRsets() {
			if s.Records[0].Derived {
				continue // of several hosts, each with its own
			}
			ttls(p, o, dns.Type(s.Type).String()+" record", s.Declared)
		}
	}
}

// ttls reports that declarations of one kind do not agree on the TTL of an owner.
// Where a declaration has a TTL of its own, those with a default agree with it.
func ttls[D declaration](p *pass, o definition.Owner, kind string, declared []D) {
	own := func(d D) int {
		if d.Header().TTL.Own {
			return 1
		}
		return 0
	}
	c, ok := contradict(p, declared, own, func(d D) definition.TTL { return d.Header().TTL })
	if ok {
		first, last := c.first.Header(), c.last.Header()
		p.reportAs(c.severity, last.Pos, []definition.Name{o.Name()}, "%s %s has ttl %d here and %d at %s: "+
			"write one ttl, in one place", kind, o.Name(), last.TTL.Seconds, first.TTL.Seconds, first.Pos)
	}
}

// A contradiction is between declarations of the same records that say different things about these.
type contradiction[D declaration] struct {
	first, last D // the one that counts, and the last that differs from it
	severity    Severity
}

// contradict returns a contradiction, if there is one, between the declarations that count the most by their level.
// That of a fragment with an older one is a warning.
func contradict[D declaration, V comparable](
	p *pass, declared []D, level func(D) int, of func(D) V,
) (c contradiction[D], ok bool) {
	if len(declared) < 2 {
		return c, false
	}
	highest := slices.MaxFunc(declared, func(a, b D) int { return level(a) - level(b) }) // the first of several
	c = contradiction[D]{first: highest, severity: Warning}
	before := c.first
	for _, d := range declared {
		if level(d) != level(c.first) {
			continue
		}
		if of(d) != of(c.first) {
			c.last, ok = d, true
		}
		pos := d.Header().Pos
		if of(d) != of(before) && (!p.fromFragment(pos) || pos.Source == before.Header().Source) {
			c.severity = Error // even if another one is older than both, and counts
		}
		before = d
	}
	return c, ok
}

// A declaration is one of any kind.
type declaration interface{ Header() *definition.Head }

func places[D declaration](declared []D) (places []definition.Pos) {
	for _, d := range declared {
		places = append(places, d.Header().Pos)
	}
	return places
}
