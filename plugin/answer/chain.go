package answer

import (
	"net"
	"slices"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// chain is what must be known of the other plugins in the server block.
type chain struct {
	cached    bool // cache keeps our messages
	signature int  // octets by which dnssec makes an RRset of ours longer; 0: it does not sign
	signer    signer
}

// signer is the dnssec plugin.
type signer interface {
	Sign(state request.Request, now time.Time, server string) *dns.Msg
}

// Inspect looks at the other plugins of the block, and returns their names, sorted.
// They are known once CoreDNS has made its servers, before they start.
func (m *Responder) Inspect(config *dnsserver.Config, zones definition.Zones) (names []string) {
	m.chain = chain{}
	for _, h := range config.Handlers() {
		names = append(names, h.Name())
		if s, ok := h.(signer); ok {
			m.signer = s
			m.signature = signatureLen(s, zones, ServerLabel(config))
		}
	}
	slices.Sort(names)
	m.cached = slices.Contains(names, "cache")
	return names
}

// ServerLabel is the server as it stands in metrics, which Sign counts in.
func ServerLabel(config *dnsserver.Config) string {
	host := ""
	if len(config.ListenHosts) > 0 {
		host = config.ListenHosts[0]
	}
	return config.Transport + "://" + net.JoinHostPort(host, config.Port)
}

// signatureLen has a record signed and returns the octets of its signatures in
// a message, their owner compressed. That is the only way to learn which keys
// dnssec has and which of them sign.
func signatureLen(s signer, zones definition.Zones, server string) int {
	longest := 0
	for _, zone := range zones {
		m := new(dns.Msg)
		m.SetQuestion(string(zone), dns.TypeA)
		m.Response = true
		m.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: string(zone), Rrtype: dns.TypeA, Class: dns.ClassINET},
			A:   net.IPv4zero,
		}}
		octets := 0
		for _, rr := range s.Sign(request.Request{Req: m, Zone: string(zone)}, time.Now(), server).Answer {
			if sig, ok := rr.(*dns.RRSIG); ok {
				octets += dns.Len(sig) - (len(zone) + 1) + pointerLen
			}
		}
		longest = max(longest, octets)
	}
	return longest
}
