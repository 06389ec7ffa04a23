package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// isOfSigner has the types of records that whoever signs a zone makes: signatures, denials, keys, what these say to the
// parent, and digests of all.
var isOfSigner = map[uint16]bool{
	dns.TypeCDNSKEY: true, dns.TypeCDS: true, dns.TypeDNSKEY: true, dns.TypeNSEC: true, dns.TypeNSEC3: true,
	dns.TypeNSEC3PARAM: true, dns.TypeNXT: true, dns.TypeRRSIG: true, dns.TypeSIG: true, dns.TypeZONEMD: true,
}

// drop counts a record that a signer makes.
func (im *importer) drop(l Line, rrtype uint16) {
	if len(im.dropped) == 0 {
		im.firstDropped = l
	}
	im.dropped[rrtype]++
}

// listDropped lists all records that a signer makes at the first of them.
func (im *importer) listDropped() {
	if len(im.dropped) == 0 {
		return
	}
	total, words := 0, []string(nil)
	for _, rrtype := range slices.Sorted(maps.Keys(im.dropped)) {
		total += im.dropped[rrtype]
		words = append(words, fmt.Sprintf("%d %s", im.dropped[rrtype], dns.Type(rrtype)))
	}
	im.skip(im.firstDropped, "who signs the zone makes these records: %d dropped: %s", total, strings.Join(words, ", "))
}
