package main

import (
	"crypto"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Answers are signed by the dnssec plugin for CoreDNS peers, for each answer,
// and with the same key in the zone for servers that are given signed zones.

const keyFile = "Kexample.org" // .key and .private

type signer struct {
	key     *dns.DNSKEY
	private crypto.Signer
}

func newSigner() (*signer, error) {
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: ttl},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	private, err := key.Generate(256)
	if err != nil {
		return nil, err
	}
	return &signer{key, private.(crypto.Signer)}, nil
}

// fillKey writes the key as BIND keeps it.
func fillKey(s site) error {
	sg, err := newSigner()
	if err != nil {
		return err
	}
	if err := fillText(s.dir, keyFile+".key", sg.key.String()+"\n"); err != nil {
		return err
	}
	return fillText(s.dir, keyFile+".private", sg.key.PrivateKeyString(sg.private))
}

// fillSigned writes a small zone with signatures and a chain of NSEC.
func fillSigned(s site, r records) error {
	sg, err := newSigner()
	if err != nil {
		return err
	}
	sets, err := sg.signed(r)
	if err != nil {
		return err
	}
	return s.fill(zoneFileName, func(w io.Writer) {
		for _, rr := range slices.Concat(sets...) {
			fmt.Fprintln(w, rr)
		}
	})
}

// signed returns the RRsets of a zone, the signature after each.
func (sg *signer) signed(r records) ([][]dns.RR, error) {
	var text strings.Builder
	r.zoneFile(&text)
	all := []dns.RR{sg.key}
	for p := dns.NewZoneParser(strings.NewReader(text.String()), "", ""); ; {
		rr, ok := p.Next()
		if !ok {
			if p.Err() != nil {
				return nil, p.Err()
			}
			break
		}
		all = append(all, rr)
	}
	sets := rrsets(append(all, chain(all)...))
	for i, set := range sets {
		signature, err := sg.sign(set)
		if err != nil {
			return nil, err
		}
		sets[i] = append(set, signature)
	}
	return sets, nil
}

func (sg *signer) sign(set []dns.RR) (*dns.RRSIG, error) {
	now := time.Now()
	signature := &dns.RRSIG{Algorithm: sg.key.Algorithm, KeyTag: sg.key.KeyTag(), SignerName: zone,
		Inception: uint32(now.Add(-time.Hour).Unix()), Expiration: uint32(now.AddDate(0, 0, 7).Unix())}
	signature.Hdr.Ttl = set[0].Header().Ttl
	return signature, signature.Sign(sg.private, set)
}

// rrsets brings records of one owner and type together, SOA first.
func rrsets(rrs []dns.RR) [][]dns.RR {
	var sets [][]dns.RR
	for _, rr := range rrs {
		i := slices.IndexFunc(sets, func(set []dns.RR) bool {
			a, b := set[0].Header(), rr.Header()
			return a.Name == b.Name && a.Rrtype == b.Rrtype
		})
		if i < 0 {
			sets = append(sets, []dns.RR{rr})
		} else {
			sets[i] = append(sets[i], rr)
		}
	}
	slices.SortStableFunc(sets, func(a, b []dns.RR) int { return rank(a[0]) - rank(b[0]) })
	return sets
}

func rank(rr dns.RR) int {
	if rr.Header().Rrtype == dns.TypeSOA {
		return 0
	}
	return 1
}

// chain returns the NSEC records of owners, in the order of RFC 4034 §6.1.
func chain(rrs []dns.RR) []dns.RR {
	types := map[string][]uint16{}
	for _, rr := range rrs {
		types[rr.Header().Name] = append(types[rr.Header().Name], rr.Header().Rrtype)
	}
	var owners []string
	for owner, t := range types {
		owners = append(owners, owner)
		t = append(t, dns.TypeRRSIG, dns.TypeNSEC)
		slices.Sort(t)
		types[owner] = slices.Compact(t)
	}
	slices.SortFunc(owners, canonically)
	var all []dns.RR
	for i, owner := range owners {
		all = append(all, &dns.NSEC{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 60},
			NextDomain: owners[(i+1)%len(owners)], TypeBitMap: types[owner]})
	}
	return all
}

func canonically(a, b string) int {
	x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y)
}
