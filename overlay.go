package mxsrv

import (
	"context"
	"slices"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// passOn passes on a query to which the table has no answer. The plugins behind
// may answer; they may not say that a name does not exist that we hold, or that
// is above one: a resolver takes NXDOMAIN for the name and for all below it (RFC
// 8020), and mail to it would bounce.
func (m *MXSRV) passOn(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, name string, match table.Match) (int, error) {
	soa := t.Whole(name)
	if t.OfAbove(name, r.Question[0].Qtype) {
		soa = nil
	}
	if match == table.None && soa == nil {
		return m.next(ctx, w, w, r, t)
	}
	g := &guard{ResponseWriter: w, exists: match == table.Exists, soa: soa}
	g.prove = func(res *dns.Msg) { m.prove(ctx, r, res, t) }
	rcode, err := m.next(ctx, w, g, r, t)
	if g.repaired {
		repairedNXDOMAIN.WithLabelValues(metrics.WithServer(ctx)).Inc()
		return dns.RcodeSuccess, err
	}
	return rcode, err
}

// next gives the plugins behind a writer, and denies if they do not answer.
func (m *MXSRV) next(ctx context.Context, w, behind dns.ResponseWriter, r *dns.Msg, t *table.Table) (int, error) {
	rcode, err := plugin.NextOrFailure(pluginName, m.Next, ctx, behind, r)
	if unanswered(rcode, err) {
		return m.deny(ctx, w, r, t, err)
	}
	return rcode, err
}

// deny answers a query in our zones that no plugin behind us has answered: the
// name does not exist, or holds nothing of the type, with the SOA that lets
// resolvers keep that (RFC 2308). Queries outside keep their error.
func (m *MXSRV) deny(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, err error) (int, error) {
	denial := t.Denial(canonical(r.Question[0].Name), r.Question[0].Qtype)
	if denial.Ns == nil {
		return dns.RcodeServerFailure, err
	}
	return m.answer(ctx, w, r, t, &denial)
}

// A guard is the writer for the plugins behind us, where it matters to us what they
// deny.
type guard struct {
	dns.ResponseWriter
	exists   bool     // the name exists
	soa      []dns.RR // of its zone, if we serve that: a zone has one
	prove    func(*dns.Msg)
	repaired bool
}

// WriteMsg puts right what a denial says of a name or a zone of ours.
func (w *guard) WriteMsg(res *dns.Msg) error {
	if !isDenial(res) {
		return w.ResponseWriter.WriteMsg(res)
	}
	m := *res // a plugin behind may keep its message, or share its slices
	m.Ns = slices.Clone(res.Ns)
	m.Extra = slices.Clip(res.Extra)
	if w.soa != nil {
		m.Ns = slices.Clip(w.soa)
	}
	if w.exists && res.Rcode == dns.RcodeNameError {
		w.repaired = true
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
