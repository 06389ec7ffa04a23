package mxsrv

import (
	"context"
	"slices"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// guard returns the writer for the plugins behind us, nil if it need not be another
// one. They may answer what the table does not; they may not say that a name does not
// exist that we hold, or that is above one: a resolver takes NXDOMAIN for the name
// and for all below it (RFC 8020), and mail to it would bounce.
func (m *MXSRV) guard(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, name string, match table.Match) *guard {
	soa := t.AuthoritativeSOA(name)
	if soa != nil && t.BelongsToParent(name, r.Question[0].Qtype) {
		soa = nil
	}
	if match == table.None && soa == nil {
		return nil
	}
	return &guard{
		ResponseWriter: w, ctx: ctx, exists: match == table.Exists, soa: soa,
		prove: func(res *dns.Msg) { m.prove(ctx, r, res, t) },
	}
}

// deny returns the reply that denies what no plugin behind us has answered: the
// name does not exist, or holds nothing of the type, with the SOA that lets
// resolvers keep that (RFC 2308). Outside our zones there is none.
func (m *MXSRV) deny(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table) (*dns.Msg, *octets) {
	denial := t.Denial(canonical(r.Question[0].Name), r.Question[0].Qtype)
	if denial.Ns == nil {
		return nil, nil
	}
	return m.say(ctx, w, r, t, &denial)
}

// passGuarded passes on a query with a guard as the writer.
func (m *MXSRV) passGuarded(ctx context.Context, g *guard, r *dns.Msg) (int, error) {
	rcode, err := plugin.NextOrFailure(pluginName, m.Next, ctx, g, r)
	if g.repaired {
		return dns.RcodeSuccess, err
	}
	return m.passedOn(ctx, g.ResponseWriter, r, rcode, err)
}

// passedOn goes on with what the plugins behind us have returned. What none has
// answered is denied, by the table that is in service now: nothing but the query
// is on the stack meanwhile.
func (m *MXSRV) passedOn(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, rcode int, err error) (int, error) {
	if !unanswered(rcode, err) {
		return rcode, err
	}
	msg, o := m.deny(ctx, w, r, m.table.Load())
	switch {
	case o != nil:
		return o.write()
	case msg != nil:
		return msg.Rcode, w.WriteMsg(msg)
	}
	return rcode, err
}

// A guard is the writer for the plugins behind us, where it matters to us what they
// deny.
type guard struct {
	dns.ResponseWriter
	ctx      context.Context
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
		repairedNXDOMAIN.WithLabelValues(metrics.WithServer(w.ctx)).Inc()
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
