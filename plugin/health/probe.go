package health

import (
	"hash/fnv"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Probe is what is probed, and how.
type Probe = definition.Probe

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
