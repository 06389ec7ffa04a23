package mxsrv

import (
	"context"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/answer"
	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
	"github.com/mxsrv/mxsrv/plugin/publish"
	"github.com/mxsrv/mxsrv/plugin/serial"
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

	checks corefile.Checks
	prober atomic.Pointer[health.Prober] // nil until there is something to probe
}

// Name implements plugin.Handler.
func (m *MXSRV) Name() string { return pluginName }

// ServeDNS implements plugin.Handler: it writes what the table answers, and leaves the rest to the next plugin. What is
// served may have changed when that returns. A query for DS is answered as in the server block of the zone above.
func (m *MXSRV) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (rcode int, err error) {
	h := m
	if isDS(r) {
		h = m.above(canonical(r))
	}
	reply, w := h.responder.Reply(ctx, w, r, h.publisher.Table())
	responded := reply != nil
	if responded {
		if h != m {
			h.responder.SignAbove(ctx, w, r, reply)
		}
		rcode, err = reply.Write(w)
	} else {
		rcode, err = plugin.NextOrFailure(pluginName, h.Next, ctx, w, r)
		rcode, responded, err = h.responder.AfterNext(ctx, w, r, h.publisher.Table(), rcode, err)
	}
	if responded {
		h.observer.responded(rcode)
	}
	return rcode, err
}

// CacheBypassZones implements cache.ZoneBypasser. cache asks when it starts, before we do.
func (m *MXSRV) CacheBypassZones() []string { return m.responder.CacheBypassZones() }

// Ready implements the ready plugin's Readiness: every source of every server
// block has delivered, and what they declare was accepted. CoreDNS asks one handler of each plugin only, the last
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
// (RFC 5936 §2.2), or the SOA alone for a secondary whose serial is current. A transfer is
// of one table, even if another one is published meanwhile.
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
