package definition

import (
	"math"
	"strings"
)

const (
	// mostChanged is how many octets of a text may change in one place for the
	// change to be read alone.
	mostChanged = 1 << 18

	// mostHunks is in how many places. Each takes a copy of the text.
	mostHunks = 8
)

// Change gives t another text. It returns the names of which that declares
// something else, and perhaps some more. It returns false if the whole text must
// be read to know; then t is of no use any more.
func (t *Text) Change(text string) (Names, bool) {
	all := Names{}
	for range mostHunks {
		d := t.difference(text)
		first, apart := t.firstOf(d)
		if apart {
			d = first
		}
		names, ok := t.change(d)
		if !ok {
			return nil, false
		}
		all.Add(names)
		if !apart {
			return all, true
		}
	}
	return nil, false
}

// A difference is where another text is not as a text.
type difference struct {
	text    string // the other one
	from    int    // up to here both are the same,
	was, is int    // and from here to the end: in the one and the other
}

func (t *Text) difference(text string) difference {
	from := commonPrefix(t.text, text)
	same := commonSuffix(t.text[from:], text[from:])
	return difference{text, from, len(t.text) - same, len(text) - same}
}

// firstOf returns the first of several differences that are far apart, if there
// are: a program may write the date on top of each text.
func (t *Text) firstOf(d difference) (first difference, apart bool) {
	const (
		near  = mostChanged / 4 // octets that are read though they have not changed
		mark  = 200             // octets after a difference that are looked for
		marks = 50              // lines at which they are taken
	)
	if max(d.was, d.is)-d.from < near {
		return d, false
	}
	within := d.text[d.from:min(d.from+near, len(d.text))]
	for at, n := d.from, 0; n < marks; n++ {
		line := strings.IndexByte(t.text[at:], '\n')
		if at += line; line < 0 || at+mark > len(t.text) {
			break
		}
		if i := strings.Index(within, t.text[at:at+mark]); i >= 0 {
			is := d.from + i
			return difference{d.text[:is] + t.text[at:], d.from, at, is}, true
		}
		at++
	}
	return d, false
}

// change is Change for a text that differs in one place.
func (t *Text) change(d difference) (Names, bool) {
	if !t.clean || len(d.text) > math.MaxUint32 {
		return nil, false
	}
	t.clean = false
	h := t.hunk(d)
	if max(h.was, h.is)-h.from > mostChanged {
		return nil, false
	}
	line := t.line(h.from)
	was, is, changed := new(Set), new(Set), newLayout(0)
	if !t.readPart(t.reader(was), t.text[h.from:h.was], h.from, line, &layout{}) ||
		!t.readPart(t.reader(is), d.text[h.from:h.is], h.from, line, &changed) {
		return nil, false
	}
	t.layout.replace(h.first, h.last, changed, h.is-h.was)
	t.text, t.counted, t.clean = d.text, counted{h.from, line}, true
	names := was.owners()
	names.Add(is.owners())
	return names, true
}

// A hunk is the part of a text that is replaced by a part of another one. It
// starts with the stanza before the difference, as the "{" of its block may come
// after that, and ends before a stanza with an end of line between it and the
// difference. A block or a quote that is open there is a mistake in the hunk. So
// each of its two parts means alone what it means in its text.
type hunk struct {
	first, last   int // stanzas of the old text: from first to before last
	from, was, is int // where it starts in both, and ends in the old and in the new
}

// hunk returns the part that has the difference in it.
func (t *Text) hunk(d difference) hunk {
	h := hunk{last: len(t.layout.stanzas), was: len(t.text), is: len(d.text)}
	if h.first = t.layout.from(d.from); h.first > 0 {
		h.first--
		h.from = int(t.layout.stanzas[h.first].offset)
	}
	if line := strings.IndexByte(t.text[d.was:], '\n'); line >= 0 {
		h.last = t.layout.from(d.was + line)
	}
	if h.last < len(t.layout.stanzas) {
		h.was = int(t.layout.stanzas[h.last].offset)
		h.is = h.was + d.is - d.was
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
