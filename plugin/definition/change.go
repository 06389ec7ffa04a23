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
		next := t.towards(text)
		names, ok := t.changeOnce(next)
		if !ok {
			return nil, false
		}
		all.Add(names)
		if len(next) == len(text) && next == text {
			return all, true
		}
	}
	return nil, false
}

// towards returns a text between that of t and another one: the other one, or one
// with only the first of the changes if these are far apart. A program may write
// the date on top of each text.
func (t *Text) towards(text string) string {
	const (
		near  = mostChanged / 4 // octets that are read though they have not changed
		mark  = 200             // octets after a change that are looked for
		marks = 50              // lines at which they are taken
	)
	same := commonPrefix(t.text, text)
	end := len(t.text) - commonSuffix(t.text[same:], text[same:])
	if max(end, end+len(text)-len(t.text))-same < near {
		return text
	}
	within := text[same:min(same+near, len(text))]
	for at, n := same, 0; n < marks; n++ {
		line := strings.IndexByte(t.text[at:], '\n')
		if at += line; line < 0 || at+mark > len(t.text) {
			break
		}
		if i := strings.Index(within, t.text[at:at+mark]); i >= 0 {
			return text[:same+i] + t.text[at:]
		}
		at++
	}
	return text
}

// changeOnce is Change for a text that differs in one place.
func (t *Text) changeOnce(text string) (Names, bool) {
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
