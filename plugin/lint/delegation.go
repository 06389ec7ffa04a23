package lint

import (
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// findCuts finds the names that delegate: those with NS records in an authoritative zone, below its apex.
func (p *pass) findCuts() {
	p.cuts, p.glued = make(map[definition.Name]definition.Pos), definition.Names{}
	for i := range p.set.Records {
		r := &p.set.Records[i]
		if r.Type != dns.TypeNS || r.Owner.IsWildcard() { // most are PTR or TXT: a look at the type is all they cost
			continue
		}
		zone := p.zones.Of(r.Owner)
		if zone == r.Owner || p.index.At(zone).Apex() == nil {
			continue
		}
		if _, known := p.cuts[r.Owner]; !known {
			p.cuts[r.Owner] = r.Pos
		}
		p.glued[r.Target()] = true
	}
	if len(p.cuts) == 0 {
		return
	}
	for i := range p.set.Apexes {
		for _, s := range p.set.Apexes[i].Servers {
			p.glued[s.Host] = true
		}
	}
}

// cut returns the topmost name in its zone that a name is at or below and that delegates, or "".
func (p *pass) cut(name definition.Name) (cut definition.Name) {
	if len(p.cuts) == 0 {
		return ""
	}
	for above := name; above != "." && !p.zones[above]; above = above.Parent() {
		if _, ok := p.cuts[above]; ok {
			cut = above
		}
	}
	return cut
}

// belowDelegation reports what is declared at and below a name that delegates, name servers with their addresses and the
// DS records of the delegation excepted: it is in no answer.
func belowDelegation(p *pass) {
	if len(p.cuts) == 0 {
		return
	}
	for o := range p.index.Owners() {
		cut := p.cut(o.Name())
		if a := o.Apex(); a != nil {
			if cut = p.cut(a.Zone.Parent()); cut != "" {
				p.reportBelow(a.Pos, "zone", a.Zone, cut)
			}
			continue
		}
		if cut == "" {
			continue
		}
		for _, d := range data(o) {
			isGlue := d.kind == "host" && p.glued[o.Name()]
			isDelegation := cut == o.Name() && (d.kind == nsRecord || d.kind == dsRecord)
			if !isGlue && !isDelegation {
				p.reportBelow(d.pos, d.kind, o.Name(), cut)
			}
		}
	}
}

const (
	nsRecord = "NS record"
	dsRecord = "DS record"
)

func (p *pass) reportBelow(pos definition.Pos, kind string, name, cut definition.Name) {
	p.report(pos, []definition.Name{name, cut},
		"%s %s is at or below %s, which is delegated at %s: declare it in the delegated zone, or delete the NS records",
		kind, name, cut, p.cuts[cut])
}

// recordType reports NS and DS records where there is no delegation.
func recordType(p *pass) {
	fromReader(p)
	for i := range p.set.Records {
		switch r := &p.set.Records[i]; r.Type {
		case dns.TypeNS:
			p.checkNS(r)
		case dns.TypeDS:
			p.checkDS(r)
		}
	}
}

func (p *pass) checkNS(r *definition.Record) {
	zone := p.zones.Of(r.Owner)
	switch {
	case zone == "": // another rule says more
	case p.index.At(zone).Apex() == nil:
		p.report(r.Pos, []definition.Name{r.Owner}, "NS record of %s: in %s the next plugin has the delegations: "+
			"write it there, or write authoritative for %s", r.Owner, zone, zone)
	case zone == r.Owner:
		p.report(r.Pos, []definition.Name{r.Owner}, "NS record of %s, which is a zone: write \"ns NAME...\" in authoritative",
			r.Owner)
	}
}

// checkDS reports DS records of names that do not delegate, nor are zones within others here, to which they belong.
func (p *pass) checkDS(r *definition.Record) {
	isZone := p.zones[r.Owner] && p.isDelegated(r.Owner)
	if _, isCut := p.cuts[r.Owner]; isCut || isZone || p.zones.Of(r.Owner) == "" {
		return
	}
	p.report(r.Pos, []definition.Name{r.Owner}, "DS record of %s, which is not delegated here: "+
		"write \"record %s NS NAME...\" too, or the DS record in the zone above", r.Owner, r.Owner)
}
