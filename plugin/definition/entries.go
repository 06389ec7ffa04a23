package definition

import (
	"strconv"
	"strings"
)

// A form is what mail and service statements have in common: names, then entries
// of some numbers and hosts, or "none".
type form struct {
	usage   string
	numbers []string // what the numbers before the hosts are
	srv     bool     // srv may be one of the words
}

var (
	mailForm = form{
		usage:   "NAME... PREFERENCE HOST..., or mail NAME... none",
		numbers: []string{"preference"}, srv: true,
	}
	serviceForm = form{
		usage:   "NAME... PRIORITY WEIGHT PORT HOST..., or service NAME... none",
		numbers: []string{"priority", "weight", "port"},
	}
)

// A stanza is a mail or service statement as read, before names are made absolute.
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

// stanza reads the words and the block of a mail or service statement, into memory
// that the next one takes too. It returns false if there is nothing to declare.
func (r *Reader) stanza(s Statement, f form) (stanza, bool) {
	st := stanza{entries: r.entriesBuf[:0]}
	words := s.Words[1:]
	n := f.hosts(words)
	st.names, words = words[:n], words[n:]
	before := r.errs.count
	r.entries(s.Pos, words, f, &st)
	for _, b := range s.Block {
		r.inBlock(b, f, &st)
	}
	r.entriesBuf = st.entries
	declares := len(st.entries) > 0 || st.none != nil
	if len(st.names) == 0 || !declares && r.errs.count == before {
		r.usage(s, f.usage)
	}
	return st, len(st.names) > 0 && declares
}

// inBlock reads a statement in the block of a mail or service statement.
func (r *Reader) inBlock(b Statement, f form, st *stanza) {
	switch {
	case b.braced:
		r.errs.add(b.Pos, Syntax, "%q: a line here has no block: delete the braces", b.Words[0])
	case b.Words[0] == "ttl":
		r.ownTTL(b, &st.ttl)
	case f.keyword(b.Words[0]) || f.isEntry(b.Words):
		r.entries(b.Pos, b.Words, f, st)
	default:
		r.errs.add(b.Pos, Syntax, "%q: write %v, none%s or ttl TTL", b.Words[0], f, f.also())
	}
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

// isEntry reports whether words are numbers and hosts, perhaps with a mistake in them.
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
func (r *Reader) entries(pos Pos, words []string, f form, st *stanza) {
	for len(words) > 0 {
		switch {
		case words[0] == "none":
			st.none, words = &pos, words[1:]
		case f.keyword(words[0]):
			st.srv, words = true, words[1:]
		default:
			words = r.entry(pos, words, f, st)
		}
	}
}

// entry reads one set of numbers and its hosts, and returns the words after it.
func (r *Reader) entry(pos Pos, words []string, f form, st *stanza) []string {
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
		st.entries = append(st.entries, e)
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

// shared returns a pointer to a list that is not empty.
func shared[T any](list []T) any {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// perZone is what the entries of a stanza mean in each zone, as exchanges or targets. All
// owners in one zone share them.
type perZone[T any] struct {
	reader  *Reader
	entries []entry
	of      func(*entry, Name) T
	compare func(a, b T) int

	zone   Name // the last one
	last   []T
	others map[Name][]T // of all zones but the last, once there are several
}

// in returns what the entries mean in a zone, in the order of compare and each once.
func (p *perZone[T]) in(zone Name) []T {
	if zone == p.zone {
		return p.last
	}
	made, ok := p.others[zone]
	if !ok {
		made = distinct(p.make(zone), p.compare)
	}
	if p.zone != "" {
		if p.others == nil {
			p.others = make(map[Name][]T)
		}
		p.others[p.zone] = p.last
	}
	p.zone, p.last = zone, made
	return made
}

func (p *perZone[T]) make(zone Name) []T {
	n := 0
	for i := range p.entries {
		n += len(p.entries[i].hosts)
	}
	all := make([]T, 0, n)
	for i := range p.entries {
		e := &p.entries[i]
		for _, word := range e.hosts {
			if host, ok := p.reader.pointedTo(e.Pos, word, zone); ok {
				all = append(all, p.of(e, host))
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
