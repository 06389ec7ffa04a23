// Package table compiles definitions into the answers that they mean.
//
// A [Table] never changes: a change of definitions makes a new one. All the
// work is done in [Compile]: which records answer a question, in which order,
// with which glue, and how many octets that takes. [Table.Lookup] is a map
// access and a scan of the few types that a name holds, and allocates nothing.
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
	names map[string]uint32            // index into nodes
	nodes []node                       // the first is that of all empty non-terminals
	soas  map[definition.Name][]dns.RR // by zone: its SOA
	zones definition.ZoneSet
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

// A node is a name that exists. One without answers is an empty non-terminal.
// Most names have one answer, which lies in the node, and all nodes lie in a
// row: a lookup among a million names is a matter of cache misses.
type node struct {
	first typed
	more  []typed
}

// typed is the answer for one type, or for anyType.
type typed struct {
	qtype  uint16
	answer Answer
}

// anyType stands for all types that have no answer of their own: the CNAME of
// an alias.
const anyType = dns.TypeNone

// Lookup finds the answer to a question; name is absolute and in lower case.
// The answer is nil unless the match is [Data]. ANY gets one of the RRsets of
// the name (RFC 8482 §4.1).
func (t *Table) Lookup(name string, qtype uint16) (Match, *Answer) {
	i, ok := t.names[name]
	if !ok {
		return None, nil
	}
	n := &t.nodes[i]
	if n.first.answer.RRs == nil {
		return Exists, nil
	}
	if n.first.qtype == qtype || qtype == dns.TypeANY {
		return Data, &n.first.answer
	}
	for i := range n.more {
		if n.more[i].qtype == qtype {
			return Data, &n.more[i].answer
		}
	}
	if n.first.qtype == anyType {
		return Data, &n.first.answer
	}
	return Exists, nil
}

// SOA returns the SOA record of the zone that name is in, for a denial, or nil
// if it is in none.
func (t *Table) SOA(name string) []dns.RR { return t.soas[t.zones.Of(definition.Name(name))] }

// IsZone reports whether name is the top of a zone, which exists even if
// nothing in it does.
func (t *Table) IsZone(name string) bool { return t.zones[definition.Name(name)] }
