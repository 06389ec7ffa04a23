package answer

import (
	"context"
	"slices"
	"time"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// The dnssec plugin proves a denial by a NSEC record that lists a fixed set of
// types. Below the top of a zone MX and CNAME are not among them, so a resolver
// that answers from cached denials (RFC 8198) believes that a sub-domain has no MX. What
// it does not touch is a denial that has more than a SOA. So our denials, and those of
// the next plugin for names that exist, get a NSEC record of ours, which dnssec signs on request.

// prove adds a NSEC record to a denial, and signatures, if the client wants
// them and dnssec signs the zone.
func (m *Responder) prove(ctx context.Context, r, res *dns.Msg, t *table.Table) {
	if !m.chain.signs(r) || len(res.Ns) != 1 || res.Ns[0].Header().Rrtype != dns.TypeSOA {
		return
	}
	q := r.Question[0]
	name := canonical(q.Name)
	if n := len(res.Answer); n > 0 { // it is the host of an alias that is denied
		name = canonical(res.Answer[n-1].(*dns.CNAME).Target)
	}
	zone := res.Ns[0].Header().Name
	owner := name
	if name != zone && q.Qtype == dns.TypeDS && t.IsApex(name) {
		owner = asParent(name)
	}
	denial := nsec(name, res.Ns[0].Header().Ttl, types(t, name, q.Qtype, zone, res.Rcode, m.Next == nil))
	denial.Hdr.Name = owner
	unsigned := []dns.RR{res.Ns[0], denial}
	signed := m.sign(ctx, q, zone, slices.Clone(unsigned))
	if len(signed) == len(unsigned) {
		return // it does not sign this zone
	}
	res.Rcode = dns.RcodeSuccess // RFC 9824 §3: NXNAME says that the name does not exist
	if len(res.Answer) > 0 {
		res.Ns = unsigned // dnssec signs both, as this is no mere denial
		return
	}
	if q.Qtype == dns.TypeNSEC {
		res.Answer, res.Ns = []dns.RR{denial}, nil
		return
	}
	res.Ns = signed
}

// types returns the types that a NSEC record lists, sorted. A next plugin may
// have more records of a name than we do. NSEC and RRSIG are always among them
// (RFC 4035 §2.3), also where RRSIG was asked for.
func types(t *table.Table, name string, qtype uint16, zone string, rcode int, last bool) []uint16 {
	types := []uint16{dns.TypeRRSIG, dns.TypeNSEC}
	switch {
	case rcode == dns.RcodeNameError:
		types = append(types, dns.TypeNXNAME)
	case qtype == dns.TypeDS && name != zone && t.IsApex(name): // where the zone delegates
		types = append(types, dns.TypeNS)
	default:
		types = append(types, typesOf(t, name)...)
		if !last && !t.Authoritative(name) {
			types = append(types, common...)
		}
		if name == zone {
			types = append(types, dns.TypeNS, dns.TypeSOA, dns.TypeDNSKEY)
		}
	}
	slices.Sort(types)
	return slices.DeleteFunc(slices.Compact(types), func(t uint16) bool {
		return t == qtype && t != dns.TypeNSEC && t != dns.TypeRRSIG
	})
}

// typesOf returns the types that a zone has of a name: at a delegation no addresses, and at the apex no DS, which the zone
// above has.
func typesOf(t *table.Table, name string) []uint16 {
	isCut, isApex := t.Cut(name) == name, t.IsApex(name)
	return slices.DeleteFunc(t.Types(t.Source(name)), func(t uint16) bool {
		return isCut && t != dns.TypeNS && t != dns.TypeDS || isApex && t == dns.TypeDS
	})
}

// common are the types that a next plugin may have of a name that we have records of too:
// to list one too many costs a query, to leave one out hides it.
var common = []uint16{
	dns.TypeA, dns.TypePTR, dns.TypeHINFO, dns.TypeMX, dns.TypeTXT, dns.TypeAAAA, dns.TypeLOC, dns.TypeSRV,
	dns.TypeNAPTR, dns.TypeCERT, dns.TypeSSHFP, dns.TypeTLSA, dns.TypeSMIMEA, dns.TypeHIP, dns.TypeOPENPGPKEY,
	dns.TypeSVCB, dns.TypeHTTPS, dns.TypeSPF, dns.TypeURI, dns.TypeCAA,
}

// nsec returns the NSEC record of a name that reaches up to the next name that
// there could be, and so denies no other (RFC 4470 §3, RFC 9824 §3.1).
func nsec(name string, ttl uint32, types []uint16) *dns.NSEC {
	return &dns.NSEC{
		Hdr:        dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: ttl},
		NextDomain: successor(name),
		TypeBitMap: types,
	}
}

// successor returns the name after name in canonical order. Where that would be
// too long it is one that only names which are too long come before. A name that
// somebody asks for may have any octets, so this is done with those.
func successor(name string) string {
	const maxName, maxLabel = 255, 63
	if name == "." {
		return `\000.`
	}
	wire := make([]byte, maxName)
	length, err := dns.PackDomainName(name, wire, 0, nil, false)
	if err != nil || length+2 <= maxName {
		return `\000.` + name
	}
	label := int(wire[0]) // which is where it ends, too
	if length+1 <= maxName && label < maxLabel {
		wire = slices.Insert(wire[:length], label+1, 0)
		wire[0]++
	} else {
		wire = increment(wire[:length])
	}
	next, _, _ := dns.UnpackDomainName(wire, 0)
	return next
}

// increment makes the last octet of the first label of a name one more. Those
// that are at their end are dropped, and so is a label of them.
func increment(wire []byte) []byte {
	for last := wire[0]; last > 0; last = wire[0] {
		if wire[last] < 0xff {
			wire[last]++
			break
		}
		wire = slices.Delete(wire, int(last), int(last)+1)
		if wire[0]--; wire[0] == 0 {
			wire = wire[1:]
		}
	}
	return wire
}

// sign returns the records of RRsets and their signatures.
func (m *Responder) sign(ctx context.Context, q dns.Question, zone string, rrs []dns.RR) []dns.RR {
	msg := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true}, Question: []dns.Question{q}, Answer: rrs}
	return m.chain.signer.Sign(request.Request{Req: msg, Zone: zone}, time.Now().UTC(), metrics.WithServer(ctx)).Answer
}
