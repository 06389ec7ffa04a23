package table

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Digest differs if the records of a zone do. It does not depend on the serial, nor on the order of declaration: it is
// the sum of the digests of the records, so that these need not be sorted, and some can be subtracted again.
type Digest [2]uint64

// String returns the digest in hexadecimal; [ParseDigest] reads it.
func (d Digest) String() string { return fmt.Sprintf("%016x%016x", d[0], d[1]) }

// ParseDigest reads what [Digest.String] writes.
func ParseDigest(s string) (Digest, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return Digest{}, errors.New("no digest: write 32 hexadecimal digits")
	}
	return digestOf(b), nil
}

// digestOf returns the digest that the first 16 octets are.
func digestOf(b []byte) Digest {
	return Digest{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (d Digest) plus(e Digest) Digest  { return Digest{d[0] + e[0], d[1] + e[1]} }
func (d Digest) minus(e Digest) Digest { return Digest{d[0] - e[0], d[1] - e[1]} }

// sumOf adds up the records of RRsets.
func sumOf(rrsets [][]dns.RR) (d Digest) {
	packed := make([]byte, 512) // room for most
	var m dns.Msg               // PackRR would write to the record, which is shared
	for _, rrset := range rrsets {
		for i, rr := range rrset {
			m.Answer = rrset[i : i+1]
			if rr.Header().Rrtype == dns.TypeSOA {
				m.Answer = withSerial(m.Answer, 0)
			}
			octets, err := m.PackBuffer(packed)
			if err != nil { // no reader makes such a name
				octets = []byte(m.Answer[0].String())
			}
			sum := sha256.Sum256(octets)
			d = d.plus(digestOf(sum[:]))
		}
	}
	return d
}

// sums adds up the records of each authoritative zone.
func (t *Table) sums() map[definition.Name]Digest {
	sums := make(map[definition.Name]Digest, len(t.authoritative))
	for zone := range t.authoritative {
		add := func(name definition.Name) {
			sums[zone] = sums[zone].plus(sumOf(t.rrsetsIn(zone, name, t.rrsets(name))))
		}
		z := &t.byZone[t.numbers[zone]]
		for i := z.first; i < z.end; i++ {
			add(t.nameOf(&t.nodes[i]))
		}
		for name := range t.delegations[zone] {
			add(name)
		}
	}
	return sums
}

// sumsAfter returns the sums after a change of names, which small has compiled anew. An address may be in several
// zones, as glue.
func (t *Table) sumsAfter(small *Table, names definition.Names) map[definition.Name]Digest {
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
