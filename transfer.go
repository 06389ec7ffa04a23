package mxsrv

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// Transfer implements transfer.Transferer for the zones that are served whole:
// all their records (RFC 5936 §2.2), or the SOA alone for a secondary that has
// them. What is in service when it begins is transferred, whatever comes after.
func (m *MXSRV) Transfer(zone string, have uint32) (<-chan []dns.RR, error) {
	t := m.table.Load()
	if t == nil || !t.IsApex(zone) {
		return nil, transfer.ErrNotAuthoritative
	}
	_, top := t.Lookup(zone, dns.TypeSOA)
	ch := make(chan []dns.RR)
	go func() {
		defer close(ch)
		ch <- top.RRs
		if have != 0 && !serial.Newer(top.RRs[0].(*dns.SOA).Serial, have) {
			return
		}
		first := true
		for rrset := range t.All(definition.Name(zone)) {
			if !first { // which is the SOA
				ch <- rrset
			}
			first = false
		}
		ch <- top.RRs
	}()
	return ch, nil
}

// passOnOther passes on what is no question about definitions, or comes while
// these are not known yet.
func (m *MXSRV) passOnOther(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table) (int, error) {
	if rcode := m.refuses(r, t); rcode != dns.RcodeSuccess {
		return rcode, nil
	}
	return plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
}

// refuses returns the rcode for what must not be passed on. Before definitions are
// known, a plugin behind might deny what we are about to learn of. A transfer of
// a zone that is served whole is for the transfer plugin; one that comes here
// is not allowed. Nobody may ask for NXNAME (RFC 9824 §3.5).
func (m *MXSRV) refuses(r *dns.Msg, t *table.Table) int {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return dns.RcodeSuccess
	}
	name, qtype := canonical(r.Question[0].Name), r.Question[0].Qtype
	switch {
	case t == nil && concerns(r) && m.zoneSet.Of(definition.Name(name)) != "":
		return dns.RcodeServerFailure
	case t == nil:
	case isTransfer(qtype) && t.IsApex(name):
		return dns.RcodeRefused
	case qtype == dns.TypeNXNAME && t.AuthoritativeSOA(name) != nil:
		return dns.RcodeFormatError
	}
	return dns.RcodeSuccess
}

func isTransfer(qtype uint16) bool { return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR }
