package health

import (
	"net/netip"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// MayProbe reports whether an address of a host may be probed. Those that only fragments declare, which whoever may
// write to etcd chooses, may be inside some networks; and so may those of this host, links and groups, whoever declares
// them. Fragment reports whether a source is a fragment; nil: none is.
func MayProbe(host definition.Owner, addr netip.Addr, networks []netip.Prefix, fragment func(source string) bool) bool {
	if slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr) }) {
		return true
	}
	return !isSpecial(addr) && slices.ContainsFunc(host.Hosts(), func(h *definition.Host) bool {
		return slices.Contains(h.Addrs, addr) && (fragment == nil || !fragment(h.Source))
	})
}

// isSpecial reports whether an address is none of a server elsewhere.
func isSpecial(addr netip.Addr) bool {
	return addr.IsUnspecified() || addr.IsLoopback() || addr.IsMulticast() || addr.IsLinkLocalUnicast() ||
		addr == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
