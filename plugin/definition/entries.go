package definition

import (
	"slices"
	"strconv"
	"strings"
)

// A form is what mail and service statements have in common: names, then entries
// of some numbers and hosts, or "none".
type form struct {
	usage    string
	entry    string   // the form of an entry
	numbers  []string // what the numbers before the hosts are
	keywords []string // words that stand for themselves rather than for names
	open     bool     // there may be open in the block
	lines    map[string]line
}

var (
	mailForm = form{
		usage: "NAME... PREFERENCE HOST..., or mail NAME... none",
		entry: "PREFERENCE HOST...", numbers: []string{"preference"}, keywords: []string{"none", "srv"},
		lines: mailLines,
	}
	serviceForm = form{
		usage: "NAME... PRIORITY WEIGHT PORT HOST..., or service NAME... none",
		entry: "PRIORITY WEIGHT PORT HOST...", numbers: []string{"priority", "weight", "port"}, keywords: []string{"none"}, open: true,
	}
)

// A stanza is a mail or service statement as read, before names are made absolute.
type stanza struct {
	names   []string
	entries []entry
	none    *Pos // where it says none
	srv     bool
	open    bool
	ttl     TTL
	order   Order
	check   checkLine

	policies *policies // nil if it has none
}

// An entry is numbers and the hosts that they are for.
type entry struct {
	Pos
	numbers [3]uint16
	hosts   []string
}

// stanza reads the words and the block of a mail or service statement, into memory that the next one takes too.
func (r *Reader) stanza(s Statement, f form) stanza {
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
	if st.none != nil {
		st.policies.refuseNone()
		r.refuseCheck(st.check)
	}
	declares := len(st.entries) > 0 || st.none != nil
	if len(st.names) == 0 || !declares && r.errs.count == before {
		r.usage(s, f.usage)
	}
	if !declares || !r.affordable(s.Pos, st.names, st.records()+st.policies.records()) {
		st.names = nil
	}
	return st
}

// records returns how many records the stanza declares of each name in each zone.
func (st *stanza) records() int {
	n := 0
	for i := range st.entries {
		n += len(st.entries[i].hosts)
	}
	if st.srv {
		n *= 2
	}
	return n
}

// eachDeclared calls declare for each declaration that a stanza makes: one with its entries, one that says none.
func eachDeclared[T any](pos Pos, st stanza, entries *perZone[T], declare func(Head, []T, *Check)) {
	r := entries.reader
	st.policies.grow(int(r.made(st.names)))
	r.owners(pos, st.names, func(o owner) {
		st.policies.declare(o, st.ttl)
		if st.srv {
			if _, err := SMTPName(o.name); err != nil {
				r.errs.add(pos, NameInvalid, "srv: %v", err)
			}
		}
		if list := entries.in(o.zone); len(list) > 0 {
			declare(Head{pos, o.name, st.ttl}, list, st.check.check(r, o.zone))
		}
		if st.none != nil {
			declare(Head{*st.none, o.name, st.ttl}, nil, nil)
		}
	})
}

// inBlock reads a statement in the block of a mail or service statement.
func (r *Reader) inBlock(b Statement, f form, st *stanza) {
	word := b.Words[0]
	switch {
	case !r.Usual(&b) || !r.single(b):
	case word == "ttl" && !b.braced:
		r.ownTTL(b, &st.ttl)
	case word == "order" && !b.braced:
		r.ownOrder(b, &st.order)
	case word == checkWord && !b.braced:
		r.check(b, &st.check)
	case f.open && r.flag(b, flag{word: openWord, said: &st.open}):
	case f.lines[word].read != nil:
		r.line(&st.policies, true, b, f.lines[word])
	case (f.keyword(word) || isNumber(word)) && !b.braced:
		r.entries(b.Pos, b.Words, f, st)
	case r.strays(b, append(f.blockWords(), checkWord, "order", "ttl")...):
	case b.braced:
		r.errs.add(b.Pos, Syntax, "%q: a line here has no block: delete the braces", word)
	case f.isEntry(b.Words):
		r.entries(b.Pos, b.Words, f, st)
	default:
		r.errs.add(b.Pos, Syntax, "%q: write %s, %s, check KIND, order ORDER or ttl TTL",
			word, f.entry, strings.Join(f.blockWords(), ", "))
	}
}

// blockWords returns the words that may start a line in the block, beside check, order and ttl.
func (f form) blockWords() []string {
	words := append(slices.Clip(f.keywords), wordsOfLines(f.lines)...)
	if f.open {
		words = append(words, openWord)
	}
	return words
}

// hosts returns how many words there are up to a number or a keyword.
func (f form) hosts(words []string) int {
	n := 0
	for n < len(words) && !isNumber(words[n]) && !f.keyword(words[n]) {
		n++
	}
	return n
}

func (f form) keyword(word string) bool { return slices.Contains(f.keywords, word) }

// isEntry reports whether words may be numbers and hosts, with a mistake in them.
func (f form) isEntry(words []string) bool { return len(words) > len(f.numbers) }

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
		r.errs.add(pos, Syntax, "%q: write %s", words[0], f.entry)
		return nil
	}
	good := true
	for i, what := range f.numbers {
		n, ok := r.parseUint16(pos, what, words[i], 0)
		e.numbers[i], good = n, good && ok
	}
	words = words[len(f.numbers):]
	n := f.hosts(words)
	e.hosts, words = words[:n], words[n:]
	if len(e.hosts) == 0 {
		r.noHost(pos, words, f)
		return nil
	}
	if good {
		st.entries = append(st.entries, e)
	}
	return words
}

// noHost reports numbers without a host; the words are those after them.
func (r *Reader) noHost(pos Pos, words []string, f form) {
	if words[0] == "none" {
		r.errs.add(pos, Syntax, `"none" takes no numbers: write it alone`)
		return
	}
	r.errs.add(pos, Syntax, "%q: no host after the numbers: write %s", words[0], f.entry)
}

// parseUint16 reads a number field that has a least value; what names it in the error.
func (r *Reader) parseUint16(pos Pos, what, word string, least uint64) (uint16, bool) {
	n, err := strconv.ParseUint(word, 10, 16)
	ok := err == nil && n >= least
	if !ok {
		id := Syntax
		if isNumber(word) {
			id = ValueOutOfRange
		}
		r.errs.add(pos, id, "%s %q: write a number from %d to 65535", what, word, least)
	}
	return uint16(n), ok
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
	if p.zone != "" {
		if p.others == nil {
			p.others = make(map[Name][]T)
		}
		p.others[p.zone] = p.last
	}
	made, ok := p.others[zone]
	if !ok {
		made = distinct(p.make(zone), p.compare)
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
			if word == "." {
				p.reader.errs.add(e.Pos, Syntax, `%q is no host: write "none" instead of numbers and hosts`, word)
			} else if host, ok := p.reader.target(e.Pos, word, zone); ok {
				all = append(all, p.of(e, host))
			}
		}
	}
	return all
}
