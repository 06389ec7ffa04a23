package lint

import (
	"net/netip"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func addressSpecial(p *pass) {
	for _, h := range p.set.Hosts {
		for _, addr := range h.Addrs {
			if kind := special(addr); kind != "" {
				p.report(h.Pos, []definition.Name{h.Owner}, "address %s of %s is %s: write one that clients can reach",
					addr, h.Owner, kind)
			}
		}
	}
}

var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	classE      = netip.MustParsePrefix("240.0.0.0/4")
	broadcast   = netip.AddrFrom4([4]byte{255, 255, 255, 255})
)

// special returns what an address is that is no use to others than the machine or the link that has it, or "".
func special(addr netip.Addr) string {
	switch {
	case addr.IsUnspecified(), thisNetwork.Contains(addr):
		return "of no machine (unspecified)"
	case addr.IsLoopback():
		return "the client itself (loopback)"
	case addr.IsLinkLocalUnicast():
		return "on one link only (link-local)"
	case addr.IsMulticast():
		return "of a group (multicast)"
	case addr == broadcast:
		return "of all machines on a link (broadcast)"
	case classE.Contains(addr):
		return "reserved (class E)"
	}
	return ""
}
