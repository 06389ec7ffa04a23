package mxsrv

import (
	"slices"
	"strings"

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
func deny(w dns.ResponseWriter, r *dns.Msg, t *table.Table, name string, err error) (int, error) {
	soa := t.SOA(name)
	if soa == nil {
		return dns.RcodeServerFailure, err
	}
	m := new(dns.Msg).SetReply(r)
	m.Authoritative = true
	m.Ns = slices.Clip(soa)
	if match, _ := t.Lookup(name, dns.TypeNone); match == table.None && !t.IsZone(name) {
		m.Rcode = dns.RcodeNameError
	}
	return m.Rcode, w.WriteMsg(m)
}
