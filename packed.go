package mxsrv

import (
	"strings"

	"github.com/miekg/dns"
)

const (
	headerLen   = 12
	questionLen = 4  // type and class
	rrLen       = 10 // type, class, TTL and the length of the data
	pointerLen  = 2  // a compressed name, RFC 1035 §4.1.4
	maxPointer  = 1 << 14
)

// packedLen is msg.Len of a question and its answer, where that has glue: MX, SRV
// or NS records of one owner, perhaps behind the CNAME of an alias. Msg.Len keeps
// the names in a map, and takes ten times as long.
func packedLen(msg *dns.Msg) int {
	var names nameList
	octets := headerLen + names.add(msg.Question[0].Name) + questionLen
	for i, rr := range msg.Answer {
		owner := pointerLen // that of the record before, or what this is an alias of
		if i == 0 || len(rr.Header().Name) == 1 {
			owner = names.add(rr.Header().Name)
		}
		octets += owner + rrLen
		switch rr := rr.(type) {
		case *dns.SRV:
			octets += 6 + nameLen(rr.Target) // no pointers here, RFC 2782
		case *dns.MX:
			octets += 2 + names.add(rr.Mx)
		case *dns.NS:
			octets += names.add(rr.Ns)
		case *dns.CNAME:
			octets += names.add(rr.Target)
		}
	}
	if names.full || octets >= maxPointer {
		return msg.Len()
	}
	return octets
}

// nameList is the names of a message that later ones may point to.
type nameList struct {
	names [16]string
	count int
	full  bool // and names are left out
}

// add adds a name and returns the octets that it takes: what is before the longest
// end that it has in common with one of the list, and a pointer to that.
func (l *nameList) add(name string) int {
	if name == "." {
		return 1
	}
	own := len(name)
	for _, other := range l.names[:l.count] {
		if own >= 2 && strings.HasSuffix(other, name[own-2:]) { // or it has no more in common
			own = min(own, beforeCommon(name, other))
		}
	}
	switch {
	case own == 0: // it is there
	case l.count < len(l.names):
		l.names[l.count] = name
		l.count++
	default:
		l.full = true
	}
	if own == len(name) {
		return nameLen(name)
	}
	return own + pointerLen
}

// beforeCommon returns the length of what is before the longest end, of whole
// labels, that a name has in common with another.
func beforeCommon(name, other string) int {
	i, j := len(name), len(other)
	for i > 0 && j > 0 && name[i-1] == other[j-1] {
		i--
		j--
	}
	if i == 0 && (j == 0 || other[j-1] == '.') || j == 0 && name[i-1] == '.' {
		return i
	}
	return i + strings.IndexByte(name[i:], '.') + 1
}

// nameLen returns the octets of a name that has no escapes and is not compressed.
func nameLen(name string) int {
	if name == "." {
		return 1
	}
	return len(name) + 1
}
