package definition

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// A Reader turns statements into a set. Those of one reader share their zones
// and their defaults: one stanza of a Corefile, or one file.
type Reader struct {
	zones    Zones
	forward  Zones // those that are no reverse zones
	zoneSet  ZoneSet
	reverse  *reverse // nil if there are no reverse zones
	defaults Defaults
	set      *Set
	before   Set // the set when the reader was made
	errs     mistakes
	limits
	files func(path string) (text string, err error) // nil if statements may name no files

	entriesBuf []entry
}

// NewReader returns a reader whose relative names are made in each of zones but reverse zones. In these it makes PTR
// records of the addresses of hosts. There must be at least one zone. It reads into a new set.
func NewReader(zones Zones) *Reader {
	return &Reader{zones: zones, forward: zones.Forward(), zoneSet: zones.Set(), reverse: newReverse(zones), set: new(Set)}
}

// Into returns a reader of the same zones, limit and files that adds to a set. It costs nothing, however many zones there are.
func (r *Reader) Into(s *Set) *Reader {
	return &Reader{zones: r.zones, forward: r.forward, zoneSet: r.zoneSet, reverse: r.reverse, set: s, before: *s,
		limits: limits{most: r.most}, files: r.files}
}

// SetFiles sets how the files are read that statements name: keys, certificates and policies. It is called with a path as
// it is written, for each statement that has it, and its error is shown with the path. Without it, as in etcd, each
// path is a mistake, which says what to write instead.
func (r *Reader) SetFiles(read func(path string) (text string, err error)) { r.files = read }

// Zones returns the zones of the reader.
func (r *Reader) Zones() Zones { return r.zones }

// Defaults are what declarations get that have no TTL or order of their own. What ttl and order
// statements say is Own, or said ByItself.
type Defaults struct {
	TTL   TTL
	Order Order
}

// SetDefaults sets what declarations get that have none of their own, as statements do.
func (r *Reader) SetDefaults(d Defaults) { r.defaults = d }

// Defaults returns what declarations get that have none of their own.
func (r *Reader) Defaults() Defaults {
	d := r.defaults
	d.TTL.setDefault(DefaultTTL)
	return d
}

// SetsDefault reports whether a statement is about other statements: a default.
func (s *Statement) SetsDefault() bool { return s.Words[0] == "ttl" || s.Words[0] == "order" }

// keywords are the words that start a statement, and what reads it.
var keywords = map[string]func(*Reader, Statement){
	"alias":   (*Reader).alias,
	"drain":   (*Reader).drain,
	"host":    (*Reader).host,
	"mail":    (*Reader).mail,
	"order":   (*Reader).defaultOrder,
	"record":  (*Reader).record,
	"service": (*Reader).service,
	"ttl":     (*Reader).defaultTTL,
}

// Keywords returns the words that start a statement, sorted.
func Keywords() []string { return slices.Sorted(maps.Keys(keywords)) }

// Statement reads one statement into the set. It returns false, and does nothing, if that
// does not start with a keyword.
func (r *Reader) Statement(s Statement) bool {
	if !r.Usual(&s) {
		return true
	}
	read := keywords[s.Words[0]]
	if read == nil {
		return false
	}
	if r.single(s) {
		read(r, s)
	}
	return true
}

// Usual cuts a comment as in zone files off a statement, and reports whether the rest can be read: it has words, and
// none is empty. What is wrong is among the mistakes of the reader.
func (r *Reader) Usual(s *Statement) bool {
	if !s.unusual || s.isFreeText() {
		return true
	}
	for i, word := range s.Words {
		switch {
		case strings.HasPrefix(word, ";"):
			r.errs.add(s.Pos, Syntax, "%q: write \"#\" before a comment", word)
			s.Words = s.Words[:i]
			return i > 0
		case word == "":
			r.errs.add(s.Pos, Syntax, "%q is no word: write one, or set the variable of the Corefile that it comes from", word)
			return false
		}
	}
	return true
}

// isFreeText reports whether the words of a statement may be any text: data of records may be.
func (s *Statement) isFreeText() bool { return s.Words[0] == "record" }

// single reports whether each word of a statement of definitions is a single one, and no variable.
func (r *Reader) single(s Statement) bool {
	if !s.unusual {
		return true
	}
	isText := s.isFreeText()
	for _, word := range s.Words {
		switch {
		case strings.Contains(word, "{$") || strings.Contains(word, "{%") || !isText && strings.Contains(word, "${"):
			r.errs.add(s.Pos, Syntax, "%q: only the Corefile has variables, written {$NAME}: write the value here", word)
			return false
		case isText:
		case strings.Contains(word, "\n"): // a grouper has said so
			return false
		case strings.ContainsFunc(word, unicode.IsSpace):
			r.errs.add(s.Pos, Syntax, "%q is one word, as quotes and variables make it: write each word by itself", word)
			return false
		}
	}
	return true
}

// Set returns the set with what was read, and all mistakes in it. Of a statement that
// has a mistake the set has what could be read.
func (r *Reader) Set() (*Set, Errors) {
	added, defaults := r.set.Since(&r.before), r.Defaults()
	for h := range added.Heads {
		h.TTL.setDefault(defaults.TTL.Seconds)
	}
	for i := range added.Apexes {
		added.Apexes[i].TTL.setDefault(defaults.TTL.Seconds)
	}
	for o := range added.orders {
		o.setDefault(defaults.Order)
	}
	return r.set, r.errs.all()
}

// Text reads a text whose first line is at pos. It calls each, if that is not nil,
// after every statement, which is valid during the call.
func (r *Reader) Text(pos Pos, text string, each func(Statement)) {
	before := len(r.errs.list)
	var soa Pos // of a zone file, which has one
	errs := EachStatement(pos, text, func(s Statement) {
		if !r.Statement(s) {
			r.errs.add(s.Pos, Syntax, "%v", unknown(s)) // is formatted only if it is kept
			if soa.Line == 0 && isSOA(s.Words) {
				soa = s.Pos
			}
		}
		if each != nil {
			each(s)
		}
	})
	if soa.Line > 0 {
		r.errs.replace(before, Error{Pos: soa, ID: Syntax, Text: "this is a zone file: convert it with mxsrv import or, " +
			"if it is for the file plugin, write the \"}\" of mxsrv before the line that names it"})
		return
	}
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

// strays reports a line of a block that belongs elsewhere, as if the block were not closed before it, or that starts
// with one of some words misspelled. It returns false, and does nothing, if neither is so.
func (r *Reader) strays(b Statement, words ...string) bool {
	word := b.Words[0]
	_, near := Nearest(word, words)
	switch {
	case slices.Contains(words, word):
		return false
	case isKeyword(word):
		r.errs.add(b.Pos, Syntax, "%q starts a statement: write %q before it, to close the block", word, "}")
	case word == checkWord:
		r.errs.add(b.Pos, Syntax, "%q: write it into the block of mail or service", word)
	case mailLines[word].read != nil:
		r.errs.add(b.Pos, Syntax, "%q: write it into the block of mail", word)
	case hostLines[word].read != nil:
		r.errs.add(b.Pos, Syntax, "%q: write it into the block of host", word)
	case near:
		r.errs.add(b.Pos, Syntax, "%s", UnknownWord(word, words))
	default:
		return false
	}
	return true
}

// isKeyword reports whether a word starts a statement. It is set later than keywords, whose functions call it.
var isKeyword func(word string) bool

func init() { isKeyword = func(word string) bool { return keywords[word] != nil } }

func (r *Reader) usage(s Statement, usage string) {
	r.errs.add(s.Pos, Syntax, "usage: %s %s", s.Words[0], usage)
}

// An owner is a name to declare, and the zone that relative hosts beside it are in.
type owner struct{ name, zone Name }

// owners reads owner names, and calls declare for each.
func (r *Reader) owners(pos Pos, words []string, declare func(owner)) {
	for _, word := range words {
		for _, zone := range r.zonesOf(word) {
			if !r.hasOrigin(pos, word, zone) {
				break
			}
			name, err := ParseName(word, zone)
			if err != nil {
				r.errs.add(pos, NameInvalid, "%v", err)
				break
			}
			if isAbsolute(word) {
				zone = r.origin(cmp.Or(r.zoneSet.Of(name), zone))
			}
			declare(owner{name, zone})
		}
	}
}

// zonesOf returns the zones in which an owner is read: a relative one stands for one name in each zone but reverse
// zones.
func (r *Reader) zonesOf(word string) Zones {
	if isAbsolute(word) || len(r.forward) == 0 {
		return r.zones[:1]
	}
	return r.forward
}

func isAbsolute(word string) bool { return strings.HasSuffix(word, ".") }

// origin returns the zone that relative names beside an owner in a zone are in: that zone or, as there are none in
// reverse zones, the first that is none.
func (r *Reader) origin(zone Name) Name {
	if zone.IsReverse() && len(r.forward) > 0 {
		return r.forward[0]
	}
	return zone
}

// hasOrigin reports whether a word is a name: a relative one is none in a reverse zone.
func (r *Reader) hasOrigin(pos Pos, word string, zone Name) bool {
	if isAbsolute(word) || !zone.IsReverse() {
		return true
	}
	r.errs.add(pos, NameInvalid, "%q is relative, and %s is a reverse zone: write an absolute name, like mx1.example.org., "+
		"or add its zone after mxsrv", word, zone)
	return false
}

// target reads the name of a host that is pointed to.
func (r *Reader) target(pos Pos, word string, zone Name) (Name, bool) {
	if isAddress(word) {
		r.errs.add(pos, TargetIsAddress, "%q is an address: declare it with \"host NAME %s\" and write the name",
			word, cut(strings.TrimSuffix(word, ".")))
		return "", false
	}
	if !r.hasOrigin(pos, word, zone) {
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
// a name. Most are not, which is quickly seen: ParseAddr makes an error of each.
func isAddress(word string) bool {
	if word == "" || !isDigit(word[0]) && !strings.Contains(word, ":") {
		return false
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(word, "."))
	return err == nil
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
