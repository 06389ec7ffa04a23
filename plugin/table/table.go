// Package table compiles definitions into answers.
//
// A [Table] is immutable and safe for concurrent use. [Compile] does the work: which records answer a question, in which
// orders, with which glue, and how many octets they take. [Table.Lookup] finds the name in a hash table and compares the
// few types that the name has; only wildcards and delegations are looked for above the name, in tables that have them.
// [Table.Patch] makes the next table after a change: it compiles the names concerned and shares everything else with the
// table before. [Table.With] leaves targets and addresses out of answers that are down, and shares everything else.
//
// # Memory
//
// Names have numbers. What belongs to a number lies in rows without pointers, which refer to records by their index,
// so the garbage collector has little to visit. Where many names have the same records, or are aliases of one host,
// there is one RRset without owner, and Lookup copies it for the name in question. The names of a zone lie side by side,
// so that [Table.All] and the digest of a zone cost what the zone has, however large the table is. The canonical order of
// a zone's names is made when the zone is first transferred, once for all transfers: 4 octets a name.
//
// # Limitations
//
// Names in questions must be absolute and in lower case. ANY gets one RRset (RFC 8482). A table has room for 2^32
// records and 4 GiB of names. A patched table keeps a small table for each change and is searched name by name: after
// some thousands of patched names compile everything again. Compile takes any set; whether the set is right is for
// package lint to say.
package table

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Match says what a table knows about a question.
type Match int

const (
	None   Match = iota // neither the name nor any name below it has records
	Exists              // the name exists, and has no records of the type here
	Data                // the answer is complete: records, a referral, or a denial where the zone is authoritative
)

// A Table has the answers to all questions about a set of definitions. It is safe for concurrent use.
type Table struct {
	names
	entries []entry // those of a node lie in a row
	answers []stored
	rrs     []dns.RR // records and glue of the answers
	slots   []Slot   // of the answers whose records may be sent in several orders

	zones   definition.ZoneSet
	numbers map[definition.Name]uint32 // of the zones, from 1 on
	byZone  []zoneNames                // by number of the zone; 0 is for names outside all zones
	soas    [][]dns.RR                 // by number of the zone: the SOA at its apex, if it is authoritative
	denials [][]dns.RR                 // by number of the zone: the SOA of denials; 0 has none

	authoritative definition.ZoneSet // the zones that have an apex
	fallthroughs  definition.ZoneSet // parts of these in which the next plugin may have records
	delegations   delegations
	wildcards     definition.Names // the zones that have any, or had some before a patch; shared with other tables
	cuts          bool             // a name delegates, or did so before a patch
	tlsa          bool             // a name has TLSA records, or had some before a patch

	contents map[definition.Name]Digest // of the authoritative zones, if serials depend on it
	patch    *patch                     // what has changed since the table was compiled, or nil

	layer    *layer // what is noted of checks
	probes   *probes
	drained  definition.Names // shared with other tables
	verdicts map[definition.Probe]Verdict
	live     remaining // what answers have where something is hidden
}

// An Answer is what one question gets. Its records and slices are shared with other answers: they must not be
// changed, and appending to a slice copies it.
type Answer struct {
	Rcode    int  // NXDOMAIN, or success
	Referral bool // to the name servers of a delegated zone, which are in Ns: the answer is not authoritative

	RRs   []dns.RR // Answer section
	Owner string   // of those in RRs that have none, as their own is the root: see OwnerOf; only from Find
	Ns    []dns.RR // Authority section: the SOA where the answer denies something, the NS records of a referral
	Glue  []dns.RR // addresses of the targets, RRset after RRset in the order of RRs

	Len int // octets of RRs and Glue, and of Ns in a referral, without name compression

	Order Order  // in which RRs may be sent
	Slots []Slot // of the MX or SRV records in RRs, if these may be sent in several orders
}

// An entry is the answer of a node for one type, or for anyType.
type entry struct {
	answer uint32 // index into answers
	qtype  uint16
	shared bool // with other names: the records, of an alias the CNAME, have the root as owner
	order  Order
}

// A stored answer refers to its records by their place.
type stored struct {
	rrs, glue span
	slots     span   // of Table.slots
	octets    uint32 // Answer.Len
	zone      uint32 // number of the zone whose SOA is in it: an answer for SOA, or a denial
}

// A span is a part of rrs.
type span struct{ start, end uint32 }

func (s span) empty() bool { return s.start == s.end }

// anyType stands for all types that have no answer of their own, in the last entry of an alias.
const anyType = dns.TypeNone

// Lookup returns the answer to a question; name is absolute and in lower case. There is an answer only if the match
// is [Data]. ANY gets one of the RRsets of the name (RFC 8482 §4.1). Where many names share the RRset, the records are
// copied for this name; else it allocates where Find does.
func (t *Table) Lookup(name string, qtype uint16) (Match, Answer) {
	var a Answer
	match := t.Find(name, qtype, &a)
	return match, a.Owned()
}

// Find is like Lookup but allocates only for an alias of an apex or of what is delegated, and where a wildcard has the
// records: records that several names share come without owner, see Answer.Owner. It writes to a only if the match is
// [Data].
func (t *Table) Find(name string, qtype uint16, a *Answer) Match {
	if !t.cuts {
		return t.answer(name, qtype, a)
	}
	if t.refer(name, qtype, a) {
		return Data
	}
	match := t.answer(name, qtype, a)
	if match == Data {
		t.endChain(qtype, a)
	}
	return match
}

// answer is Find in a table without delegations.
func (t *Table) answer(name string, qtype uint16, a *Answer) Match {
	of := t.of(definition.Name(name))
	n := of.find(name)
	if n == nil {
		return t.missing(None, name, qtype, a)
	}
	e, ok := entryFor(of.entriesOf(n), qtype)
	if !ok {
		return t.missing(Exists, name, qtype, a)
	}
	*a = of.found(name, e, t)
	if e.qtype == anyType {
		t.follow(qtype, a)
	}
	return Data
}

// entryFor returns the entry of a name that answers for a type. ANY gets the first, in its canonical order.
func entryFor(entries []entry, qtype uint16) (e entry, ok bool) {
	for i := range entries {
		e = entries[i]
		switch {
		case qtype == dns.TypeANY:
			e.order = Canonical
			return e, true
		case e.qtype == qtype || e.qtype == anyType:
			return e, true
		}
	}
	return e, false
}

// found returns the answer of an entry of a name. The SOA records, and what is hidden, are those of the table that was
// asked.
func (t *Table) found(name string, e entry, asked *Table) Answer {
	s := &t.answers[e.answer]
	a := Answer{RRs: t.records(s.rrs), Glue: t.records(s.glue), Len: int(s.octets), Order: e.order}
	if e.order >= Drawn {
		a.Slots = t.slots[s.slots.start:s.slots.end:s.slots.end]
	}
	if asked.live != nil {
		asked.live.leave(t, e, &a)
	}
	if e.shared {
		a.Owner = name
		a.Len += a.shared() * len(strings.TrimPrefix(name, ".")) // they were counted with the root
	}
	switch {
	case s.zone == 0:
	case e.qtype == dns.TypeSOA:
		a.addSOA(asked.soas[s.zone])
	default:
		a.Ns = asked.denials[s.zone]
	}
	return a
}

// addSOA adds the SOA of a zone to what may be the CNAME of an alias.
func (a *Answer) addSOA(soa []dns.RR) {
	a.Len += dns.Len(soa[0])
	if len(a.RRs) > 0 {
		soa = slices.Concat(a.RRs, soa)
	}
	a.RRs = slices.Clip(soa)
}

// HasRecords reports whether a name has any records.
func (t *Table) HasRecords(name definition.Name) bool {
	of := t.of(name)
	n := of.find(string(name))
	return n != nil && n.count > 0
}

// MayHaveTLSA reports whether there may be TLSA records at any name: mostly there are none. It costs nothing.
func (t *Table) MayHaveTLSA() bool { return t.tlsa }

// Types returns the types of the records of a name, in no order; none if it does not exist.
func (t *Table) Types(name string) []uint16 {
	var types []uint16
	for _, rrset := range t.rrsets(definition.Name(name)) {
		types = append(types, rrset[0].Header().Rrtype)
	}
	return types
}

func (t *Table) entriesOf(n *node) []entry { return t.entries[n.first : n.first+uint32(n.count)] }

func (t *Table) records(s span) []dns.RR { return t.rrs[s.start:s.end:s.end] }

// rrset returns the records of an entry of a name but for the SOA of a zone, a copy if they are shared.
func (t *Table) rrset(name string, e entry) []dns.RR {
	a := Answer{RRs: t.records(t.answers[e.answer].rrs)}
	if e.shared {
		a.Owner = name
	}
	return a.Owned().RRs
}

// shared returns how many records have no owner, of those of an RRset or an alias that names share: all, or the CNAME.
func (a *Answer) shared() int {
	if a.RRs[0].Header().Rrtype == dns.TypeCNAME {
		return 1
	}
	return len(a.RRs)
}

// OwnerOf returns the owner of a record of RRs.
func (a *Answer) OwnerOf(rr dns.RR) string {
	if name := rr.Header().Name; a.Owner == "" || name != "." {
		return name
	}
	return a.Owner
}

// Owned returns an answer whose records have their owner: copies of those that had none.
func (a Answer) Owned() Answer {
	if a.Owner == "" {
		return a
	}
	switch a.RRs[0].(type) {
	case *dns.MX:
		a.RRs = copied[dns.MX](a.RRs, a.Owner)
	case *dns.SRV:
		a.RRs = copied[dns.SRV](a.RRs, a.Owner)
	case *dns.TXT:
		a.RRs = copied[dns.TXT](a.RRs, a.Owner)
	default:
		n := a.shared()
		a.RRs = slices.Clone(a.RRs)
		for i, rr := range a.RRs[:n] {
			a.RRs[i] = dns.Copy(rr)
			a.RRs[i].Header().Name = a.Owner
		}
	}
	a.RRs, a.Owner = slices.Clip(a.RRs), ""
	return a
}

// copied copies records of one type for an owner, in two allocations however many there are.
func copied[T any, P interface {
	*T
	dns.RR
}](rrs []dns.RR, owner string) []dns.RR {
	copies, values := make([]dns.RR, len(rrs)), make([]T, len(rrs))
	for i, rr := range rrs {
		values[i] = *rr.(P)
		copies[i] = P(&values[i])
		copies[i].Header().Name = owner
	}
	return copies
}
