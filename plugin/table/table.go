// Package table compiles definitions into the answers that they mean.
//
// A [Table] never changes: a change of definitions makes a new one. All the
// work is done in [Compile]: which records answer a question, in which order,
// with which glue, and how many octets that takes. [Table.Lookup] finds a name
// and goes through the few types that it holds.
//
// A table of a million names is a matter of memory. Names are numbered; what a
// number holds lies in rows without pointers that refer to the records by their
// place. Where many names share one set of exchanges or targets there is one set
// of records without owner, and Lookup makes those of the asked name from it.
//
// Compile takes any set. Whether a set is right is for package lint to say.
package table

import (
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Match says what a table knows about a question.
type Match int

const (
	None   Match = iota // the name is not held, nor is any below it
	Exists              // the name is held or has held names below it, and nothing is known of the type
	Data                // there is an answer
)

// A Table holds the answers to all questions about a set of definitions.
// It is safe for concurrent use.
type Table struct {
	names
	entries []entry // those of a node lie in a row
	answers []stored
	rrs     []dns.RR // records and glue of the answers

	zones   definition.ZoneSet
	soas    map[definition.Name]uint32 // by zone: index into denials
	denials [][]dns.RR                 // SOA records; the first is that of no zone, which is none

	whole    definition.ZoneSet // zones in which all names are known,
	passed   definition.ZoneSet // but below these
	anyWhole bool               // there are such zones

	contents map[definition.Name]sum // of the zones that are served whole, if serials depend on it
	patch    *patch                  // what has changed since, or nil
}

// An Answer is what one question gets. The slices are shared between answers
// and full to their capacity: appending to one copies it. The records are
// shared too, and must not be changed.
type Answer struct {
	Rcode int // NXDOMAIN, or success

	RRs   []dns.RR // Answer section
	Owner string   // of RRs, if these have none: only from Find
	Ns    []dns.RR // Authority section: the SOA where the answer denies something
	Glue  []dns.RR // addresses of the targets, RRset after RRset in the order of RRs

	Len int // octets of RRs and Glue without name compression
}

// An entry is the answer of a node for one type, or for anyType.
type entry struct {
	answer uint32 // index into answers
	qtype  uint16
	shared bool // with other names: the records have the root as owner
}

// A stored answer refers to its records by their place.
type stored struct {
	rrs, glue span
	octets    uint32 // Answer.Len
	denial    uint32 // index into denials
}

// A span is a part of rrs.
type span struct{ start, end uint32 }

func (s span) empty() bool { return s.start == s.end }

// anyType stands for all types that have no answer of their own, in the last
// entry of an alias.
const anyType = dns.TypeNone

// Lookup finds the answer to a question; name is absolute and in lower case.
// There is an answer only if the match is [Data]. ANY gets one of the RRsets of
// the name (RFC 8482 §4.1).
func (t *Table) Lookup(name string, qtype uint16) (Match, Answer) {
	var a Answer
	match := t.Find(name, qtype, &a)
	return match, a.Owned()
}

// Find is Lookup for who can do with records that have no owner, if many names share
// them: it allocates nothing, and writes to the answer only if there is one.
func (t *Table) Find(name string, qtype uint16, a *Answer) Match {
	of := t.of(definition.Name(name))
	n := of.find(name)
	if n == nil {
		return t.missing(None, name, qtype, a)
	}
	entries := of.held(n)
	for i := range entries {
		if e := entries[i]; e.qtype == qtype || qtype == dns.TypeANY || e.qtype == anyType {
			*a = of.found(name, e, t.denials)
			return Data
		}
	}
	return t.missing(Exists, name, qtype, a)
}

// missing answers what there is no answer to: with a denial if all is known of
// the zone.
func (t *Table) missing(match Match, name string, qtype uint16, a *Answer) Match {
	if !t.anyWhole {
		return match
	}
	zone := t.wholeZone(definition.Name(name))
	if zone == "" || t.BelongsToParent(name, qtype) {
		return match
	}
	*a = t.denial(zone, definition.Name(name), qtype, match == Exists)
	return Data
}

// wholeZone returns the zone that name is in if all is known of the name, or "".
func (t *Table) wholeZone(name definition.Name) definition.Name {
	zone := t.zones.Of(name)
	if !t.whole[zone] || len(t.passed) > 0 && t.passed.Of(name) != "" {
		return ""
	}
	return zone
}

// Authoritative reports whether no plugin behind holds anything of name.
func (t *Table) Authoritative(name string) bool { return t.wholeZone(definition.Name(name)) != "" }

// BelongsToParent reports whether a question is about the zone above one that is served
// whole, and that is not served whole too: it is for DS at the top (RFC 4035
// §3.1.4.1).
func (t *Table) BelongsToParent(name string, qtype uint16) bool {
	return qtype == dns.TypeDS && t.IsApex(name) && !t.whole[t.zones.Of(definition.Name(name).Parent())]
}

// Denial returns the answer that a name does not hold a type, or does not exist,
// where no plugin behind holds it. It has no SOA if name is in no zone.
func (t *Table) Denial(name string, qtype uint16) Answer {
	n := definition.Name(name)
	return t.denial(t.zones.Of(n), n, qtype, t.of(n).exists(n))
}

// denial is Denial for a name of a zone that is known to exist in it, or not to.
func (t *Table) denial(zone, name definition.Name, qtype uint16, exists bool) Answer {
	a := Answer{}
	if name != zone && !exists {
		a.Rcode = dns.RcodeNameError
	}
	if qtype == dns.TypeDS && name == zone {
		if parent := t.zones.Of(name.Parent()); t.whole[parent] {
			zone = parent // which is who delegates, RFC 4035 §3.1.4.1
		}
	}
	a.Ns = t.denials[t.soas[zone]]
	return a
}

// Types returns the types of the records that a name holds, in no order; nothing
// if it does not exist.
func (t *Table) Types(name string) []uint16 {
	var types []uint16
	for _, rrset := range t.rrsets(definition.Name(name)) {
		types = append(types, rrset[0].Header().Rrtype)
	}
	return types
}

// holds reports whether a name holds something, in this table without its patch.
func (t *Table) holds(name definition.Name) bool {
	n := t.find(string(name))
	return n != nil && n.count > 0
}

// held returns the entries of a node.
func (t *Table) held(n *node) []entry { return t.entries[n.first : n.first+uint32(n.count)] }

func (t *Table) answer(name string, e entry, denials [][]dns.RR) Answer {
	return t.found(name, e, denials).Owned()
}

// found makes the answer of an entry of a name. Denials are those of now.
func (t *Table) found(name string, e entry, denials [][]dns.RR) Answer {
	s := &t.answers[e.answer]
	a := Answer{RRs: t.records(s.rrs), Ns: denials[s.denial], Glue: t.records(s.glue), Len: int(s.octets)}
	if e.shared {
		a.Owner = name
		a.Len += len(a.RRs) * (octets(name) - octets("."))
	}
	return a
}

func (t *Table) records(s span) []dns.RR { return t.rrs[s.start:s.end:s.end] }

// Owned returns an answer whose records have their owner: a copy, if they had none.
func (a Answer) Owned() Answer {
	switch {
	case a.Owner == "":
		return a
	case a.RRs[0].Header().Rrtype == dns.TypeMX:
		a.RRs = copied[dns.MX](a.RRs, a.Owner)
	default:
		a.RRs = copied[dns.SRV](a.RRs, a.Owner)
	}
	a.Owner = ""
	return a
}

// copied copies records of one type, in two allocations however many they are.
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

// octets returns the length of a name on the wire.
func octets(name string) int {
	if name == "." {
		return 1
	}
	return len(name) + 1
}

// AuthoritativeSOA returns the SOA record, for a denial, of the zone that is served whole and
// that name is in; nil if there is none.
func (t *Table) AuthoritativeSOA(name string) []dns.RR {
	if !t.anyWhole {
		return nil
	}
	zone := t.zones.Of(definition.Name(name))
	if !t.whole[zone] {
		return nil
	}
	return t.denials[t.soas[zone]]
}

// IsApex reports whether name is the top of a zone that is served whole.
func (t *Table) IsApex(name string) bool { return t.whole[definition.Name(name)] }
