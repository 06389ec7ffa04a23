package answer

import (
	"context"
	"slices"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// overlay returns the writer for the next plugins, nil if it need not be another
// one. They may answer what the table does not; they may not say that a name does not
// exist that is declared, or that is above one: a resolver takes NXDOMAIN for the name
// and for all below it (RFC 8020), and mail to it would bounce.
func (m *Responder) overlay(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, name string, match table.Match) *Overlay {
	soa := t.AuthoritativeSOA(name)
	if soa != nil && t.BelongsToParent(name, r.Question[0].Qtype) {
		soa = nil
	}
	if match == table.None && soa == nil {
		return nil
	}
	return &Overlay{
		ResponseWriter: w, ctx: ctx, exists: match == table.Exists, soa: soa, repairs: m.RepairedNXDOMAIN,
		prove: func(res *dns.Msg) { m.prove(ctx, r, res, t, true) },
	}
}

// An Overlay is the writer for the next plugins, where it matters what they deny.
type Overlay struct {
	dns.ResponseWriter
	Repaired bool // it has written NOERROR in place of NXDOMAIN

	ctx     context.Context
	exists  bool     // the name exists
	soa     []dns.RR // of its zone, if that is authoritative: a zone has one
	prove   func(*dns.Msg)
	repairs *prometheus.CounterVec
}

// WriteMsg implements dns.ResponseWriter: it puts right what a denial says of a declared
// name or an authoritative zone.
func (w *Overlay) WriteMsg(res *dns.Msg) error {
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
		w.Repaired = true
		w.repairs.WithLabelValues(metrics.WithServer(w.ctx)).Inc()
		m.Rcode = dns.RcodeSuccess
		m.AuthenticatedData = false
		m.Ns = slices.DeleteFunc(m.Ns, deniesName)
	}
	if w.exists {
		w.prove(&m)
	}
	return w.ResponseWriter.WriteMsg(&m)
}

// deniesName picks the records that prove that a name does not exist, and their
// signatures. What is left proves nothing, which a validator takes for bogus in
// a signed zone; but so is any record added to one.
func deniesName(rr dns.RR) bool {
	rrtype := rr.Header().Rrtype
	if sig, ok := rr.(*dns.RRSIG); ok {
		rrtype = sig.TypeCovered
	}
	return rrtype == dns.TypeNSEC || rrtype == dns.TypeNSEC3
}
