package mxsrv

import (
	"context"
	"slices"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// passOnExisting passes on a query for a name that we hold, or that is above
// one, and of whose type we know nothing. The plugins behind may answer; they
// may not say that the name does not exist: a resolver takes NXDOMAIN for the
// name and for all below it (RFC 8020), and mail to it would bounce.
func (m *MXSRV) passOnExisting(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, name string) (int, error) {
	e := &existing{ResponseWriter: w}
	rcode, err := plugin.NextOrFailure(pluginName, m.Next, ctx, e, r)
	switch {
	case unanswered(rcode, err):
		return deny(w, r, t, name, err)
	case e.repaired:
		repairedNXDOMAIN.WithLabelValues(metrics.WithServer(ctx)).Inc()
		return dns.RcodeSuccess, err
	}
	return rcode, err
}

// existing is the writer for a name that exists.
type existing struct {
	dns.ResponseWriter
	repaired bool
}

// WriteMsg turns NXDOMAIN into NOERROR without data. With an answer in it the
// message denies what a CNAME of another plugin points to, not this name.
func (w *existing) WriteMsg(res *dns.Msg) error {
	if res.Rcode != dns.RcodeNameError || len(res.Answer) > 0 {
		return w.ResponseWriter.WriteMsg(res)
	}
	w.repaired = true
	m := *res // a plugin behind may keep its message, or share its slices
	m.Rcode = dns.RcodeSuccess
	m.AuthenticatedData = false
	m.Ns = slices.DeleteFunc(slices.Clone(res.Ns), deniesName)
	m.Extra = slices.Clip(res.Extra)
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
