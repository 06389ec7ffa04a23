package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// An Apex is the top of a zone that is served whole: what its SOA and NS records
// say (RFC 1035 §3.3.13). It is declared in a Corefile only.
type Apex struct {
	Pos
	Zone    Name
	Servers []NameServer // as declared, each once; the first is the SOA's MNAME
	Contact string       // the SOA's RNAME: a mailbox as a name, absolute, perhaps with escapes
	TTL     TTL          // of SOA and NS

	Refresh, Retry, Expire uint32 // seconds, for secondaries
	Negative               uint32 // seconds that a denial may be kept (RFC 2308 §4)
}

// A NameServer is a host that serves the zone.
type NameServer struct {
	Pos
	Host Name
}

// What an apex says when nothing is written. Secondaries are notified of every
// change, so refresh is for what got lost; new names appear all the time, and
// who asked too early should not wait long.
const (
	defaultRefresh  = 2 * 3600
	defaultRetry    = 1800
	defaultExpire   = 14 * 24 * 3600 // RFC 1912 §2.2 wants two to four weeks
	DefaultNegative = 60
)

// apexForm is what a line in the block of authoritative may be.
const apexForm = "ns NAME..., contact NAME, ttl TTL, or refresh, retry, expire or negative with a duration"

// Authoritative reads: authoritative { ... }. Each zone of the reader gets an
// apex.
func (r *Reader) Authoritative(l Statement) {
	if len(l.Words) > 1 || !l.braced {
		r.errs.add(l.Pos, Syntax, "usage: authoritative { ns NAME... }")
		return
	}
	for _, zone := range r.zones {
		a := Apex{Pos: l.Pos, Zone: zone, Refresh: defaultRefresh, Retry: defaultRetry,
			Expire: defaultExpire, Negative: DefaultNegative}
		for _, b := range l.Block {
			r.apexLine(b, &a)
		}
		if a.Contact == "" {
			a.Contact, _ = mailbox("hostmaster", zone)
		}
		if len(a.Servers) == 0 {
			r.errs.add(l.Pos, Syntax, "a zone needs a name server: write ns NAME... in this block")
			return
		}
		r.set.Apexes = append(r.set.Apexes, a)
	}
}

// apexLine reads a line in the block of authoritative.
func (r *Reader) apexLine(l Statement, a *Apex) {
	seconds := map[string]*uint32{"refresh": &a.Refresh, "retry": &a.Retry, "expire": &a.Expire, "negative": &a.Negative}
	word := l.Words[0]
	switch {
	case word == "ns" && len(l.Words) > 1 && !l.braced:
		r.nameServers(l, a)
	case word == "contact" && len(l.Words) == 2 && !l.braced:
		contact, err := mailbox(l.Words[1], a.Zone)
		if err != nil {
			r.errs.add(l.Pos, NameInvalid, "contact %v", err)
		}
		a.Contact = cmp.Or(contact, ".")
	case word == "ttl":
		r.ownTTL(l, &a.TTL)
	case seconds[word] != nil && len(l.Words) == 2 && !l.braced:
		if n, ok := r.parseTTL(l); ok {
			*seconds[word] = n
		}
	default:
		r.errs.add(l.Pos, Syntax, "%q: write %s", strings.Join(l.Words, " "), apexForm)
	}
}

func (r *Reader) nameServers(l Statement, a *Apex) {
	for _, word := range l.Words[1:] {
		if word == "." {
			r.errs.add(l.Pos, Syntax, "%q is no host: write the name of one", word)
			continue
		}
		host, ok := r.target(l.Pos, word, a.Zone)
		known := slices.ContainsFunc(a.Servers, func(s NameServer) bool { return s.Host == host })
		if ok && !known {
			a.Servers = append(a.Servers, NameServer{l.Pos, host})
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
		return "", fmt.Errorf("%q: write a mailbox of letters, digits and -_+=. before the @", s)
	}
	parent, err := ParseName(cmp.Or(domain, "@"), zone)
	if err != nil {
		return "", err
	}
	if len(local) > maxLabel || len(local)+len(parent)+2 > maxName {
		return "", fmt.Errorf("%q is too long: write at most %d octets before the @ and %d in all", s, maxLabel, maxName)
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
