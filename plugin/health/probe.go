package health

import (
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Probe is what is probed, and how. It is comparable: however many names use a server, it is one. [NewProbe] makes
// it.
type Probe struct {
	Addr  netip.AddrPort
	Check definition.Check
	Host  definition.Name // that the client asks for, where the check depends on it, else ""
}

// NewProbe returns the probe of a check at a port of a host.
func NewProbe(addr netip.AddrPort, check definition.Check, host definition.Name) Probe {
	switch {
	case check.Protocol == definition.CheckTCP || check.Protocol == definition.CheckSMTP:
		host = ""
	case check.Name != "":
		host = check.Name
	}
	return Probe{netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), check, host}
}

func (p Probe) String() string {
	s := p.Addr.String() + " (" + p.Check.String() + ")"
	if p.Host != "" && p.Host != p.Check.Name {
		s += " of " + string(p.Host)
	}
	return s
}

// serverName returns the host of a probe as clients write it.
func serverName(p Probe) string {
	if p.Host == "" {
		return p.Addr.Addr().String()
	}
	return strings.TrimSuffix(string(p.Host), ".")
}

// moments are how many there are in an interval at which probes begin, for to wake up costs as much as a probe.
const moments = 1000

// phase returns when in each interval a probe is due.
func phase(p Probe, every time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(p.String()))
	return time.Duration(h.Sum64()%moments) * every / moments
}
