package table

import (
	"maps"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A wildcard answers for the names that do not exist below its parent, unless a name between exists (RFC 4592 §3.3.1):
// then that one's wildcard does, if there is one. Every patch changes which names exist, so this is looked up for each
// query, in zones that have wildcards.

// withWildcards returns the zones that have wildcards: those before, and those of the owners in an index.
func (t *Table) withWildcards(before definition.Names, index *definition.Index) definition.Names {
	zones := before
	for o := range index.Owners() {
		if !o.Name().IsWildcard() {
			continue
		}
		zone := t.zones.Of(o.Name())
		if zones[zone] {
			continue
		}
		if zones = maps.Clone(zones); zones == nil {
			zones = definition.Names{}
		}
		zones[zone] = true
	}
	return zones
}

// Source returns the wildcard whose records a name has that does not exist itself, or else the name. Both are absolute
// and in lower case.
func (t *Table) Source(name string) string {
	if w := t.wildcard(definition.Name(name)); w != "" {
		return string(w)
	}
	return name
}

// wildcard returns the wildcard for a name that does not exist in an authoritative zone, or "".
func (t *Table) wildcard(name definition.Name) definition.Name {
	if len(t.wildcards) == 0 {
		return ""
	}
	zone := t.authoritativeZone(name)
	if zone == "" || !t.wildcards[zone] || t.of(name).exists(name) || t.cuts && t.Cut(string(name)) != "" {
		return ""
	}
	for encloser := name; encloser != zone; {
		i, end := dns.NextLabel(string(encloser), 0) // the name is of a question, and may have escapes
		if encloser = encloser[i:]; end {
			encloser = "."
		}
		if !t.of(encloser).exists(encloser) {
			continue
		}
		if w := encloser.Wildcard(); t.HasRecords(w) {
			return w
		}
		break
	}
	return ""
}

// synthesize returns the answer of a wildcard for a name that does not exist: a denial if it has no records of a type.
// Records that have the wildcard as owner are copied.
func (t *Table) synthesize(wildcard definition.Name, name string, qtype uint16) Answer {
	of := t.of(wildcard)
	e, ok := entryFor(of.entriesOf(of.find(string(wildcard))), qtype)
	if !ok {
		return t.denial(t.zones.Of(wildcard), wildcard, qtype, true)
	}
	a := of.found(string(wildcard), e, t).Owned()
	a.rename(string(wildcard), name)
	return a
}

// rename replaces an owner, in copies of the records that have it.
func (a *Answer) rename(from, to string) {
	a.RRs = slices.Clone(a.RRs)
	for i, rr := range a.RRs {
		if rr.Header().Name != from {
			continue
		}
		a.RRs[i] = dns.Copy(rr)
		a.RRs[i].Header().Name = to
		a.Len += dns.Len(a.RRs[i]) - dns.Len(rr)
	}
	a.RRs = slices.Clip(a.RRs)
}

// follow ends the answer of an alias whose host has no records: with those of wildcards, or with its denial.
func (t *Table) follow(qtype uint16, a *Answer) {
	if len(a.RRs) == 0 || qtype == dns.TypeCNAME || qtype == dns.TypeANY {
		return
	}
	t.followWildcards(qtype, a)
	if cname, ok := a.RRs[len(a.RRs)-1].(*dns.CNAME); ok && len(a.Ns) == 0 {
		t.denyHost(definition.Name(cname.Target), qtype, a)
	}
}

// denyHost adds the denial of the host of an alias, if neither we nor others have records of it. Lint lets such hosts
// pass below the parent of a wildcard, in fragments, and if they begin with an underscore. Below a cut, endChain drops
// the denial.
func (t *Table) denyHost(host definition.Name, qtype uint16, a *Answer) {
	zone := t.authoritativeZone(host)
	if zone == "" || t.HasRecords(host) || t.wildcard(host) != "" {
		return
	}
	denial := t.denial(zone, host, qtype, t.of(host).exists(host))
	a.Ns, a.Rcode = denial.Ns, denial.Rcode
}

// followWildcards adds what wildcards have for the host of an alias that does not exist. It ends a loop where the first
// record of it would come again, as other servers do.
func (t *Table) followWildcards(qtype uint16, a *Answer) {
	for len(a.RRs) <= maxChain {
		cname, ok := a.RRs[len(a.RRs)-1].(*dns.CNAME)
		if !ok {
			return
		}
		w := t.wildcard(definition.Name(cname.Target))
		if w == "" {
			return
		}
		*a = a.Owned()
		more := t.synthesize(w, cname.Target, qtype)
		looped := more.unloop(a.RRs)
		a.RRs, a.Ns, a.Glue = slices.Clip(slices.Concat(a.RRs, more.RRs)), more.Ns, more.Glue
		a.Order, a.Slots = more.Order, more.Slots
		a.Len += more.Len
		if looped || len(more.RRs) == 0 {
			return
		}
	}
}

// unloop cuts an answer off before the first record whose owner is that of an alias before it, and reports whether it
// did.
func (a *Answer) unloop(aliases []dns.RR) bool {
	length := 0
	for i, rr := range a.RRs {
		same := func(cname dns.RR) bool { return cname.Header().Name == rr.Header().Name }
		if slices.ContainsFunc(aliases, same) {
			*a = Answer{RRs: slices.Clip(a.RRs[:i]), Len: length}
			return true
		}
		length += dns.Len(rr)
	}
	return false
}
