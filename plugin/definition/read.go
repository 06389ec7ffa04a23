package definition

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// DefaultTTL is what definitions get when nothing says otherwise.
	DefaultTTL = 3600

	maxTTL = 1<<31 - 1 // RFC 2181 §8
)

// A Reader turns lines into a set. The lines of one reader share their zones
// and their default TTL: one stanza of a Corefile, or one file.
type Reader struct {
	zones   Zones
	zoneSet ZoneSet
	ttl     *uint32 // from a ttl line
	set     *Set
	before  Set // the set when the reader was made
	errs    mistakes

	entriesBuf []entry
}

// NewReader returns a reader whose relative names are made in each of zones, of
// which there must be at least one. It reads into a new set.
func NewReader(zones Zones) *Reader {
	return &Reader{zones: zones, zoneSet: zones.Set(), set: new(Set)}
}

// Into returns a reader of the same zones that adds to a set. It costs nothing,
// however many zones there are.
func (r *Reader) Into(s *Set) *Reader {
	return &Reader{zones: r.zones, zoneSet: r.zoneSet, set: s, before: *s}
}

// SetDefaultTTL sets what declarations get that have no TTL of their own, in
// seconds, as a ttl line does.
func (r *Reader) SetDefaultTTL(seconds uint32) { r.ttl = &seconds }

// DefaultTTL returns the default TTL in seconds.
func (r *Reader) DefaultTTL() uint32 {
	if r.ttl != nil {
		return *r.ttl
	}
	return DefaultTTL
}

// usage is what to write, for each word that starts a line.
var usage = map[string]string{
	"alias":   "alias NAME... HOST",
	"host":    "host NAME ADDRESS...",
	"mail":    "mail NAME... PREFERENCE HOST..., or mail NAME... none",
	"service": "service NAME... PRIORITY WEIGHT PORT HOST..., or service NAME... none",
	"ttl":     "ttl SECONDS, or a duration like 1h30m or 1d",
}

// read holds the function for each word that starts a line.
var read = map[string]func(*Reader, Statement){
	"alias":   (*Reader).alias,
	"host":    (*Reader).host,
	"mail":    (*Reader).mail,
	"service": (*Reader).service,
	"ttl":     (*Reader).defaultTTL,
}

// Keywords returns the words that start a line, sorted.
func Keywords() []string {
	var words []string
	for word := range read {
		words = append(words, word)
	}
	slices.Sort(words)
	return words
}

// Statement reads one line into the set. It returns false, and does nothing, if the
// line does not start with a word of the language.
func (r *Reader) Statement(l Statement) bool {
	f, ok := read[l.Words[0]]
	if ok {
		f(r, l)
	}
	return ok
}

// Set returns the set with what was read, and all mistakes in it. Of lines that have
// a mistake the set has what could be read.
func (r *Reader) Set() (*Set, Errors) {
	r.set.setDefaults(&r.before, r.DefaultTTL())
	return r.set, r.errs.list
}

// Text reads a text whose first line is at pos. It calls each, if that is not nil,
// after every statement; the line is valid during the call.
func (r *Reader) Text(pos Pos, text string, each func(Statement)) {
	before := len(r.errs.list)
	errs := EachStatement(pos, text, func(l Statement) {
		if !r.Statement(l) {
			r.errs.add(l.Pos, Syntax, "%s", Unknown(l))
		}
		if each != nil {
			each(l)
		}
	})
	r.errs.list = slices.Concat(r.errs.list[:before], errs, r.errs.list[before:])
}

// Read reads a whole text of definitions; source names it in positions.
func Read(source, text string, zones Zones) (*Set, Errors) {
	set := new(Set)
	return set, set.Read(source, text, zones)
}

// Read adds what a whole text of definitions declares.
func (s *Set) Read(source, text string, zones Zones) Errors {
	s.Grow(text)
	r := NewReader(zones).Into(s)
	r.Text(Pos{source, 1}, text, nil)
	_, errs := r.Set()
	return errs
}

// setDefaults gives a default TTL to what s has beyond before.
func (s *Set) setDefaults(before *Set, seconds uint32) {
	for i := len(before.Hosts); i < len(s.Hosts); i++ {
		s.Hosts[i].TTL.setDefault(seconds)
	}
	for i := len(before.Mails); i < len(s.Mails); i++ {
		s.Mails[i].TTL.setDefault(seconds)
	}
	for i := len(before.Services); i < len(s.Services); i++ {
		s.Services[i].TTL.setDefault(seconds)
	}
	for i := len(before.Aliases); i < len(s.Aliases); i++ {
		s.Aliases[i].TTL.setDefault(seconds)
	}
	for i := len(before.Apexes); i < len(s.Apexes); i++ {
		s.Apexes[i].TTL.setDefault(seconds)
	}
}

func (t *TTL) setDefault(seconds uint32) {
	if !t.Own {
		t.Seconds = seconds
	}
}

// Grow makes room for what a text seems to declare in one zone, and returns how
// many stanzas that are. To grow bit by bit would take several times the memory of
// a large set.
func (s *Set) Grow(text string) (stanzas int) {
	count := func(word string) int {
		n := strings.Count(text, word)
		stanzas += n
		return n
	}
	s.Hosts = slices.Grow(s.Hosts, count("host "))
	s.Mails = slices.Grow(s.Mails, count("mail "))
	s.Services = slices.Grow(s.Services, count("service "))
	s.Aliases = slices.Grow(s.Aliases, count("alias "))
	return stanzas
}

func (r *Reader) usage(l Statement) {
	word := l.Words[0]
	r.errs.add(l.Pos, Syntax, "usage: %s", usage[word])
}

// defaultTTL reads: ttl TTL
func (r *Reader) defaultTTL(l Statement) {
	if len(l.Words) != 2 || l.braced {
		r.usage(l)
		return
	}
	ttl, ok := r.parseTTL(l)
	switch {
	case !ok:
	case r.ttl != nil && *r.ttl != ttl:
		r.errs.add(l.Pos, Syntax, "a second default ttl: write one, or a ttl in the blocks that differ")
	default:
		r.ttl = &ttl
	}
}

// host reads: host NAME ADDRESS...
func (r *Reader) host(l Statement) {
	if len(l.Words) < 3 {
		r.usage(l)
		return
	}
	ttl := r.ttlBlock(l)
	addrs := make([]netip.Addr, 0, len(l.Words)-2)
	for _, word := range l.Words[2:] {
		addr, err := netip.ParseAddr(word)
		switch {
		case err != nil || addr.Zone() != "":
			r.errs.add(l.Pos, Syntax, "%q is not an address: write one like 192.0.2.10 or 2001:db8::10", word)
		case addr.Is4In6():
			r.errs.add(l.Pos, Syntax, "%q is an IPv4 address in IPv6 form: write %s", word, addr.Unmap())
		default:
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		return
	}
	addrs = distinct(addrs, netip.Addr.Compare)
	for o := range r.owners(l, l.Words[1:2]) {
		r.set.Hosts = append(r.set.Hosts, Host{l.Pos, o.name, addrs, ttl})
	}
}

// alias reads: alias NAME... HOST
func (r *Reader) alias(l Statement) {
	last := len(l.Words) - 1
	if last < 2 {
		r.usage(l)
		return
	}
	ttl := r.ttlBlock(l)
	for o := range r.owners(l, l.Words[1:last]) {
		if host, ok := r.target(l.Pos, l.Words[last], o.zone); ok {
			r.set.Aliases = append(r.set.Aliases, Alias{l.Pos, o.name, host, ttl})
		}
	}
}

// mail reads: mail NAME... PREFERENCE HOST... | none
func (r *Reader) mail(l Statement) {
	s, ok := r.stanza(l, mailForm)
	if !ok {
		return
	}
	exchanges := perZone(r, &s, byPreference, func(e *entry, host Name) Exchange {
		return Exchange{e.Pos, e.numbers[0], host}
	})
	r.set.Mails = slices.Grow(r.set.Mails, len(s.names)*len(r.zones))
	for o := range r.owners(l, s.names) {
		if s.srv {
			if _, err := ParseName("_smtp._tcp", o.name); err != nil {
				r.errs.add(l.Pos, NameInvalid, "srv: %v", err)
			}
		}
		m := Mail{Pos: l.Pos, Owner: o.name, SRV: s.srv, TTL: s.ttl}
		if m.Exchanges = exchanges(o.zone); len(m.Exchanges) > 0 {
			r.set.Mails = append(r.set.Mails, m)
		}
		if s.none != nil {
			m.Pos, m.Exchanges = *s.none, nil
			r.set.Mails = append(r.set.Mails, m)
		}
	}
}

// service reads: service NAME... PRIORITY WEIGHT PORT HOST... | none
func (r *Reader) service(l Statement) {
	s, ok := r.stanza(l, serviceForm)
	if !ok {
		return
	}
	targets := perZone(r, &s, byPriority, func(e *entry, host Name) Target {
		return Target{e.Pos, e.numbers[0], e.numbers[1], e.numbers[2], host}
	})
	for o := range r.owners(l, s.names) {
		v := Service{Pos: l.Pos, Owner: o.name, TTL: s.ttl}
		if v.Targets = targets(o.zone); len(v.Targets) > 0 {
			r.set.Services = append(r.set.Services, v)
		}
		if s.none != nil {
			v.Pos, v.Targets = *s.none, nil
			r.set.Services = append(r.set.Services, v)
		}
	}
}

// An owner is a name to declare, and the zone that relative hosts beside it
// are in.
type owner struct{ name, zone Name }

// owners reads owner names: a relative one stands for one name in each zone.
func (r *Reader) owners(l Statement, words []string) iter.Seq[owner] {
	return func(yield func(owner) bool) {
		for _, word := range words {
			zones, absolute := r.zones, strings.HasSuffix(word, ".")
			if absolute {
				zones = zones[:1]
			}
			for _, zone := range zones {
				name, err := ParseName(word, zone)
				if err != nil {
					r.errs.add(l.Pos, NameInvalid, "%v", err)
					break
				}
				if absolute {
					zone = cmp.Or(r.zoneSet.Of(name), zone)
				}
				if !yield(owner{name, zone}) {
					return
				}
			}
		}
	}
}

// target reads the name of a host that is pointed to.
func (r *Reader) target(pos Pos, word string, zone Name) (Name, bool) {
	if isAddress(word) {
		r.errs.add(pos, TargetIsAddress, "%q is an address: declare it with \"host NAME %s\" and write the name", word, strings.TrimSuffix(word, "."))
		return "", false
	}
	name, err := ParseName(word, zone)
	if err != nil {
		r.errs.add(pos, NameInvalid, "%v", err)
		return "", false
	}
	return name, true
}

// isAddress reports whether a word is an address, perhaps with the final dot of
// a name. Most are not, and are told by a look: ParseAddr makes an error of each.
func isAddress(word string) bool {
	if word == "" || !isDigit(word[0]) && !strings.Contains(word, ":") {
		return false
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(word, "."))
	return err == nil
}

// ttlBlock reads a block that may hold a ttl and nothing else.
func (r *Reader) ttlBlock(l Statement) TTL {
	var ttl TTL
	for _, b := range l.Block {
		if b.Words[0] != "ttl" {
			r.errs.add(b.Pos, Syntax, "%q: write ttl TTL, or nothing, in the block of %s", b.Words[0], l.Words[0])
			continue
		}
		r.ownTTL(b, &ttl)
	}
	return ttl
}

// ownTTL reads a ttl line of a block into ttl.
func (r *Reader) ownTTL(l Statement, ttl *TTL) {
	if len(l.Words) != 2 || l.braced {
		r.usage(l)
		return
	}
	seconds, ok := r.parseTTL(l)
	if ok && ttl.Own && ttl.Seconds != seconds {
		r.errs.add(l.Pos, Syntax, "a second ttl in one block: write one")
		return
	}
	if ok {
		*ttl = TTL{seconds, true}
	}
}

// parseTTL reads the second word of a line: a time in seconds.
func (r *Reader) parseTTL(l Statement) (uint32, bool) {
	seconds, err := parseSeconds(l.Words[1])
	switch {
	case err != nil && !isNumber(l.Words[1]):
		r.errs.add(l.Pos, Syntax, "%s %q: write seconds, or a duration like 1h30m or 1d", l.Words[0], l.Words[1])
	case err != nil || seconds < 0 || seconds > maxTTL:
		r.errs.add(l.Pos, ValueOutOfRange, "%s %q: write whole seconds from 0 to %d", l.Words[0], l.Words[1], maxTTL)
	default:
		return uint32(seconds), true
	}
	return 0, false
}

// parseSeconds reads seconds, or a duration as in Go or in master files, where weeks
// and days come first: 1w2d3h. If that is no whole number, the result is negative.
func parseSeconds(word string) (int64, error) {
	rest := strings.ToLower(word)
	if isNumber(word) {
		rest += "s"
	}
	var days int64
	for _, unit := range []struct {
		letter string
		days   int64
	}{{"w", 7}, {"d", 1}} {
		digits, after, ok := strings.Cut(rest, unit.letter)
		if n, err := strconv.ParseUint(digits, 10, 32); ok && err == nil {
			days, rest = days+int64(n)*unit.days, cmp.Or(after, "0")
		}
	}
	d, err := time.ParseDuration(rest)
	if d%time.Second != 0 || d < 0 && days > 0 {
		return -1, err
	}
	return days*24*3600 + int64(d/time.Second), err
}

// isNumber reports whether a word stands where a number does: a name of digits
// alone is written absolute, and none starts with a sign.
func isNumber(word string) bool {
	digits := strings.TrimLeft(word, "+-")
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			return false
		}
	}
	return digits != ""
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// Unknown says that a line starts with no word of the language, nor with one of
// the further words that are known where it stands.
func Unknown(l Statement, further ...string) string {
	words := append(Keywords(), further...)
	slices.Sort(words)
	return fmt.Sprintf("unknown word %q: write one of %s", l.Words[0], strings.Join(words, ", "))
}
