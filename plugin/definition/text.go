package definition

import (
	"math"
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
	zoneSet      ZoneSet // of zones, or nil

	clean   bool   // it was read without a mistake: the rest is right
	ttl     uint32 // default of its declarations
	layout  layout
	counted counted
}

// counted is in which line an offset is: to count from the start of a large text
// takes a millisecond.
type counted struct{ offset, line int }

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
	if t.zoneSet == nil {
		t.zoneSet = t.zones.Set()
	}
	return &Reader{zones: t.zones, zoneSet: t.zoneSet, set: s}
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

// line returns the line that an offset is in. It is fastest in ascending order.
func (t *Text) line(offset int) int {
	if offset < t.counted.offset || t.counted.line == 0 {
		t.counted = counted{0, 1}
	}
	lines := strings.Count(t.text[t.counted.offset:offset], "\n")
	t.counted = counted{offset, t.counted.line + lines}
	return t.counted.line
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
		from := int(first.offset)
		if next.owner-first.owner > mostNames || !t.readPart(r, t.text[from:end], from, t.line(from), &l) {
			return nil, false
		}
	}
	return s, true
}
