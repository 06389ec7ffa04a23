package corefile

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// networkOf returns the network that a word stands for, perhaps with bits of a host and a port, which CoreDNS ignores.
func networkOf(word string) (netip.Prefix, bool) {
	network, err := netip.ParsePrefix(word)
	if i := strings.LastIndexByte(word, ':'); err != nil && i >= 0 {
		if _, err = strconv.Atoi(word[i+1:]); err == nil {
			network, err = netip.ParsePrefix(word[:i])
		}
	}
	return network.Masked(), err == nil
}

// isNetwork reports whether a word is a network and nothing else.
func isNetwork(word string) bool {
	network, err := netip.ParsePrefix(word)
	return err == nil && network == network.Masked()
}

// authoritative reads: authoritative { ... }. The parent of a zone delegates whole octets of IPv4 addresses and whole
// nibbles of IPv6 addresses, and smaller networks under a name of its choice (RFC 2317).
func (s *stanza) authoritative(l definition.Statement) {
	for _, word := range s.words {
		if network, ok := networkOf(word); ok && remedy(network) != "" {
			s.errorf(l.Pos, "zone %s: no parent delegates a network of %d bits: write %s", word, network.Bits(),
				remedy(network))
			return
		}
	}
	if single := s.zones.Singles(); len(s.words) == 0 && len(single) > 1 {
		s.errorf(l.Pos, "no parent delegates the addresses of a network one by one, like %s: write the zone that it delegates "+
			"instead of the network, like 128/26.2.0.192.in-addr.arpa (RFC 2317)", single[0])
		return
	}
	s.reader.Authoritative(l, s.zones)
}

// remedy returns what to write instead of a network off the boundary of an octet or nibble; "" if it is on one.
func remedy(network netip.Prefix) string {
	boundary, bits := 8, network.Bits()
	if network.Addr().Is6() {
		boundary = 4
	}
	if bits%boundary == 0 {
		return ""
	}
	if octets := network.Addr().AsSlice(); boundary == 8 && bits > 24 {
		return fmt.Sprintf("the zone that it delegates, like %d/%d.%d.%d.%d.in-addr.arpa (RFC 2317)", octets[3], bits, octets[2],
			octets[1], octets[0])
	}
	first := netip.PrefixFrom(network.Addr(), bits-bits%boundary+boundary)
	return fmt.Sprintf("its parts, %v and so on", first)
}
