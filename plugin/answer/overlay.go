package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// overlay returns the writer for the next plugins: w if no denial of theirs can be wrong. They may answer what the
// table does not; they may not say that a name does not exist that is declared, or that is above one: a resolver takes
// NXDOMAIN for the name and for all below it (RFC 8020), and mail to it would bounce. Nor may they make an alias of it:
// a resolver that minimises names (RFC 9156) asks for A first, and would follow that instead of asking for MX or SRV.
func (m *Responder) overlay(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, name string, match table.Match) dns.ResponseWriter {
	soa := t.AuthoritativeSOA(name)
	if soa != nil && t.BelongsToParent(name, r.Question[0].Qtype) {
		soa = nil
	}
	if match == table.None && soa == nil {
		return w
	}
	return &overlayWriter{
		ResponseWriter: w, ctx: ctx, responder: m, table: t, query: r, name: name, exists: match == table.Exists, soa: soa,
	}
}

// An overlayWriter is the writer for the next plugins, where it matters what they deny.
type overlayWriter struct {
	dns.ResponseWriter
	ctx       context.Context
	responder *Responder
	table     *table.Table
	query     *dns.Msg
	name      string
	exists    bool     // the name exists
	soa       []dns.RR // of its zone, if that is authoritative: a zone has one
	repaired  bool     // it has written NOERROR, whatever the rcode was
}

// WriteMsg implements dns.ResponseWriter: it repairs what a denial says of a declared name or an authoritative zone, in a
// copy, and denies an alias of a declared name.
func (w *overlayWriter) WriteMsg(res *dns.Msg) error {
	if !isDenial(res) {
		if alias := w.alias(res); alias != nil {
			return w.denyAlias(res, alias)
		}
		return w.ResponseWriter.WriteMsg(res)
	}
	m := *res // the plugin may keep its message, or share its slices
	m.Ns = slices.Clone(res.Ns)
	m.Extra = slices.Clip(res.Extra)
	if w.soa != nil {
		m.Ns = slices.Clip(w.soa)
	} else {
		w.responder.soas.update(res.Ns)
	}
	if w.exists && res.Rcode == dns.RcodeNameError {
		w.repaired = true
		w.responder.config.RepairedNXDOMAIN.WithLabelValues(metrics.WithServer(w.ctx)).Inc()
		m.Rcode = dns.RcodeSuccess
		m.AuthenticatedData = false
		w.responder.warnSigned(w.name, res.Ns)
		m.Ns = slices.DeleteFunc(m.Ns, deniesName)
	}
	if w.exists {
		w.responder.prove(w.ctx, w.query, &m, w.table)
	}
	return w.ResponseWriter.WriteMsg(&m)
}

// alias returns the record in an answer that makes an alias of a name that exists: CNAME, or a DNAME above it, below
// which no name can be (RFC 6672 §2.4). A name that only has others below it may be an alias of the next plugin, unless
// it begins with an underscore: nobody writes CNAME for _tcp, so that is of a wildcard, which does not hold for a name
// that exists (RFC 4592 §2.2.1).
func (w *overlayWriter) alias(res *dns.Msg) dns.RR {
	if !w.exists {
		return nil
	}
	for _, rr := range res.Answer {
		owner := definition.Name(canonical(rr.Header().Name))
		switch name := definition.Name(w.name); rr.Header().Rrtype {
		case dns.TypeCNAME:
			if owner == name && (w.table.HasRecords(name) || strings.HasPrefix(w.name, "_")) {
				return rr
			}
		case dns.TypeDNAME:
			if name.Below(owner) && (owner != name || !w.table.HasRecords(name)) {
				return rr
			}
		}
	}
	return nil
}

// denyAlias writes that there is no data, in place of an answer with an alias of a name.
func (w *overlayWriter) denyAlias(res *dns.Msg, alias dns.RR) error {
	m := *res
	m.Rcode, m.Truncated, m.AuthenticatedData, m.Answer = dns.RcodeSuccess, false, false, nil
	m.Ns = w.responder.soas.of(w.table.Denial(w.name, w.query.Question[0].Qtype).Ns)
	m.Extra = nil
	if opt := res.IsEdns0(); opt != nil {
		m.Extra = []dns.RR{opt}
	}
	keepDO(w.query)
	w.repaired = true
	w.responder.config.RepairedAlias.WithLabelValues(metrics.WithServer(w.ctx)).Inc()
	w.responder.warnOnce(w.name, func() string {
		return fmt.Sprintf("%s has records here, and the next plugin has it as alias: %s: "+
			"it is denied, as an alias has no other records (RFC 1034 §3.6.2): if the name has a web site, too, write "+
			"host NAME ADDRESS here, or A and AAAA records of its own for it there", w.name, strings.Join(strings.Fields(alias.String()), " "))
	})
	w.responder.warnSigned(w.name, res.Answer)
	w.responder.prove(w.ctx, w.query, &m, w.table)
	return w.ResponseWriter.WriteMsg(&m)
}

// warnSigned warns of the first signed records of the next plugin that contradict what is declared.
func (m *Responder) warnSigned(name string, rrs []dns.RR) {
	if slices.ContainsFunc(rrs, isSignature) {
		m.warnOnce("", func() string {
			return fmt.Sprintf("the next plugin has signed records about %s: resolvers that validate take what is declared "+
				"there for bogus: declare it in the signed zone [overlay-signed]", name)
		})
	}
}

// warnOnce logs a warning of something, see Responder.warned, the first time. It forgets nothing, so it stops after some.
// It makes no text of a warning that is not logged, as queries wait for it.
func (m *Responder) warnOnce(of string, text func() string) {
	const most = 1000
	if _, known := m.warned.Load(of); known || m.warnings.Load() >= most {
		return
	}
	if _, known := m.warned.LoadOrStore(of, nil); !known {
		m.warnings.Add(1)
		m.config.Warn(text())
	}
}

// AfterNext returns what ServeDNS does after the next plugins have returned, and whether it has responded itself: what
// none of them has answered is denied, by the table that is served now. w is the writer they had.
func (m *Responder) AfterNext(
	ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, rcode int, err error,
) (_ int, responded bool, _ error) {
	if o, ok := w.(*overlayWriter); ok {
		w = o.ResponseWriter
		if o.repaired {
			return dns.RcodeSuccess, false, err
		}
	}
	if unanswered(rcode, err) && t != nil {
		if reply := m.last(ctx, w, r, t); reply != nil {
			rcode, err = reply.Write(w)
			return rcode, true, err
		}
	}
	return rcode, false, err
}

// last returns the reply to what no plugin has answered, or none.
func (m *Responder) last(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table) *Reply {
	if concerns(r) {
		return m.deny(ctx, w, r, t)
	}
	return m.refusal(r, t, true)
}
