package answer

import (
	"net"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// SignedAs returns the zones as which the dnssec plugin of a server block signs what is in
// some zones: the names of its signatures.
func SignedAs(config *dnsserver.Config, zones definition.Zones) (signed definition.Zones) {
	s, ok := config.Handler("dnssec").(signer)
	if !ok {
		return nil
	}
	for _, zone := range zones {
		for _, sig := range signatures(s, zone, ServerLabel(config)) {
			signed = append(signed, definition.Name(sig.SignerName))
		}
	}
	return signed
}

// signatures has dnssec sign a record at the apex of a zone, and returns its signatures. That is the only way to see
// which keys dnssec has and which of them sign.
func signatures(s signer, zone definition.Name, server string) (all []*dns.RRSIG) {
	m := new(dns.Msg).SetQuestion(string(zone), dns.TypeA)
	m.Response = true
	m.Answer = []dns.RR{&dns.A{
		Hdr: dns.RR_Header{Name: string(zone), Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4zero,
	}}
	for _, rr := range s.Sign(request.Request{Req: m, Zone: string(zone)}, time.Now(), server).Answer {
		if sig, ok := rr.(*dns.RRSIG); ok {
			all = append(all, sig)
		}
	}
	return all
}

// lenOf returns the octets that the signatures of a record at the apex of a zone have in a message, their owner
// compressed.
func lenOf(signatures []*dns.RRSIG, zone definition.Name) (octets int) {
	for _, sig := range signatures {
		octets += dns.Len(sig) - (len(zone) + 1) + pointerLen
	}
	return octets
}
