package table

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A name with NS records that is not the apex of its zone is a cut: what is at and below it is of a delegated zone. Its
// records here say where that is, and are in no answer but referrals (RFC 1034 §4.3.2, step 3b). Only DS belongs to the
// zone above the cut (RFC 4035 §3.1.4.1).
//
// Whether a name is below a cut is found out when it is asked for: a change of the cut then changes nothing of the names
// below it. In a table without cuts that costs nothing.

// markCut makes a name with NS records a cut, if it is in an authoritative zone.
func (b *builder) markCut(o definition.Owner) {
	if b.table.authoritative[b.table.zones.Of(o.Name())] {
		b.table.nodes[o.Number()].cut, b.table.cuts = true, true
	}
}

// inDomainFirst returns the NS records of a delegation, first those of hosts that are in it: without the addresses of
// these it is of no use (RFC 9471 §2.1), so they are the last to be left out of a referral.
func inDomainFirst(cut definition.Name, records []dns.RR) []dns.RR {
	outside := func(rr dns.RR) int {
		if targetOf(rr).Below(cut) {
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(records), func(a, b dns.RR) int { return outside(a) - outside(b) })
}

// Cut returns the name of the delegation that a name is at or below, or "": within its zone the topmost one.
func (t *Table) Cut(name string) (cut string) {
	if !t.cuts {
		return ""
	}
	for at, end := 0, false; !end; at, end = dns.NextLabel(name, at) {
		above := definition.Name(name[at:])
		if t.numbers[above] != 0 {
			break
		}
		if n := t.of(above).find(string(above)); n != nil && n.cut {
			cut = string(above)
		}
	}
	return cut
}

// refer answers a question for a name at or below a cut with a referral. It returns false if there is no cut, or if the
// zone above it has the answer. All addresses of the name servers go with it, whatever checks say (RFC 9471 §3.1).
func (t *Table) refer(name string, qtype uint16, a *Answer) bool {
	cut := t.Cut(name)
	if cut == "" || qtype == dns.TypeDS && cut == name {
		return false
	}
	of := t.of(definition.Name(cut))
	for _, e := range of.entriesOf(of.find(cut)) {
		if e.qtype == dns.TypeNS {
			s := &of.answers[e.answer]
			*a = Answer{Referral: true, Ns: of.records(s.rrs), Glue: of.records(s.glue), Len: int(s.octets)}
			return true
		}
	}
	return false
}

// endChain ends the answer of an alias with the one that leads to a cut or below it, unless the zone above the cut has
// the records.
func (t *Table) endChain(qtype uint16, a *Answer) {
	for i, rr := range a.RRs {
		cname, ok := rr.(*dns.CNAME)
		if !ok {
			return
		}
		if cut := t.Cut(cname.Target); cut != "" && !(qtype == dns.TypeDS && cut == cname.Target) {
			*a = Answer{RRs: slices.Clip(a.Owned().RRs[:i+1])}
			for _, rr := range a.RRs {
				a.Len += dns.Len(rr)
			}
			return
		}
	}
}
