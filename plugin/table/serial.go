package table

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

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

// NextSerial returns the serial of a zone that has changed: the time in seconds,
// as serials of that form are understood, or the one after the last if that is
// not later (RFC 1982 §3.2). Last may be 0, for none.
func NextSerial(last uint32, now time.Time) uint32 {
	serial := uint32(now.Unix())
	if last != 0 && !Newer(serial, last) {
		serial = last + 1
	}
	return max(serial, 1) // 0 is no serial to some
}

// RevisionSerial returns the serial of a zone whose definitions are of a revision of
// etcd. It is newer than serials that are times, or dates like 2026123100, as long as
// those are of this half of the century (RFC 1982 §3.2).
func RevisionSerial(revision int64) uint32 {
	const first = 3_000_000_000
	return max(first+uint32(revision), 1)
}

// Newer reports whether serial a is after b (RFC 1982 §3.2).
func Newer(a, b uint32) bool { return int32(a-b) > 0 }
