// Package definition holds what operators declare: hosts, mail domains,
// services and aliases; and the one reader of the language they are written in.
//
// The language is lines of words. A line may end in a block, further lines
// between braces; "#" starts a comment; a word with blanks is put in quotes.
//
//	ttl 3600                              # default for the lines around it
//	host NAME ADDRESS...
//	mail NAME... PREFERENCE HOST...       # or none; or both in a block, with srv
//	service NAME... PRIORITY WEIGHT PORT HOST...
//	alias NAME... HOST
//
// In a Corefile, authoritative { ns NAME... } declares the top of a zone that is
// served whole: an [Apex].
//
// [Statements] knows words and braces and no verb; a [Reader] knows verbs and turns
// lines into a [Set]. Neither stops at the first mistake: what is wrong comes
// back as [Errors], each with its place and what to write instead. [Set.Index]
// shows a set owner by owner, with repeated declarations brought together, and
// [Set.Print] writes it as lines again.
//
// A large [Text] of which a line changes need not be read anew: [Text.Change] and
// [PartOf] read what that concerns.
//
// # Limitations
//
// Class is IN. Names are letters, digits, hyphens and underscores: names in
// other scripts are written as A-labels (xn--...). There are no wildcards.
package definition

import (
	"net/netip"
	"slices"
	"strconv"
)

// A Pos is the place of a declaration. It prints as "Corefile:12".
type Pos struct {
	Source string // file name or other origin
	Line   int    // from 1
}

func (p Pos) String() string { return p.Source + ":" + strconv.Itoa(p.Line) }

// A TTL is a time to live in seconds, 0 to 2^31-1 (RFC 2181 §8).
//
// Own tells that the declaration itself gave it. One that it did not is the
// default of its source, and yields to the own TTL of another declaration of
// the same records.
type TTL struct {
	Seconds uint32
	Own     bool
}

// A Set is what was declared, in reading order. One owner may appear many
// times; see [Set.Index].
type Set struct {
	Hosts    []Host
	Mails    []Mail
	Services []Service
	Aliases  []Alias
	Apexes   []Apex // of zones that are served whole
}

// A Host is a host with its addresses, at least one.
type Host struct {
	Pos
	Owner Name
	Addrs []netip.Addr // sorted, each once
	TTL   TTL
}

// A Mail is a mail domain with its exchanges. None means that the domain takes
// no mail (null MX, RFC 7505).
type Mail struct {
	Pos
	Owner     Name
	Exchanges []Exchange // by preference, then name, each once; shared by the owners of a line
	SRV       bool       // publish the exchanges as _smtp._tcp too
	TTL       TTL
}

// An Exchange is a host that takes mail; the lowest preference is tried first
// (RFC 5321 §5.1).
type Exchange struct {
	Pos
	Preference uint16
	Host       Name
}

// A Service is a service with its targets. None means that it is decidedly not
// offered (target ".", RFC 2782).
type Service struct {
	Pos
	Owner   Name     // _service._proto.domain
	Targets []Target // by priority, descending weight, then name, each once; shared likewise
	TTL     TTL
}

// A Target is a host and port that offer a service. The lowest priority is
// tried first, and within one the weights share the load (RFC 2782).
type Target struct {
	Pos
	Priority, Weight, Port uint16
	Host                   Name
}

// An Alias is another name of a host (RFC 2219), served as CNAME.
type Alias struct {
	Pos
	Owner, Host Name
	TTL         TTL
}

// Merge returns the set of all that several sets declare, in their order. It may
// share memory with them.
func Merge(sets ...*Set) *Set {
	merged := new(Set)
	for _, s := range sets {
		merged.Hosts = join(merged.Hosts, s.Hosts)
		merged.Mails = join(merged.Mails, s.Mails)
		merged.Services = join(merged.Services, s.Services)
		merged.Aliases = join(merged.Aliases, s.Aliases)
		merged.Apexes = join(merged.Apexes, s.Apexes)
	}
	return merged
}

// join copies only if there is something on both sides: often a few lines of a
// Corefile meet a file of a million.
func join[T any](a, b []T) []T {
	switch {
	case len(a) == 0:
		return slices.Clip(b)
	case len(b) == 0:
		return a
	}
	return slices.Concat(a, b)
}
