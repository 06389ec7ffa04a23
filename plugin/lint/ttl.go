package lint

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func ttlConflict(p *pass) {
	for o := range p.index.Owners() {
		ttls(p, o, "host", o.Hosts(), hostPos, func(h *definition.Host) definition.TTL { return h.TTL })
		ttls(p, o, "mail domain", o.Mails(), mailPos, func(m *definition.Mail) definition.TTL { return m.TTL })
		ttls(p, o, "service", o.Services(), servicePos, func(s *definition.Service) definition.TTL { return s.TTL })
		ttls(p, o, "alias", o.Aliases(), aliasPos, func(a *definition.Alias) definition.TTL { return a.TTL })
	}
}

// ttls reports that declarations of one kind do not agree on the TTL of an owner.
// Where a declaration has a TTL of its own, those with a default agree with it.
func ttls[D any](p *pass, o definition.Owner, kind string, declared []D,
	posOf func(D) definition.Pos, ttlOf func(D) definition.TTL) {
	if len(declared) < 2 {
		return
	}
	own := slices.IndexFunc(declared, func(d D) bool { return ttlOf(d).Own })
	first := declared[max(own, 0)]
	meant := ttlOf(first)
	lowest := meant.Seconds
	var clashes []Clash
	for _, d := range declared {
		if ttl := ttlOf(d); ttl.Own == meant.Own && ttl.Seconds != meant.Seconds {
			lowest = min(lowest, ttl.Seconds)
			clashes = append(clashes, Clash{posOf(first), posOf(d)})
		}
	}
	if clashes != nil {
		p.reportClashes(clashes, posOf(declared[len(declared)-1]), []definition.Name{o.Name()},
			"%s %s is declared with different ttls, the lowest %d: write one, in one place", kind, o.Name(), lowest)
	}
}

func hostPos(h *definition.Host) definition.Pos       { return h.Pos }
func mailPos(m *definition.Mail) definition.Pos       { return m.Pos }
func servicePos(s *definition.Service) definition.Pos { return s.Pos }
func aliasPos(a *definition.Alias) definition.Pos     { return a.Pos }
