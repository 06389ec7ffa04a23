// Package table compiles definitions into the answers that they mean.
//
// A [Table] never changes: a change of definitions makes a new one. All the
// work is done in [Compile]: which records answer a question, in which order,
// with which glue, and how many octets that takes. [Table.Lookup] is a map
// access and a scan of the few types that a name holds.
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
	names   map[definition.Name]uint32 // index into nodes
	nodes   []node                     // the last is that of all empty non-terminals
	entries []entry                    // those of a node lie in a row
	answers []stored
	rrs     []dns.RR // records and glue of the answers

	zones   definition.ZoneSet
	soas    map[definition.Name]uint32 // by zone: index into denials
	denials [][]dns.RR                 // SOA records; the first is that of no zone, which is none
}

// An Answer is what one question gets. The slices are shared between answers
// and full to their capacity: appending to one copies it. The records are
// shared too, and must not be changed.
type Answer struct {
	RRs  []dns.RR // Answer section
	Ns   []dns.RR // Authority section: the SOA where the answer denies something
	Glue []dns.RR // addresses of the targets, RRset after RRset in the order of RRs

	Len int // octets of all these records without name compression
}

// A node is a name that exists, with its entries. One without is an empty
// non-terminal.
type node struct{ first, count uint32 }

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

// anyType stands for all types that have no answer of their own: the CNAME of
// an alias.
const anyType = dns.TypeNone

// Lookup finds the answer to a question; name is absolute and in lower case.
// There is an answer only if the match is [Data]. ANY gets one of the RRsets of
// the name (RFC 8482 §4.1).
func (t *Table) Lookup(name string, qtype uint16) (Match, Answer) {
	i, ok := t.names[definition.Name(name)]
	if !ok {
		return None, Answer{}
	}
	entries := t.held(i)
	if len(entries) == 0 {
		return Exists, Answer{}
	}
	for i := range entries {
		if entries[i].qtype == qtype || qtype == dns.TypeANY {
			return Data, t.answer(name, entries[i])
		}
	}
	if entries[0].qtype == anyType {
		return Data, t.answer(name, entries[0])
	}
	return Exists, Answer{}
}

// held returns the entries of a node.
func (t *Table) held(i uint32) []entry {
	n := t.nodes[i]
	return t.entries[n.first : n.first+n.count]
}

// answer makes the answer of an entry of a name.
func (t *Table) answer(name string, e entry) Answer {
	s := &t.answers[e.answer]
	a := Answer{RRs: t.records(s.rrs), Ns: t.denials[s.denial], Glue: t.records(s.glue), Len: int(s.octets)}
	if e.shared {
		a.RRs = owned(a.RRs, name)
		a.Len += len(a.RRs) * (octets(name) - octets("."))
	}
	return a
}

func (t *Table) records(s span) []dns.RR { return t.rrs[s.start:s.end:s.end] }

// owned copies records to another owner.
func owned(rrs []dns.RR, owner string) []dns.RR {
	copies := make([]dns.RR, len(rrs))
	for i, rr := range rrs {
		copies[i] = dns.Copy(rr)
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

// SOA returns the SOA record of the zone that name is in, for a denial, or nil
// if it is in none.
func (t *Table) SOA(name string) []dns.RR {
	return t.denials[t.soas[t.zones.Of(definition.Name(name))]]
}

// IsZone reports whether name is the top of a zone, which exists even if
// nothing in it does.
func (t *Table) IsZone(name string) bool { return t.zones[definition.Name(name)] }
