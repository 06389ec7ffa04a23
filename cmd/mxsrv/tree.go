package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// treeChecks compare the answers of a server with those of the tree, at all names that it has and above them. The server
// may be the etcd plugin of CoreDNS, and what that writes otherwise by design is no difference: weights as percents, and
// aliases completed, or not answered.
func treeChecks(s *served, from *server) (checks []check) {
	t, zones := s.compile(), s.zones.Set()
	for _, name := range s.treeNames(zones) {
		for _, qtype := range treeTypes(name, s.index.At(name), zones.Of(name)) {
			checks = append(checks, func() []lint.Finding { return checkTree(t, from, name, qtype) })
		}
	}
	return checks
}

// withoutTree returns what rules judge: all that no tree declares, with the hosts of it, and the table of all.
func (s *served) withoutTree() *served {
	s.compile()
	if s.tree == nil {
		return s
	}
	judged := *s
	judged.index = change.Judged(s.index.Set).Index()
	return &judged
}

// treeNames returns the names of the tree that are its own, and those above them.
func (s *served) treeNames(zones definition.ZoneSet) []definition.Name {
	if s.tree == nil {
		return nil
	}
	names := definition.Names{}
	for head := range s.tree.Declared.Heads {
		for name := head.Owner; zones.Of(name) != "" && !names[name]; name = name.Parent() {
			names[name] = true
		}
	}
	for head := range s.index.Set.Heads {
		if head.Source != change.TreeSource {
			delete(names, head.Owner)
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// treeTypes returns the types of which the tree has all records of a name. Of an alias these are the addresses: the
// plugin makes an SRV record of its host.
func treeTypes(name definition.Name, o definition.Owner, zone definition.Name) []uint16 {
	types := []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeSRV, dns.TypeTXT}
	switch hasNS := func(r *definition.Record) bool { return r.Type == dns.TypeNS }; {
	case zone.IsReverse():
		return []uint16{dns.TypePTR}
	case len(o.Aliases()) > 0:
		return types[:2]
	case name[0] == '_':
		return append(types, dns.TypePTR)
	case slices.ContainsFunc(o.Records(), hasNS):
		return append(types, dns.TypeNS)
	}
	return types
}

// checkTree compares an answer with that of the tree, without TTLs.
func checkTree(t *table.Table, from *server, name definition.Name, qtype uint16) []lint.Finding {
	report := func(how string) []lint.Finding {
		return finding("answer-differs", definition.Pos{Source: change.TreeSource, Line: 1}, []definition.Name{name},
			"%s of %s: the server %s", dns.Type(qtype), name, how)
	}
	_, declared := t.Lookup(string(name), qtype)
	if declared.Referral { // the name is within a delegated zone
		return nil
	}
	answer := from.lookup(string(name), qtype)
	if answer.Status == delivery.Failed || answer.Status == delivery.Elsewhere {
		return report("has no answer: does it serve the zone, and is each key of it right?")
	}
	want, got := ofType(declared.RRs, name, qtype), ofType(answer.RRs, name, qtype)
	how := ""
	switch missing, more := differing(want, got); {
	case len(want) == 0 && endsAsOther(declared.RRs, answer.RRs):
		return nil
	case len(missing)+len(more) > 0:
		how = difference(missing, more)
	case len(declared.RRs) > 0 && len(answer.RRs) == 0 && answer.Status == delivery.NoName:
		how = "has no such name"
	default:
		return nil
	}
	return report(how + ": does it read the same tree, or does docs/skydns.md explain this?")
}

// endsAsOther reports whether records end as an alias of a host whose addresses are not here, and others have that alias
// too, with these.
func endsAsOther(rrs, others []dns.RR) bool {
	if len(rrs) == 0 {
		return false
	}
	last, isAlias := rrs[len(rrs)-1].(*dns.CNAME)
	same := func(rr dns.RR) bool { c, ok := rr.(*dns.CNAME); return ok && strings.EqualFold(c.Target, last.Target) }
	return isAlias && slices.ContainsFunc(others, same)
}

// ofType returns the data of the records of a type in an answer. Addresses may be those of other names, which a name is
// an alias of.
func ofType(rrs []dns.RR, name definition.Name, qtype uint16) []string {
	isAddress := qtype == dns.TypeA || qtype == dns.TypeAAAA
	var some []dns.RR
	for _, rr := range rrs {
		h := rr.Header()
		if h.Rrtype != qtype || !isAddress && dns.CanonicalName(h.Name) != string(name) {
			continue
		}
		if srv, ok := rr.(*dns.SRV); ok {
			plain := *srv
			plain.Weight = 0
			rr = &plain
		}
		some = append(some, rr)
	}
	return rdata(some)
}
