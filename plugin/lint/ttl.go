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
	lowest := first.TTL.Seconds
	var clashes []Clash
	for _, d := range declared {
		if h := d.Header(); h.TTL.Own == first.TTL.Own && h.TTL != first.TTL {
			lowest = min(lowest, h.TTL.Seconds)
			clashes = append(clashes, Clash{first.Pos, h.Pos})
		}
	}
	if clashes != nil {
		p.reportClashes(clashes, declared[len(declared)-1].Header().Pos, []definition.Name{o.Name()},
			"%s %s is declared with different ttls, the lowest %d: write one, in one place", kind, o.Name(), lowest)
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
