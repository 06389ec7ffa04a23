package definition

import (
	"hash/maphash"
	"math"
	"slices"
	"sort"
	"strings"
)

// A Text is a text of definitions that is kept once it was read. Then what it
// declares of a few names, and what it declares otherwise after a change, is read
// without the rest of it.
//
// It is for one goroutine.
type Text struct {
	source, text string
	zones        Zones

	clean  bool   // it was read without a mistake: the rest is right
	ttl    uint32 // default of its declarations
	layout layout
}

// NewText returns a text that is not read yet; source names it in positions.
func NewText(source, text string, zones Zones) *Text {
	return &Text{source: source, text: text, zones: zones}
}

// Source returns the name of the text in positions.
func (t *Text) Source() string { return t.source }

// Text returns the text itself.
func (t *Text) Text() string { return t.text }

// Read reads the whole text, and adds what it declares to a set.
func (t *Text) Read(s *Set) Errors {
	before := *s
	t.layout = newLayout(s.grow(t.text))
	r := t.reader(s)
	errs := t.read(r, newScanner(t.source, t.text), &t.layout)
	t.ttl = r.defaultSeconds()
	t.clean = len(errs) == 0 && len(t.text) <= math.MaxUint32
	s.setDefaults(&before, t.ttl)
	return errs
}

// reader returns a reader that adds to a set.
func (t *Text) reader(s *Set) *Reader {
	r := NewReader(t.zones)
	r.set = s
	return r
}

// read reads what s has left, and notes in l where it is.
func (t *Text) read(r *Reader, s *scanner, l *layout) Errors {
	before := len(r.errs.list)
	errs := eachLine(s, func(line Line) {
		before := *r.set
		if !r.Line(line) {
			r.errs.add(line.Pos, Syntax, "%s", Unknown(line))
		}
		l.add(line.offset, &before, r.set)
	})
	return append(errs, r.errs.list[before:]...)
}

// readPart reads a part of the text that starts at an offset, in a line. It
// returns false if that means anything else than the same part within the text.
func (t *Text) readPart(r *Reader, part string, offset, line int, l *layout) bool {
	s := newScanner(t.source, part)
	s.line, s.length = line, offset+len(part)
	before := *r.set
	errs := t.read(r, s, l)
	r.set.setDefaults(&before, t.ttl)
	return len(errs) == 0 && r.ttl == nil
}

// mostChanged is how many octets of a text may change for the change to be read
// alone.
const mostChanged = 1 << 18

// Change gives t another text. It returns the names of which that declares
// something else, and perhaps some more. It returns false if the whole text must
// be read to know; then t is of no use any more.
func (t *Text) Change(text string) (Names, bool) {
	if !t.clean || len(text) > math.MaxUint32 {
		return nil, false
	}
	t.clean = false
	h := t.hunk(text)
	if max(h.was, h.is)-h.from > mostChanged {
		return nil, false
	}
	line := 1 + strings.Count(t.text[:h.from], "\n")
	was, is, changed := new(Set), new(Set), newLayout(0)
	if !t.readPart(t.reader(was), t.text[h.from:h.was], h.from, line, &layout{}) ||
		!t.readPart(t.reader(is), text[h.from:h.is], h.from, line, &changed) {
		return nil, false
	}
	t.layout.replace(h.first, h.last, changed, h.is-h.was)
	t.text, t.clean = text, true
	names := was.owners()
	names.Add(is.owners())
	return names, true
}

// A hunk is the part of a text that is replaced by a part of another one. It
// starts with the stanza before the first difference, as the "{" of its block may
// come after that, and ends before a stanza with an end of line between it and
// the last difference. A block or a quote that is open there is a mistake in the hunk.
// So each of its two parts means alone what it means in its text.
type hunk struct {
	first, last   int // stanzas of the old text: from first to before last
	from, was, is int // where it starts in both, and ends in the old and in the new
}

// hunk finds what is different in another text.
func (t *Text) hunk(text string) hunk {
	same := commonPrefix(t.text, text)
	end := len(t.text) - commonSuffix(t.text[same:], text[same:])
	h := hunk{last: len(t.layout.stanzas), was: len(t.text), is: len(text)}
	if h.first = t.layout.from(same); h.first > 0 {
		h.first--
		h.from = int(t.layout.stanzas[h.first].offset)
	}
	if line := strings.IndexByte(t.text[end:], '\n'); line >= 0 {
		h.last = t.layout.from(end + line)
	}
	if h.last < len(t.layout.stanzas) {
		h.was = int(t.layout.stanzas[h.last].offset)
		h.is = h.was + len(text) - len(t.text)
	}
	return h
}

// commonPrefix returns how many octets two texts start with that are the same.
func commonPrefix(a, b string) int {
	n, step := 0, 1<<12
	for least := min(len(a), len(b)); n < least; {
		to := min(n+step, least)
		switch {
		case a[n:to] == b[n:to]:
			n = to
		case step == 1:
			return n
		default:
			step = 1
		}
	}
	return n
}

// commonSuffix returns how many octets two texts end with that are the same.
func commonSuffix(a, b string) int {
	n, step := 0, 1<<12
	for least := min(len(a), len(b)); n < least; {
		to := min(n+step, least)
		switch {
		case a[len(a)-to:len(a)-n] == b[len(b)-to:len(b)-n]:
			n = to
		case step == 1:
			return n
		default:
			step = 1
		}
	}
	return n
}

// declaring implements Store.
func (t *Text) declaring(names Names) (*Set, bool) {
	s, ok := t.stanzas(names, t.layout.owners, func(p place) uint32 { return p.owner })
	if !ok {
		return nil, false
	}
	return s.declaring(names)
}

// pointing implements Store.
func (t *Text) pointing(at Names) (*Set, bool) {
	s, ok := t.stanzas(at, t.layout.hosts, func(p place) uint32 { return p.host })
	if !ok {
		return nil, false
	}
	return s.pointing(at)
}

func (t *Text) apexes() []Apex { return nil }

// mostFound is how many stanzas are read to look for names: a few name each.
const mostFound = 4 * mostNames

// stanzas reads the stanzas that have a hash of one of some names.
func (t *Text) stanzas(names Names, hashes []uint32, start func(place) uint32) (*Set, bool) {
	if !t.clean {
		return nil, false
	}
	s, l := new(Set), layout{}
	r := t.reader(s)
	line, from := 1, 0
	found := t.layout.find(names, hashes, start)
	if len(found) > mostFound {
		return nil, false
	}
	for _, i := range found {
		first, next := t.layout.at(i), t.layout.at(i+1)
		end := len(t.text)
		if i+1 < len(t.layout.stanzas) {
			end = int(next.offset)
		}
		line += strings.Count(t.text[from:first.offset], "\n")
		from = int(first.offset)
		if next.owner-first.owner > mostNames || !t.readPart(r, t.text[from:end], from, line, &l) {
			return nil, false
		}
	}
	return s, true
}

// A layout says where the stanzas of a text are, and which names are in them: by
// hashes, as the names themselves would take more than the text. A search goes
// through all hashes, half a millisecond for a million, and meets the stanzas in
// their order.
type layout struct {
	stanzas []place
	owners  []uint32 // hashes of what is declared, stanza after stanza
	hosts   []uint32 // hashes of what is pointed to, likewise
}

// A place is where a stanza starts: in the text, in owners and in hosts.
type place struct{ offset, owner, host uint32 }

func newLayout(stanzas int) layout {
	return layout{make([]place, 0, stanzas), make([]uint32, 0, stanzas), make([]uint32, 0, stanzas)}
}

// add adds a stanza, which has made a set of the one before.
func (l *layout) add(offset int, before, s *Set) {
	l.stanzas = append(l.stanzas, place{uint32(offset), uint32(len(l.owners)), uint32(len(l.hosts))})
	for i := range s.Hosts[len(before.Hosts):] {
		l.owners = append(l.owners, hash(s.Hosts[len(before.Hosts)+i].Owner))
	}
	var last *Exchange // the owners in a zone share them
	for _, m := range s.Mails[len(before.Mails):] {
		l.owners = append(l.owners, hash(m.Owner))
		if len(m.Exchanges) > 0 && &m.Exchanges[0] != last {
			last = &m.Exchanges[0]
			for _, e := range m.Exchanges {
				l.hosts = append(l.hosts, hash(e.Host))
			}
		}
	}
	var lastTarget *Target
	for _, v := range s.Services[len(before.Services):] {
		l.owners = append(l.owners, hash(v.Owner))
		if len(v.Targets) > 0 && &v.Targets[0] != lastTarget {
			lastTarget = &v.Targets[0]
			for _, target := range v.Targets {
				l.hosts = append(l.hosts, hash(target.Host))
			}
		}
	}
	for _, a := range s.Aliases[len(before.Aliases):] {
		l.owners, l.hosts = append(l.owners, hash(a.Owner)), append(l.hosts, hash(a.Host))
	}
}

var hashSeed = maphash.MakeSeed()

// hash tells names apart, mostly; what it finds is looked at.
func hash(n Name) uint32 { return uint32(maphash.String(hashSeed, string(n))) }

// at returns the place of a stanza, or of the one after the last, which has no
// offset.
func (l *layout) at(stanza int) place {
	if stanza == len(l.stanzas) {
		return place{0, uint32(len(l.owners)), uint32(len(l.hosts))}
	}
	return l.stanzas[stanza]
}

// from returns the first stanza that starts at an offset or after it.
func (l *layout) from(offset int) int {
	return sort.Search(len(l.stanzas), func(i int) bool { return int(l.stanzas[i].offset) >= offset })
}

// find returns the stanzas that have a hash of one of some names, in order; start
// tells where in hashes those of a stanza start.
func (l *layout) find(names Names, hashes []uint32, start func(place) uint32) []int {
	wanted := make(map[uint32]bool, len(names))
	var filter [1 << 10]uint64 // of the low 16 bits: most hashes need no more
	for name := range names {
		h := hash(name)
		wanted[h] = true
		filter[h>>6&(1<<10-1)] |= 1 << (h & 63)
	}
	var found []int
	for i, h := range hashes {
		if filter[h>>6&(1<<10-1)]&(1<<(h&63)) == 0 || !wanted[h] {
			continue
		}
		n := sort.Search(len(l.stanzas), func(k int) bool { return int(start(l.stanzas[k])) > i }) - 1
		if len(found) == 0 || found[len(found)-1] != n {
			found = append(found, n)
		}
	}
	return found
}

// replace puts other stanzas in the place of some; the text after these has moved
// by some octets.
func (l *layout) replace(first, last int, by layout, moved int) {
	start, end := l.at(first), l.at(last)
	for i := range by.stanzas {
		by.stanzas[i].owner += start.owner
		by.stanzas[i].host += start.host
	}
	owners := uint32(len(by.owners)) - (end.owner - start.owner)
	hosts := uint32(len(by.hosts)) - (end.host - start.host)
	for i := last; i < len(l.stanzas); i++ {
		p := &l.stanzas[i]
		*p = place{p.offset + uint32(moved), p.owner + owners, p.host + hosts}
	}
	l.stanzas = slices.Replace(l.stanzas, first, last, by.stanzas...)
	l.owners = slices.Replace(l.owners, int(start.owner), int(end.owner), by.owners...)
	l.hosts = slices.Replace(l.hosts, int(start.host), int(end.host), by.hosts...)
}
