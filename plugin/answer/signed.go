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
// some zones: the names of its signatures. It has a record of each signed.
func SignedAs(config *dnsserver.Config, zones definition.Zones) (signed definition.Zones) {
	s, ok := config.Handler("dnssec").(signer)
	if !ok {
		return nil
	}
	for _, zone := range zones {
		m := new(dns.Msg).SetQuestion(string(zone), dns.TypeA)
		m.Response = true
		m.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: string(zone), Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4zero,
		}}
		for _, rr := range s.Sign(request.Request{Req: m, Zone: string(zone)}, time.Now(), ServerLabel(config)).Answer {
			if sig, ok := rr.(*dns.RRSIG); ok {
				signed = append(signed, definition.Name(sig.SignerName))
			}
		}
	}
	return signed
}
