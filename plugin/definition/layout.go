package definition

import (
	"hash/maphash"
	"slices"
	"sort"
)

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
