package table

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

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

// sumOf adds up the records of RRsets. Files of serials have digests of other versions, so it is of their texts.
func sumOf(rrsets [][]dns.RR) (d Digest) {
	var text []byte
	for _, rrset := range rrsets {
		for _, rr := range rrset {
			text = appendText(text[:0], withoutSerial(rr))
			sum := sha256.Sum256(text)
			d = d.plus(digestOf(sum[:]))
		}
	}
	return d
}

// appendText appends what String returns of a record. For the usual types that takes a third of the time.
func appendText(b []byte, rr dns.RR) []byte {
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ := netip.AddrFromSlice(rr.A)
		return addr.AppendTo(appendHeader(b, &rr.Hdr))
	case *dns.AAAA:
		addr, _ := netip.AddrFromSlice(rr.AAAA)
		return addr.AppendTo(appendHeader(b, &rr.Hdr))
	case *dns.MX:
		return append(appendNumbers(appendHeader(b, &rr.Hdr), rr.Preference), rr.Mx...)
	case *dns.SRV:
		return append(appendNumbers(appendHeader(b, &rr.Hdr), rr.Priority, rr.Weight, rr.Port), rr.Target...)
	case *dns.CNAME:
		return append(appendHeader(b, &rr.Hdr), rr.Target...)
	}
	return append(b, rr.String()...)
}

func appendHeader(b []byte, h *dns.RR_Header) []byte {
	b = append(append(b, h.Name...), '\t')
	b = strconv.AppendUint(b, uint64(h.Ttl), 10)
	return append(append(append(b, "\tIN\t"...), dns.TypeToString[h.Rrtype]...), '\t')
}

func appendNumbers(b []byte, numbers ...uint16) []byte {
	for _, n := range numbers {
		b = append(strconv.AppendUint(b, uint64(n), 10), ' ')
	}
	return b
}

// sums adds up the records of each authoritative zone.
func (t *Table) sums() map[definition.Name]Digest {
	sums := make(map[definition.Name]Digest, len(t.authoritative))
	for zone := range t.authoritative {
		s := summer{Table: t, zone: zone, tails: make(map[uint32][]string)}
		z := &t.byZone[t.numbers[zone]]
		for i := z.first; i < z.end; i++ {
			s.addNode(&t.nodes[i])
		}
		for name := range t.delegations[zone] {
			s.sum = s.sum.plus(sumOf(t.rrsetsIn(zone, name, t.rrsets(name))))
		}
		sums[zone] = s.sum
	}
	return sums
}

// A summer adds up the records of a zone in a table that has no patches. It does what sumOf does of what rrsetsIn
// returns, with no memory for each name, and makes the text of records that names share once.
type summer struct {
	*Table
	zone  definition.Name
	sum   Digest
	text  []byte
	tails map[uint32][]string // by answer: the texts of the records without their owners
}

func (s *summer) addNode(n *node) {
	owner := s.textOf(n)
	if s.zoneNumber(owner) != s.numbers[s.zone] {
		return // in a table with one zone
	}
	entries := s.entriesOf(n)
	if i := slices.IndexFunc(entries, func(e entry) bool { return e.qtype == dns.TypeCNAME }); i >= 0 {
		entries = entries[i : i+1] // the others are RRsets of its host
	}
	for _, e := range entries {
		switch {
		case e.qtype == dns.TypeDS && string(owner) == string(s.zone): // of the zone above
		case e.qtype == dns.TypeSOA:
			s.addRecords(s.soas[s.answers[e.answer].zone])
		case e.shared:
			s.addShared(owner, e.answer)
		default:
			s.addRecords(s.records(s.answers[e.answer].rrs))
		}
	}
}

func (s *summer) addRecords(rrs []dns.RR) {
	for _, rr := range rrs {
		s.text = appendText(s.text[:0], withoutSerial(rr))
		s.add()
	}
}

func (s *summer) addShared(owner []byte, answer uint32) {
	tails, ok := s.tails[answer]
	if !ok {
		for _, rr := range s.records(s.answers[answer].rrs) {
			tails = append(tails, string(appendText(nil, rr)[len("."):]))
		}
		s.tails[answer] = tails
	}
	for _, tail := range tails {
		s.text = append(append(s.text[:0], owner...), tail...)
		s.add()
	}
}

// add adds the text.
func (s *summer) add() {
	sum := sha256.Sum256(s.text)
	s.sum = s.sum.plus(digestOf(sum[:]))
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
