package change

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// match compares a document with the one before, stanza by stanza, wherever they stand.
// For each it returns one of the same text there, each taken once, or -1; and those of the
// document before that are removed, or more than maxFound of them.
func (d *Document) match(before *Document) (same []int32, removed []int) {
	n, m := len(d.index.offsets), len(before.index.offsets)
	same = make([]int32, n)
	first, last := 0, 0 // how many at the start and at the end stay where they are
	for ; first < min(n, m) && d.stanza(first) == before.stanza(first); first++ {
		same[first] = int32(first)
	}
	for ; last < min(n, m)-first && d.stanza(n-1-last) == before.stanza(m-1-last); last++ {
		same[n-1-last] = int32(m - 1 - last)
	}
	between := newStanzaTable(before, first, m-last)
	for i := first; i < n-last; i++ {
		same[i] = between.take(d.stanza(i))
	}
	return same, between.left()
}

// A stanzaTable finds some stanzas of a document by their texts. It takes 8 to 12 octets
// for each; a map takes a hundred.
type stanzaTable struct {
	document *Document
	first    int     // the first of these stanzas
	heads    []int32 // by the hash of a text: the first stanza with it, plus 1
	next     []int32 // after each stanza: the next one of the same head, likewise
}

func newStanzaTable(d *Document, first, end int) *stanzaTable {
	t := &stanzaTable{d, first, make([]int32, 1<<bits.Len(uint(end-first))), make([]int32, end-first)}
	for i := end - 1; i >= first; i-- {
		head := t.head(d.stanza(i))
		t.next[i-first], *head = *head, int32(i+1)
	}
	return t
}

func (t *stanzaTable) head(text string) *int32 {
	return &t.heads[maphash.String(hashSeed, text)&uint64(len(t.heads)-1)]
}

// take takes out the first stanza with a text, and returns it, or -1.
func (t *stanzaTable) take(text string) int32 {
	for link := t.head(text); *link > 0; {
		i, next := *link-1, &t.next[int(*link)-1-t.first]
		if t.document.stanza(int(i)) == text {
			*link = *next
			return i
		}
		link = next
	}
	return -1
}

// left returns the stanzas that were not taken, in order, or more than maxFound.
func (t *stanzaTable) left() []int {
	var left []int
	for _, head := range t.heads {
		for ; head > 0 && len(left) <= maxFound; head = t.next[int(head)-1-t.first] {
			left = append(left, int(head-1))
		}
	}
	slices.Sort(left)
	return left
}
