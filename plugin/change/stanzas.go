package change

import (
	"hash/maphash"
	"sort"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A stanzaIndex says where the stanzas of a text are, and which names are in them: by
// hashes, as the names themselves would take more than the text.
type stanzaIndex struct {
	offsets         []uint32 // where each stanza starts in the text
	owners, targets nameColumn
	cuts            definition.Names // names with NS records, and some that had
}

func newStanzaIndex(stanzas int) stanzaIndex {
	return stanzaIndex{make([]uint32, 0, stanzas), newNameColumn(stanzas), newNameColumn(stanzas), definition.Names{}}
}

// add adds what a stanza has made to the columns.
func (x *stanzaIndex) add(made *definition.Set) {
	addCuts(x.cuts, made)
	x.owners.next()
	for name := range made.EachOwner {
		x.owners.add(name)
	}
	x.targets.next()
	for name := range made.EachTarget {
		x.targets.add(name)
	}
}

// copy adds what a stanza of another index has in the columns.
func (x *stanzaIndex) copy(from *stanzaIndex, stanza int) {
	x.owners.copy(&from.owners, stanza)
	x.targets.copy(&from.targets, stanza)
}

// A nameColumn has hashes of names, stanza after stanza. A search goes through all of
// them, half a millisecond for a million, and meets the stanzas in their order.
type nameColumn struct {
	starts []uint32 // where those of each stanza start
	hashes []uint32
}

func newNameColumn(stanzas int) nameColumn {
	return nameColumn{make([]uint32, 0, stanzas), make([]uint32, 0, stanzas)}
}

// next starts the next stanza.
func (c *nameColumn) next() { c.starts = append(c.starts, uint32(len(c.hashes))) }

// add adds a name to the last stanza.
func (c *nameColumn) add(n definition.Name) { c.hashes = append(c.hashes, hash(n)) }

// copy adds a stanza of another column.
func (c *nameColumn) copy(from *nameColumn, stanza int) {
	c.next()
	c.hashes = append(c.hashes, from.of(stanza)...)
}

// of returns the hashes of a stanza.
func (c *nameColumn) of(stanza int) []uint32 {
	end := uint32(len(c.hashes))
	if stanza+1 < len(c.starts) {
		end = c.starts[stanza+1]
	}
	return c.hashes[c.starts[stanza]:end]
}

// find returns the stanzas that have a hash of one of some names, in order.
func (c *nameColumn) find(names definition.Names) []int {
	wanted := make(map[uint32]bool, len(names))
	var filter [1 << 10]uint64 // of 16 bits of a hash: most need no more
	for name := range names {
		h := hash(name)
		wanted[h] = true
		filter[h>>6&(1<<10-1)] |= 1 << (h & 63)
	}
	var found []int
	for i, h := range c.hashes {
		if filter[h>>6&(1<<10-1)]&(1<<(h&63)) == 0 || !wanted[h] {
			continue
		}
		n := sort.Search(len(c.starts), func(k int) bool { return int(c.starts[k]) > i }) - 1
		if len(found) == 0 || found[len(found)-1] != n {
			found = append(found, n)
		}
	}
	return found
}

var hashSeed = maphash.MakeSeed()

// hash may be the same for different names: what is found by it must be compared.
func hash(n definition.Name) uint32 { return uint32(maphash.String(hashSeed, string(n))) }
