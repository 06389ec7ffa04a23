package mxsrv

import (
	"context"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

const pluginName = "mxsrv"

// MXSRV is the handler of one server block.
type MXSRV struct {
	Next plugin.Handler

	publisher
	neighbors // set before the first query
	instance  *instance
}

// Name implements plugin.Handler.
func (m *MXSRV) Name() string { return pluginName }

// ServeDNS implements plugin.Handler: it answers what the table answers, and
// passes everything else on.
func (m *MXSRV) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if !concerns(r) {
		return m.passOnOther(ctx, w, r)
	}
	name := canonical(r.Question[0].Name)
	t := m.table.Load()
	if t == nil {
		return m.passOnUnknown(ctx, w, r, name)
	}
	match, answer := t.Lookup(name, r.Question[0].Qtype)
	if match == table.Data {
		return m.answer(ctx, w, r, t, &answer)
	}
	return m.passOn(ctx, w, r, t, name, match)
}

// passOnUnknown passes on a query while definitions are not known yet. Below our
// zones a plugin behind might deny what we are about to learn of.
func (m *MXSRV) passOnUnknown(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, name string) (int, error) {
	if m.zoneSet.Of(definition.Name(name)) != "" {
		return dns.RcodeServerFailure, nil
	}
	return plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
}

// concerns reports whether a query can be about definitions: one question,
// class IN, opcode QUERY, and no type that means something else.
func concerns(r *dns.Msg) bool {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return false
	}
	q := &r.Question[0]
	return q.Qclass == dns.ClassINET && !isTransfer(q.Qtype) && q.Qtype != dns.TypeNXNAME
}

// canonical returns a name in lower case. Off the wire its escapes are in
// order; request.Request.Name puts them in order again, at the cost of all the
// rest of ServeDNS, and strings.ToLower at a third of it.
func canonical(name string) string {
	for i := range len(name) {
		if name[i]-'A' < 26 {
			return strings.ToLower(name)
		}
	}
	return name
}
