package table

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Digest tells the contents of a zone apart. It does not depend on the serial,
// nor on the order of declaration.
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

// A sum is that of the digests of records: then they need not be sorted, and some
// can be taken off again.
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

// sums adds up the records of each zone that is served whole, but for what it
// delegates.
func (t *Table) sums() map[definition.Name]sum {
	sums := make(map[definition.Name]sum, len(t.whole))
	if len(t.whole) == 0 {
		return sums // and do not look at what may be a million names
	}
	for i := range t.nodes {
		name := t.nameOf(&t.nodes[i])
		if zone := t.zones.Of(name); t.nodes[i].count > 0 && t.whole[zone] {
			sums[zone] = sums[zone].plus(sumOf(t.rrsets(name)))
		}
	}
	return sums
}

// delegations adds up what each zone delegates: that is transferred with it.
func (t *Table) delegations() map[definition.Name]sum {
	sums := make(map[definition.Name]sum)
	for zone, cuts := range t.cuts() {
		if !t.whole[zone] {
			continue
		}
		names, glue := t.delegated(zone, cuts)
		for _, name := range names {
			sums[zone] = sums[zone].plus(sumOf(t.zoneData(zone, name, glue)))
		}
	}
	return sums
}

func withoutSerial(rr dns.RR) dns.RR {
	soa, ok := rr.(*dns.SOA)
	if !ok {
		return rr
	}
	c := *soa
	c.Serial = 0
	return &c
}
