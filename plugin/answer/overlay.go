package answer

import (
	"context"
	"slices"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// overlay returns the writer for the next plugins: w if no denial of theirs can be wrong. They may answer what the table
// does not; they may not say that a name does not exist that is declared, or that is above one: a resolver takes NXDOMAIN for the name
// and for all below it (RFC 8020), and mail to it would bounce.
func (m *Responder) overlay(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, name string, match table.Match) dns.ResponseWriter {
	soa := t.AuthoritativeSOA(name)
	if soa != nil && t.BelongsToParent(name, r.Question[0].Qtype) {
		soa = nil
	}
	if match == table.None && soa == nil {
		return w
	}
	return &overlayWriter{ResponseWriter: w, ctx: ctx, responder: m, table: t, query: r, exists: match == table.Exists, soa: soa}
}

// An overlayWriter is the writer for the next plugins, where it matters what they deny.
type overlayWriter struct {
	dns.ResponseWriter
	ctx       context.Context
	responder *Responder
	table     *table.Table
	query     *dns.Msg
	exists    bool     // the name exists
	soa       []dns.RR // of its zone, if that is authoritative: a zone has one
	repaired  bool     // it has written NOERROR in place of NXDOMAIN
}

// WriteMsg implements dns.ResponseWriter: it puts right what a denial says of a declared
// name or an authoritative zone, in a copy.
func (w *overlayWriter) WriteMsg(res *dns.Msg) error {
	if !isDenial(res) {
		return w.ResponseWriter.WriteMsg(res)
	}
	m := *res // the plugin may keep its message, or share its slices
	m.Ns = slices.Clone(res.Ns)
	m.Extra = slices.Clip(res.Extra)
	if w.soa != nil {
		m.Ns = slices.Clip(w.soa)
	}
	if w.exists && res.Rcode == dns.RcodeNameError {
		w.repaired = true
		w.responder.config.RepairedNXDOMAIN.WithLabelValues(metrics.WithServer(w.ctx)).Inc()
		m.Rcode = dns.RcodeSuccess
		m.AuthenticatedData = false
		m.Ns = slices.DeleteFunc(m.Ns, deniesName)
	}
	if w.exists {
		w.responder.prove(w.ctx, w.query, &m, w.table)
	}
	return w.ResponseWriter.WriteMsg(&m)
}

// AfterNext returns what ServeDNS does after the next plugins have returned. w is the writer they had. What none has
// answered is denied, by the table that is served now.
func (m *Responder) AfterNext(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, rcode int, err error) (int, error) {
	if o, ok := w.(*overlayWriter); ok {
		w = o.ResponseWriter
		if o.repaired {
			return dns.RcodeSuccess, err
		}
	}
	if unanswered(rcode, err) && t != nil && concerns(r) {
		if reply := m.deny(ctx, w, r, t); reply != nil {
			return reply.Write(w)
		}
	}
	return rcode, err
}
