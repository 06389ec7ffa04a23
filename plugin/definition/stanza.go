package definition

import (
	"strconv"
	"strings"
)

// A form is what mail and service stanzas have in common: names, then entries
// of some numbers and hosts, or "none".
type form struct {
	numbers []string // what the numbers before the hosts are
	srv     bool     // the word srv is known
}

var (
	mailForm    = form{numbers: []string{"preference"}, srv: true}
	serviceForm = form{numbers: []string{"priority", "weight", "port"}}
)

// A stanza is a mail or service line as read, before names are made absolute.
type stanza struct {
	names   []string
	entries []entry
	none    *Pos // where it says none
	srv     bool
	ttl     TTL
}

// An entry is numbers and the hosts that they are for.
type entry struct {
	Pos
	numbers [3]uint16
	hosts   []string
}

// stanza reads the words and the block of a mail or service line, into memory
// that the next one takes too. It returns false if there is nothing to declare.
func (r *Reader) stanza(l Statement, f form) (stanza, bool) {
	s := stanza{entries: r.entriesBuf[:0]}
	defer func() { r.entriesBuf = s.entries }()
	words := l.Words[1:]
	n := f.hosts(words)
	s.names, words = words[:n], words[n:]
	before := len(r.errs.list)
	r.entries(l.Pos, words, f, &s)
	for _, b := range l.Block {
		switch {
		case b.braced:
			r.errs.add(b.Pos, Syntax, "%q: a line here has no block: delete the braces", b.Words[0])
		case b.Words[0] == "ttl":
			r.ownTTL(b, &s.ttl)
		case f.keyword(b.Words[0]) || f.isEntry(b.Words):
			r.entries(b.Pos, b.Words, f, &s)
		default:
			r.errs.add(b.Pos, Syntax, "%q: write %v, none%s or ttl TTL", b.Words[0], f, f.also())
		}
	}
	declares := len(s.entries) > 0 || s.none != nil
	if len(s.names) == 0 || !declares && len(r.errs.list) == before {
		r.usage(l)
	}
	return s, len(s.names) > 0 && declares
}

// String returns the form of the stanza's entries, for messages.
func (f form) String() string {
	return strings.ToUpper(strings.Join(f.numbers, " ")) + " HOST..."
}

// hosts returns how many words there are up to a number or a keyword.
func (f form) hosts(words []string) int {
	for i, word := range words {
		if isNumber(word) || f.keyword(word) {
			return i
		}
	}
	return len(words)
}

// keyword reports whether a word stands for itself rather than for a name.
func (f form) keyword(word string) bool { return word == "none" || f.srv && word == "srv" }

// isEntry tells a line of numbers and hosts, perhaps with a mistake in it, from
// one that is none.
func (f form) isEntry(words []string) bool {
	return len(words) > len(f.numbers) || isNumber(words[0])
}

// also returns the words of the form beyond none, for messages.
func (f form) also() string {
	if f.srv {
		return ", srv"
	}
	return ""
}

// entries reads a run of words: numbers with their hosts, and keywords.
func (r *Reader) entries(pos Pos, words []string, f form, s *stanza) {
	for len(words) > 0 {
		switch {
		case words[0] == "none":
			s.none, words = &pos, words[1:]
		case f.keyword(words[0]):
			s.srv, words = true, words[1:]
		default:
			words = r.entry(pos, words, f, s)
		}
	}
}

// entry reads one set of numbers and its hosts, and returns the words after it.
func (r *Reader) entry(pos Pos, words []string, f form, s *stanza) []string {
	e := entry{Pos: pos}
	if len(words) <= len(f.numbers) {
		r.errs.add(pos, Syntax, "%q: write %v", words[0], f)
		return nil
	}
	good := true
	for i, what := range f.numbers {
		n, ok := r.parseUint16(pos, what, words[i])
		e.numbers[i], good = n, good && ok
	}
	words = words[len(f.numbers):]
	n := f.hosts(words)
	e.hosts, words = words[:n], words[n:]
	if len(e.hosts) == 0 {
		r.errs.add(pos, Syntax, "%q: no host after the numbers: write %v", words[0], f)
		return nil
	}
	if good {
		s.entries = append(s.entries, e)
	}
	return words
}

// parseUint16 reads a number field; what names it in the error.
func (r *Reader) parseUint16(pos Pos, what, word string) (uint16, bool) {
	n, err := strconv.ParseUint(word, 10, 16)
	if err != nil {
		id := Syntax
		if isNumber(word) {
			id = ValueOutOfRange
		}
		r.errs.add(pos, id, "%s %q: write a number from 0 to 65535", what, word)
	}
	return uint16(n), err == nil
}

// perZone returns a function that makes of the entries what they mean in a zone,
// in the order of compare and each once. All owners in one zone share the result.
func perZone[T any](r *Reader, s *stanza, compare func(a, b T) int, of func(*entry, Name) T) func(zone Name) []T {
	var (
		last    Name // zone of result
		result  []T
		further map[Name][]T // of all zones, once there are several
	)
	return func(zone Name) []T {
		if zone == last {
			return result
		}
		known, ok := further[zone]
		if !ok {
			known = distinct(entriesIn(r, s, zone, of), compare)
		}
		if last != "" {
			if further == nil {
				further = map[Name][]T{last: result}
			}
			further[zone] = known
		}
		last, result = zone, known
		return result
	}
}

// entriesIn makes the entries of a stanza with their hosts in one zone.
func entriesIn[T any](r *Reader, s *stanza, zone Name, of func(*entry, Name) T) []T {
	n := 0
	for i := range s.entries {
		n += len(s.entries[i].hosts)
	}
	all := make([]T, 0, n)
	for i := range s.entries {
		for _, word := range s.entries[i].hosts {
			if host, ok := r.pointedTo(s.entries[i].Pos, word, zone); ok {
				all = append(all, of(&s.entries[i], host))
			}
		}
	}
	return all
}

// pointedTo reads the host of an entry, which is never the root.
func (r *Reader) pointedTo(pos Pos, word string, zone Name) (Name, bool) {
	if word == "." {
		r.errs.add(pos, Syntax, `%q is no host: write "none" instead of numbers and hosts`, word)
		return "", false
	}
	return r.target(pos, word, zone)
}
