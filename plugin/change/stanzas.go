package change

import (
	"hash/maphash"
	"sort"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A stanzaIndex says where the stanzas of a text are, and which names are in them: by
// hashes, as the names themselves would take more than the text. A search goes
// through all hashes, half a millisecond for a million, and meets the stanzas in
// their order.
type stanzaIndex struct {
	starts  []stanzaStart
	owners  []uint32 // hashes of what is declared, stanza after stanza
	targets []uint32 // hashes of what is pointed to, likewise
}

// A stanzaStart is where a stanza starts: in the text, in owners and in targets.
type stanzaStart struct{ offset, owner, target uint32 }

func newStanzaIndex(stanzas int) stanzaIndex {
	return stanzaIndex{make([]stanzaStart, 0, stanzas), make([]uint32, 0, stanzas), make([]uint32, 0, stanzas)}
}

// add adds a stanza that starts at an offset of the text, and has made a set.
func (x *stanzaIndex) add(offset uint32, made *definition.Set) {
	x.starts = append(x.starts, x.next(offset))
	for i := range made.Hosts {
		x.owners = append(x.owners, hash(made.Hosts[i].Owner))
	}
	var last *definition.Exchange // the owners in a zone share them
	for _, m := range made.Mails {
		x.owners = append(x.owners, hash(m.Owner))
		if len(m.Exchanges) > 0 && &m.Exchanges[0] != last {
			last = &m.Exchanges[0]
			for _, e := range m.Exchanges {
				x.targets = append(x.targets, hash(e.Host))
			}
		}
	}
	var lastTarget *definition.Target
	for _, v := range made.Services {
		x.owners = append(x.owners, hash(v.Owner))
		if len(v.Targets) > 0 && &v.Targets[0] != lastTarget {
			lastTarget = &v.Targets[0]
			for _, target := range v.Targets {
				x.targets = append(x.targets, hash(target.Host))
			}
		}
	}
	for _, a := range made.Aliases {
		x.owners, x.targets = append(x.owners, hash(a.Owner)), append(x.targets, hash(a.Host))
	}
}

// copy adds a stanza of another index at an offset.
func (x *stanzaIndex) copy(from *stanzaIndex, stanza int, offset uint32) {
	first, next := from.at(stanza), from.at(stanza+1)
	x.starts = append(x.starts, x.next(offset))
	x.owners = append(x.owners, from.owners[first.owner:next.owner]...)
	x.targets = append(x.targets, from.targets[first.target:next.target]...)
}

var hashSeed = maphash.MakeSeed()

// hash tells names apart, mostly; what it finds is looked at.
func hash(n definition.Name) uint32 { return uint32(maphash.String(hashSeed, string(n))) }

// at returns where a stanza starts, or would start after the last, without an offset.
func (x *stanzaIndex) at(stanza int) stanzaStart {
	if stanza == len(x.starts) {
		return x.next(0)
	}
	return x.starts[stanza]
}

// next returns the start of a stanza after the last.
func (x *stanzaIndex) next(offset uint32) stanzaStart {
	return stanzaStart{offset, uint32(len(x.owners)), uint32(len(x.targets))}
}

// find returns the stanzas that have a hash of one of some names, in order; start
// says where in hashes those of a stanza start.
func (x *stanzaIndex) find(names definition.Names, hashes []uint32, start func(stanzaStart) uint32) []int {
	wanted := make(map[uint32]bool, len(names))
	var filter [1 << 10]uint64 // of 16 bits of a hash: most need no more
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
		n := sort.Search(len(x.starts), func(k int) bool { return int(start(x.starts[k])) > i }) - 1
		if len(found) == 0 || found[len(found)-1] != n {
			found = append(found, n)
		}
	}
	return found
}
