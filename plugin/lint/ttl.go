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
	if len(declared) < 2 {
		return
	}
	own := slices.IndexFunc(declared, func(d D) bool { return d.Header().TTL.Own })
	first := declared[max(own, 0)].Header()
	var last *definition.Head // that differs
	severity, before := Warning, first
	for _, d := range declared {
		h := d.Header()
		if h.TTL.Own != first.TTL.Own {
			continue
		}
		if h.TTL != first.TTL {
			last = h
		}
		if h.TTL != before.TTL && (!p.fromFragment(h.Pos) || h.Source == before.Source) {
			severity = Error // even if another one is older than both, and counts
		}
		before = h
	}
	if last != nil {
		p.reportAs(severity, last.Pos, []definition.Name{o.Name()}, "%s %s has ttl %d here and %d at %s: "+
			"write one ttl, in one place", kind, o.Name(), last.TTL.Seconds, first.TTL.Seconds, first.Pos)
	}
}

// A declaration is one of any kind.
type declaration interface{ Header() *definition.Head }

func places[D declaration](declared []D) (places []definition.Pos) {
	for _, d := range declared {
		places = append(places, d.Header().Pos)
	}
	return places
}
