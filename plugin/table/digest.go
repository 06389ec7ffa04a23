package table

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Digest differs if the records of a zone do. It does not depend on the serial, nor on the order of declaration.
type Digest [16]byte

// String returns the digest in hexadecimal; [ParseDigest] reads it.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what [Digest.String] writes.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return d, errors.New("no digest: write 32 hexadecimal digits")
	}
	return Digest(b), nil
}

// A sum is that of the digests of records: these need not be sorted then, and some can be taken off again.
type sum struct{ high, low uint64 }

func (s sum) digest() (d Digest) {
	binary.BigEndian.PutUint64(d[:8], s.high)
	binary.BigEndian.PutUint64(d[8:], s.low)
	return d
}

func (s sum) plus(other sum) sum  { return sum{s.high + other.high, s.low + other.low} }
func (s sum) minus(other sum) sum { return sum{s.high - other.high, s.low - other.low} }

// sumOf adds up the records of RRsets.
func sumOf(rrsets [][]dns.RR) (s sum) {
	for _, rrset := range rrsets {
		for _, rr := range rrset {
			d := sha256.Sum256([]byte(withoutSerial(rr).String()))
			s.high += binary.BigEndian.Uint64(d[:8])
			s.low += binary.BigEndian.Uint64(d[8:])
		}
	}
	return s
}

// sums adds up the records of each authoritative zone.
func (t *Table) sums() map[definition.Name]sum {
	sums := make(map[definition.Name]sum, len(t.authoritative))
	for zone := range t.authoritative {
		z := &t.byZone[t.numbers[zone]]
		s := sum{}
		for i := z.first; i < z.end; i++ {
			name := t.nameOf(&t.nodes[i])
			s = s.plus(sumOf(t.rrsetsIn(zone, name, t.rrsets(name))))
		}
		for name := range t.delegations[zone] {
			s = s.plus(sumOf(t.rrsetsIn(zone, name, t.rrsets(name))))
		}
		sums[zone] = s
	}
	return sums
}

// sumsAfter returns the sums after a change of names, which small has compiled anew. An address may be in several
// zones, as glue.
func (t *Table) sumsAfter(small *Table, names definition.Names) map[definition.Name]sum {
	sums := maps.Clone(t.contents)
	for name := range names {
		before, after := t.rrsets(name), small.rrsets(name)
		if slices.EqualFunc(before, after, same) {
			continue
		}
		for zone := t.zones.Of(name); zone != ""; zone = t.zoneAbove(zone) {
			if t.authoritative[zone] {
				gone, come := sumOf(t.rrsetsIn(zone, name, before)), sumOf(t.rrsetsIn(zone, name, after))
				sums[zone] = sums[zone].minus(gone).plus(come)
			}
		}
	}
	return sums
}

// same reports whether RRsets differ in nothing but serials. Names that point to a changed host mostly have the
// records that they had, and comparing is cheaper than adding up digests.
func same(a, b []dns.RR) bool {
	return slices.EqualFunc(a, b, func(a, b dns.RR) bool {
		return a.Header().Ttl == b.Header().Ttl && dns.IsDuplicate(withoutSerial(a), withoutSerial(b))
	})
}

func withoutSerial(rr dns.RR) dns.RR {
	if _, ok := rr.(*dns.SOA); !ok {
		return rr
	}
	return withSerial([]dns.RR{rr}, 0)[0]
}
