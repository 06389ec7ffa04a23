package wire

import (
	"encoding/base64"
	"encoding/binary"
	"net"

	"github.com/miekg/dns"
)

// record writes a record. Its owner is as it says, unless another is given.
func (p *Packer) record(rr dns.RR, owner string) {
	h := rr.Header()
	if owner == "" {
		owner = h.Name
	}
	p.owner(owner)
	p.uint16(h.Rrtype)
	p.uint16(h.Class)
	p.uint32(h.Ttl)
	p.uint16(0)
	start := len(p.buf)
	p.data(rr)
	binary.BigEndian.PutUint16(p.buf[start-2:], uint16(len(p.buf)-start))
}

// data writes the data of a record.
func (p *Packer) data(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.A:
		p.address(rr, rr.A.To4(), net.IPv4len)
	case *dns.AAAA:
		p.address(rr, rr.AAAA, net.IPv6len)
	case *dns.MX:
		p.uint16(rr.Preference)
		p.name(rr.Mx, true)
	case *dns.SRV:
		p.uint16(rr.Priority)
		p.uint16(rr.Weight)
		p.uint16(rr.Port)
		p.name(rr.Target, false)
	case *dns.CNAME:
		p.name(rr.Target, true)
	case *dns.NS:
		p.name(rr.Ns, true)
	case *dns.SOA:
		p.name(rr.Ns, true)
		p.name(rr.Mbox, true)
		for _, n := range [...]uint32{rr.Serial, rr.Refresh, rr.Retry, rr.Expire, rr.Minttl} {
			p.uint32(n)
		}
	case *dns.RRSIG:
		p.signature(rr)
	default:
		p.other(rr)
	}
}

// signature writes the data of a signature, RFC 4034 §3.1: the signer is never compressed.
func (p *Packer) signature(rr *dns.RRSIG) {
	p.uint16(rr.TypeCovered)
	p.buf = append(p.buf, rr.Algorithm, rr.Labels)
	for _, n := range [...]uint32{rr.OrigTtl, rr.Expiration, rr.Inception} {
		p.uint32(n)
	}
	p.uint16(rr.KeyTag)
	p.name(rr.SignerName, false)
	p.text = append(p.text[:0], rr.Signature...)
	buf, err := base64.StdEncoding.AppendDecode(p.buf, p.text)
	if err != nil {
		p.err = err
		return
	}
	p.buf = buf
}

// address writes the octets of an address, if it has as many as it must.
func (p *Packer) address(rr dns.RR, ip net.IP, length int) {
	if len(ip) != length {
		p.other(rr) // which knows what to say of it
		return
	}
	p.buf = append(p.buf, ip...)
}

// other writes the data of a record as miekg/dns packs it.
func (p *Packer) other(rr dns.RR) {
	packed := make([]byte, dns.Len(rr))
	end, err := dns.PackRR(rr, packed, 0, nil, false)
	if err != nil {
		p.err = err
		return
	}
	_, owner, err := dns.UnpackDomainName(packed, 0)
	if err != nil {
		p.err = err
		return
	}
	const fixed = 10 // type, class, TTL and the length of the data
	p.buf = append(p.buf, packed[owner+fixed:end]...)
}

// opt writes the OPT record, RFC 6891 §6.1.2.
func (p *Packer) opt(opt *dns.OPT) {
	if len(opt.Option) > 0 {
		packed := make([]byte, dns.Len(opt))
		end, err := dns.PackRR(opt, packed, 0, nil, false)
		if err != nil {
			p.err = err
			return
		}
		p.buf = append(p.buf, packed[:end]...)
		return
	}
	p.buf = append(p.buf, 0)
	p.uint16(dns.TypeOPT)
	p.uint16(opt.Hdr.Class)
	p.uint32(opt.Hdr.Ttl)
	p.uint16(0)
}
