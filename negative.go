package mxsrv

import (
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// unanswered reports whether a query came to the end of the plugin chain:
// nothing follows us, or only plugins that pass everything on, as view does.
// CoreDNS has no value for that, only these words of plugin.NextOrFailure.
func unanswered(rcode int, err error) bool {
	return rcode == dns.RcodeServerFailure && err != nil && strings.HasSuffix(err.Error(), "no next plugin found")
}

// deny answers a query in our zones that no plugin behind us has answered: the
// name does not exist, or holds nothing of the type, with the SOA that lets
// resolvers keep that (RFC 2308). Queries outside keep their error.
func deny(t *table.Table, state *request.Request, err error) (int, error) {
	soa := t.SOA(state.Name())
	if soa == nil {
		return dns.RcodeServerFailure, err
	}
	m := new(dns.Msg).SetReply(state.Req)
	m.Authoritative = true
	m.Ns = slices.Clip(soa)
	if match, _ := t.Lookup(state.Name(), dns.TypeNone); match == table.None && !t.IsZone(state.Name()) {
		m.Rcode = dns.RcodeNameError
	}
	return m.Rcode, state.W.WriteMsg(m)
}

var _ plugin.Handler = (*MXSRV)(nil)
