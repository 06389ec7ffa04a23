package mxsrv

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/answer"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/publish"
	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/table"
)

const pluginName = "mxsrv"

// MXSRV is the handler of one server block: what the publisher serves, the responder
// writes.
type MXSRV struct {
	Next plugin.Handler

	publisher *publish.Publisher
	responder *answer.Responder
	instance  *instance
	observer  *observer
}

// Name implements plugin.Handler.
func (m *MXSRV) Name() string { return pluginName }

// ServeDNS implements plugin.Handler: it answers what the table answers, and
// passes everything else on, through an overlay where the next plugin must not deny
// what is declared.
func (m *MXSRV) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	t := m.publisher.Table()
	if t == nil || !answer.Concerns(r) {
		return m.serveOther(ctx, w, r, t)
	}
	reply, overlay := m.responder.Reply(ctx, w, r, t, m.Next != nil)
	switch {
	case reply.OK():
		return reply.Write(w)
	case overlay != nil:
		return m.nextWithOverlay(ctx, overlay, r)
	}
	rcode, err := plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
	return m.afterNext(ctx, w, r, rcode, err)
}

// serveOther passes on what is no question about definitions, or comes while
// these are not known yet.
func (m *MXSRV) serveOther(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table) (int, error) {
	if rcode := m.responder.Refuses(r, t); rcode != dns.RcodeSuccess {
		return rcode, nil
	}
	return plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
}

// nextWithOverlay passes a query on with an overlay as the writer.
func (m *MXSRV) nextWithOverlay(ctx context.Context, o *answer.Overlay, r *dns.Msg) (int, error) {
	rcode, err := plugin.NextOrFailure(pluginName, m.Next, ctx, o, r)
	if o.Repaired {
		return dns.RcodeSuccess, err
	}
	return m.afterNext(ctx, o.ResponseWriter, r, rcode, err)
}

// afterNext goes on with what the next plugins have returned. What none has
// answered is denied, by the table that is served now: nothing but the query
// is on the stack meanwhile.
func (m *MXSRV) afterNext(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, rcode int, err error) (int, error) {
	if !answer.Unanswered(rcode, err) {
		return rcode, err
	}
	if reply := m.responder.Deny(ctx, w, r, m.publisher.Table(), m.Next != nil); reply.OK() {
		return reply.Write(w)
	}
	return rcode, err
}

// Ready implements the ready plugin's Readiness: every source of every server
// block has delivered. CoreDNS asks one handler of each plugin only, the last
// that it has set up, so that one speaks for all.
func (m *MXSRV) Ready() bool {
	for _, h := range m.instance.handlers {
		if h.publisher.Table() == nil {
			return false
		}
	}
	return true
}

// Transfer implements transfer.Transferer for authoritative zones: all their records
// (RFC 5936 §2.2), or the SOA alone for a secondary that has them. What is served when
// it begins is transferred, whatever comes after.
func (m *MXSRV) Transfer(zone string, have uint32) (<-chan []dns.RR, error) {
	t := m.publisher.Table()
	if t == nil || !t.IsApex(zone) {
		return nil, transfer.ErrNotAuthoritative
	}
	_, soa := t.Lookup(zone, dns.TypeSOA)
	ch := make(chan []dns.RR)
	go func() {
		defer close(ch)
		if have != 0 && !serial.Newer(soa.RRs[0].(*dns.SOA).Serial, have) {
			ch <- soa.RRs
			return
		}
		for rrset := range t.All(definition.Name(zone)) { // SOA first
			ch <- rrset
		}
		ch <- soa.RRs
	}()
	return ch, nil
}
