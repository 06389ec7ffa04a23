package mxsrv

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

const pluginName = "mxsrv"

// MXSRV is the handler of one server block.
type MXSRV struct {
	Next plugin.Handler

	table     atomic.Pointer[table.Table]
	neighbors // set before the first query
}

// Name implements plugin.Handler.
func (m *MXSRV) Name() string { return pluginName }

// ServeDNS implements plugin.Handler: it answers what the table answers, and
// passes everything else on.
func (m *MXSRV) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	state := request.Request{W: w, Req: r}
	if !concerns(&state) {
		return plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
	}
	t := m.table.Load()
	// The name comes off the wire with its escapes in order; state.Name would
	// put them in order again, at the cost of all the rest here.
	name := strings.ToLower(r.Question[0].Name)
	match, answer := t.Lookup(name, state.QType())
	if match == table.Data {
		return dns.RcodeSuccess, w.WriteMsg(m.reply(&state, answer))
	}
	if match == table.Exists {
		return m.passOnExisting(ctx, t, &state)
	}
	rcode, err := plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
	if unanswered(rcode, err) {
		return deny(t, &state, err)
	}
	return rcode, err
}

// concerns reports whether a query can be about definitions: class IN, opcode
// QUERY, and no zone transfer.
func concerns(state *request.Request) bool {
	if state.Req.Opcode != dns.OpcodeQuery || state.QClass() != dns.ClassINET {
		return false
	}
	return state.QType() != dns.TypeAXFR && state.QType() != dns.TypeIXFR
}
