package change

import (
	"math"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Document is the text of a definitions file, kept as a list of stanzas once it was
// read. What it declares of a few names, and what it declares otherwise after a change,
// is then read without the rest of it.
type Document struct {
	source, text string
	reader       *definition.Reader // of its zones

	clean   bool   // it was read without a mistake: the rest is right
	ttl     uint32 // default TTL of its declarations
	index   stanzaIndex
	counted struct{ offset, line int } // a place, so that lines need not be counted from the start
}

// NewDocument returns a document that is not read yet; source names it in positions, and
// the reader, which many may share, has the zones of relative names in it.
func NewDocument(source, text string, reader *definition.Reader) *Document {
	return &Document{source: source, text: text, reader: reader}
}

// Source returns the name of the document in positions.
func (d *Document) Source() string { return d.source }

// Text returns its text.
func (d *Document) Text() string { return d.text }

// Read reads the whole document, and adds what it declares to a set.
func (d *Document) Read(s *definition.Set) definition.Errors {
	d.index = newStanzaIndex(s.Grow(d.text))
	r, before := d.reader.Into(s), *s
	r.Text(definition.Pos{Source: d.source, Line: 1}, d.text, func(l definition.Statement) {
		made := s.Since(&before)
		d.index.add(uint32(l.Offset), &made)
		before = *s
	})
	_, errs := r.Set()
	d.ttl, d.clean = r.DefaultTTL(), len(errs) == 0 && len(d.text) <= math.MaxUint32
	return errs
}

// Change gives the document another text. It returns the names of which that declares
// something else, and perhaps some more: the owners in all stanzas that have gone or
// come, wherever they stand. It returns false if the whole text must be read to know;
// then the document is of no use any more.
//
// It goes through the words of the whole text, 0.2 s for a million stanzas, but
// interprets only what has come.
func (d *Document) Change(text string) (definition.Names, bool) {
	if !d.clean || len(text) > math.MaxUint32 {
		return nil, false
	}
	d.clean = false
	next := Document{source: d.source, text: text, reader: d.reader, ttl: d.ttl}
	if !next.split(len(d.index.starts)) {
		return nil, false
	}
	names, ok := next.inherit(d)
	if ok {
		next.clean = true
		*d = next
	}
	return names, ok
}

// split finds the stanzas, without the names in them. It returns false if it finds a
// mistake.
func (d *Document) split(about int) bool {
	d.index.starts = make([]stanzaStart, 0, about)
	errs := definition.EachStatement(definition.Pos{Source: d.source, Line: 1}, d.text, func(l definition.Statement) {
		d.index.starts = append(d.index.starts, stanzaStart{offset: uint32(l.Offset)})
	})
	return len(errs) == 0
}

// inherit adds the names to the index of a document that is split: those in stanzas that
// the document before has too are known there. It returns the owners in all stanzas that
// only one of the two has, or false if that is too much.
func (d *Document) inherit(before *Document) (definition.Names, bool) {
	same, gone := d.match(before)
	set, ok := before.readStanzas(gone)
	if !ok {
		return nil, false
	}
	names, index := set.Owners(), newStanzaIndex(len(same))
	for i, n := range same {
		if n >= 0 {
			index.copy(&before.index, int(n), d.index.starts[i].offset)
			continue
		}
		made, ok := d.readStanzas([]int{i})
		if !ok || len(names) > maxNames {
			return nil, false
		}
		index.add(d.index.starts[i].offset, made)
		names.Add(made.Owners())
	}
	d.index = index
	return names, true
}

// match returns for each stanza one of the same text in the document before, or -1 if
// there is none left, and those of the document before that nobody has taken.
func (d *Document) match(before *Document) (same []int32, gone []int) {
	n, m := len(d.index.starts), len(before.index.starts)
	same = make([]int32, n)
	first, last := 0, 0 // how many at the start and at the end stay where they are
	for ; first < min(n, m) && d.stanza(first) == before.stanza(first); first++ {
		same[first] = int32(first)
	}
	for ; last < min(n, m)-first && d.stanza(n-1-last) == before.stanza(m-1-last); last++ {
		same[n-1-last] = int32(m - 1 - last)
	}
	left := make(map[string]int32) // the next stanza with a text, plus 1
	after := make([]int32, m)      // likewise, after this one
	for i := m - last - 1; i >= first; i-- {
		text := before.stanza(i)
		after[i], left[text] = left[text], int32(i+1)
	}
	for i := first; i < n-last; i++ {
		text := d.stanza(i)
		if same[i] = left[text] - 1; same[i] >= 0 {
			left[text] = after[same[i]]
		}
	}
	for _, i := range left {
		for ; i > 0; i = after[i-1] {
			gone = append(gone, int(i-1))
		}
	}
	return same, gone
}

// stanza returns the text of a stanza, and of what follows it up to the next.
func (d *Document) stanza(i int) string {
	return d.text[d.index.starts[i].offset:d.end(i)]
}

// end returns the offset at which a stanza ends.
func (d *Document) end(i int) int {
	if i+1 < len(d.index.starts) {
		return int(d.index.starts[i+1].offset)
	}
	return len(d.text)
}

// readStanzas reads some stanzas, best in ascending order. It returns false if they are
// too many, or mean anything else than the same stanzas within the text.
func (d *Document) readStanzas(stanzas []int) (*definition.Set, bool) {
	set, alone := new(definition.Set), len(stanzas) <= maxFound
	r := d.reader.Into(set)
	r.SetDefaultTTL(d.ttl)
	for _, i := range stanzas {
		owners, text := d.index.at(i+1).owner-d.index.at(i).owner, d.stanza(i)
		bom := strings.HasPrefix(text, "\ufeff") // which is dropped at the start of a text only
		if alone = alone && owners <= maxNames && !bom; !alone {
			return nil, false
		}
		pos := definition.Pos{Source: d.source, Line: d.line(int(d.index.starts[i].offset))}
		r.Text(pos, text, func(l definition.Statement) { alone = alone && l.Words[0] != "ttl" }) // which is about all others
	}
	_, errs := r.Set()
	return set, alone && len(errs) == 0
}

// line returns the line that an offset is in. It is fastest in ascending order.
func (d *Document) line(offset int) int {
	if offset < d.counted.offset || d.counted.line == 0 {
		d.counted.offset, d.counted.line = 0, 1
	}
	d.counted.line += strings.Count(d.text[d.counted.offset:offset], "\n")
	d.counted.offset = offset
	return d.counted.line
}

// maxFound is how many stanzas are read to look for names: a few name each.
const maxFound = 4 * maxNames

// Declaring implements [Store].
func (d *Document) Declaring(names definition.Names) (*definition.Set, bool) {
	set, ok := d.about(names, d.index.owners, func(s stanzaStart) uint32 { return s.owner })
	if !ok {
		return nil, false
	}
	return set.Declaring(names), true
}

// Pointing implements [Store].
func (d *Document) Pointing(at definition.Names) (*definition.Set, bool) {
	set, ok := d.about(at, d.index.targets, func(s stanzaStart) uint32 { return s.target })
	if !ok {
		return nil, false
	}
	return set.Pointing(at), true
}

// about reads the stanzas that have a hash of one of some names.
func (d *Document) about(names definition.Names, hashes []uint32, start func(stanzaStart) uint32) (*definition.Set, bool) {
	if !d.clean {
		return nil, false
	}
	return d.readStanzas(d.index.find(names, hashes, start))
}

// Apexes implements [Store]: only a Corefile declares any.
func (d *Document) Apexes() []definition.Apex { return nil }
