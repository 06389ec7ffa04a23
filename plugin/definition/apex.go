package definition

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// An Apex is that of an authoritative zone: what its SOA and NS records say
// (RFC 1035 §3.3.13). It is declared in a Corefile only.
type Apex struct {
	Pos
	Zone    Name
	Servers []NameServer // as declared, each once
	Primary Name         // the SOA's MNAME, or "" for the first server
	Contact string       // the SOA's RNAME: a mailbox as a name, absolute, perhaps with escapes
	TTL     TTL          // of SOA and NS
	NSTTL   TTL          // of NS, if it is Own

	Refresh, Retry, Expire uint32 // seconds, for secondaries
	Negative               uint32 // seconds that a denial may be cached (RFC 2308 §4)
}

// A NameServer is a host that serves the zone.
type NameServer struct {
	Pos
	Host Name
}

// MName returns the SOA's MNAME: the primary, which need not be among the name servers.
func (a *Apex) MName() Name { return cmp.Or(a.Primary, a.Servers[0].Host) }

// ServerTTL returns the TTL of the NS records in seconds.
func (a *Apex) ServerTTL() uint32 {
	if a.NSTTL.Own {
		return a.NSTTL.Seconds
	}
	return a.TTL.Seconds
}

// The defaults of an apex. Secondaries are notified of every change, so refresh is for lost notifications; new names
// appear all the time, and a resolver that asked too early should not wait long.
const (
	defaultRefresh  = 2 * 3600
	defaultRetry    = 1800
	defaultExpire   = 14 * 24 * 3600 // RFC 1912 §2.2 wants two to four weeks
	DefaultNegative = 60
)

// Authoritative reads: authoritative { ... }. Each of zones, which are zones of the reader, gets an apex.
func (r *Reader) Authoritative(s Statement, zones Zones) {
	if len(s.Words) > 1 || !s.braced {
		r.errs.add(s.Pos, Syntax, "usage: authoritative { ns NAME... }")
		return
	}
	for _, zone := range zones {
		a := Apex{Pos: s.Pos, Zone: zone, Refresh: defaultRefresh, Retry: defaultRetry,
			Expire: defaultExpire, Negative: DefaultNegative}
		for _, b := range s.Block {
			r.inApex(b, &a)
		}
		if a.Contact == "" {
			a.Contact, _ = mailbox("hostmaster", r.origin(zone))
		}
		isServers := func(b Statement) bool { return b.Words[0] == "ns" }
		switch {
		case len(a.Servers) > 0:
			r.set.Apexes = append(r.set.Apexes, a)
		case !slices.ContainsFunc(s.Block, isServers): // what is wrong with those that are there has been said
			r.errs.add(s.Pos, Syntax, "a zone needs a name server: write ns NAME... in this block")
		}
	}
}

var apexWords = []string{"contact", "expire", "negative", "ns", "primary", "refresh", "retry", "ttl"}

// inApex reads a statement in the block of authoritative.
func (r *Reader) inApex(s Statement, a *Apex) {
	seconds := map[string]*uint32{"refresh": &a.Refresh, "retry": &a.Retry, "expire": &a.Expire, "negative": &a.Negative}
	word, words := s.Words[0], len(s.Words)
	if s.braced {
		words = 0
	}
	switch {
	case !r.Usual(&s):
	case word == "ns" && len(s.Words) > 1:
		r.nameServers(s, a)
	case word == "primary" && words == 2:
		a.Primary, _ = r.target(s.Pos, s.Words[1], r.origin(a.Zone))
	case word == "contact" && words == 2:
		origin := r.origin(a.Zone)
		contact, err := mailbox(s.Words[1], origin)
		if err == nil && !strings.Contains(s.Words[1], "@") && !r.hasOrigin(s.Pos, s.Words[1], origin) {
			break
		}
		if err != nil {
			r.errs.add(s.Pos, NameInvalid, "contact %v", err)
		}
		a.Contact = cmp.Or(contact, ".")
	case word == "ttl":
		r.ownTTL(s, &a.TTL)
	case seconds[word] != nil && words == 2:
		if n, ok := r.parseTTL(s); ok {
			*seconds[word] = n
		}
	case r.strays(s, apexWords...):
	default:
		r.errs.add(s.Pos, Syntax, "%q: write ns NAME..., primary NAME, contact NAME, ttl TTL, or refresh, retry, expire or negative "+
			"with a duration", strings.Join(s.Words, " "))
	}
}

func (r *Reader) nameServers(s Statement, a *Apex) {
	if ttl := r.ttlBlock(s, nil); ttl.Own {
		if a.NSTTL.Own && a.NSTTL != ttl {
			r.errs.add(s.Pos, Syntax, "a second ttl of the name servers: write one")
		}
		a.NSTTL = ttl
	}
	for _, word := range s.Words[1:] {
		if word == "." {
			r.errs.add(s.Pos, Syntax, "%q is no host: write the name of one", word)
			continue
		}
		host, ok := r.target(s.Pos, word, r.origin(a.Zone))
		again := slices.ContainsFunc(a.Servers, func(n NameServer) bool { return n.Host == host })
		if ok && !again {
			a.Servers = append(a.Servers, NameServer{s.Pos, host})
		}
	}
}

// mailbox reads the address of a person, as mail writes it or as DNS does, with
// the part before the @ as the first label, its dots escaped (RFC 1035 §8).
func mailbox(s string, zone Name) (string, error) {
	local, domain, isMail := strings.Cut(s, "@")
	switch {
	case isMail && local != "" && domain != "":
		domain = strings.TrimSuffix(domain, ".") + "."
	case strings.Contains(s, `\`):
		local, domain = cutLabel(s)
	default:
		name, err := ParseName(s, zone)
		return string(name), err
	}
	if local == "" || strings.ContainsFunc(local, outsideLocal) {
		return "", errorf("%q: write a mailbox of letters, digits and -_+=. before the @", s)
	}
	parent, err := ParseName(cmp.Or(domain, "@"), zone)
	if err != nil {
		return "", err
	}
	if len(local) > maxLabel || len(local)+len(parent)+2 > maxName {
		return "", errorf("%q is too long: write at most %d octets before the @ and %d in all", s, maxLabel, maxName)
	}
	return strings.ReplaceAll(strings.ToLower(local), ".", `\.`) + "." + strings.TrimPrefix(string(parent), "."), nil
}

// cutLabel cuts off the first label of a name, and drops the backslashes in it.
func cutLabel(s string) (label, rest string) {
	escaped := false
	for i, r := range s {
		if r == '.' && !escaped {
			return strings.ReplaceAll(s[:i], `\`, ""), s[i+1:]
		}
		escaped = r == '\\' && !escaped
	}
	return strings.ReplaceAll(s, `\`, ""), ""
}

// outsideLocal reports characters that no mailbox here has before its @.
func outsideLocal(r rune) bool {
	return outsideName(unicode.ToLower(r)) && !strings.ContainsRune("+=.", r)
}
