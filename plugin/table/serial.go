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

// digests returns the digest of all that is transferred of each zone that is
// served whole.
func (t *Table) digests() map[definition.Name]Digest {
	if len(t.whole) == 0 {
		return nil // and do not look at what may be a million names
	}
	sums := make(map[definition.Name]sum, len(t.whole))
	add := func(zone definition.Name, rrsets [][]dns.RR) {
		s := sums[zone]
		s.add(rrsets)
		sums[zone] = s
	}
	for name, i := range t.names {
		if zone := t.zones.Of(name); len(t.held(i)) > 0 && t.whole[zone] {
			add(zone, t.rrsets(name))
		}
	}
	for zone, cuts := range t.cuts() {
		if !t.whole[zone] {
			continue
		}
		names, glue := t.delegated(zone, cuts)
		for _, name := range names {
			add(zone, t.zoneData(zone, name, glue))
		}
	}
	digests := make(map[definition.Name]Digest, len(sums))
	for zone, s := range sums {
		digests[zone] = s.digest()
	}
	return digests
}

// A sum adds up the digests of records: then they need not be sorted.
type sum struct{ high, low uint64 }

func (s *sum) add(rrsets [][]dns.RR) {
	for _, rrset := range rrsets {
		for _, rr := range rrset {
			d := sha256.Sum256([]byte(withoutSerial(rr).String()))
			s.high += binary.BigEndian.Uint64(d[:8])
			s.low += binary.BigEndian.Uint64(d[8:])
		}
	}
}

func (s *sum) digest() (d Digest) {
	binary.BigEndian.PutUint64(d[:8], s.high)
	binary.BigEndian.PutUint64(d[8:], s.low)
	return d
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

// Newer reports whether serial a is after b (RFC 1982 §3.2).
func Newer(a, b uint32) bool { return int32(a-b) > 0 }
