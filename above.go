package mxsrv

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// CoreDNS gives a question for DS to the server block with the outermost zone that the name is in. The zone that has the
// answer, the one right above the name, may be in another block.

func isDS(r *dns.Msg) bool { return len(r.Question) == 1 && r.Question[0].Qtype == dns.TypeDS }

func canonical(r *dns.Msg) string { return strings.ToLower(r.Question[0].Name) }

// above returns the handler of the server that has the closest authoritative zone above a name, m if there is none.
func (m *MXSRV) above(name string) *MXSRV {
	found, closest := m, m.zoneAbove(name)
	for _, h := range m.instance.handlers {
		if zone := h.zoneAbove(name); h.observer.server == m.observer.server && len(zone) > len(closest) {
			found, closest = h, zone
		}
	}
	return found
}

func (m *MXSRV) zoneAbove(name string) definition.Name {
	if t := m.publisher.Table(); t != nil {
		return t.ZoneAbove(name)
	}
	return ""
}
