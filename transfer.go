package mxsrv

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// Transfer implements transfer.Transferer for the zones that are served whole:
// all their records (RFC 5936 §2.2), or the SOA alone for a secondary that has
// them. What is in service when it begins is transferred, whatever comes after.
func (m *MXSRV) Transfer(zone string, serial uint32) (<-chan []dns.RR, error) {
	t := m.table.Load()
	if t == nil || !t.IsWhole(zone) {
		return nil, transfer.ErrNotAuthoritative
	}
	_, top := t.Lookup(zone, dns.TypeSOA)
	ch := make(chan []dns.RR)
	go func() {
		defer close(ch)
		ch <- top.RRs
		if serial != 0 && !table.Newer(top.RRs[0].(*dns.SOA).Serial, serial) {
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

// passOnOther passes on what is no question about definitions. A transfer of
// a zone that is served whole is for the transfer plugin; one that comes here
// is not allowed. Nobody may ask for NXNAME (RFC 9824 §3.5).
func (m *MXSRV) passOnOther(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if t := m.table.Load(); t != nil && r.Opcode == dns.OpcodeQuery && len(r.Question) == 1 {
		q := r.Question[0]
		switch {
		case isTransfer(q.Qtype) && t.IsWhole(canonical(q.Name)):
			return dns.RcodeRefused, nil
		case q.Qtype == dns.TypeNXNAME && t.Whole(canonical(q.Name)) != nil:
			return dns.RcodeFormatError, nil
		}
	}
	return plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
}

func isTransfer(qtype uint16) bool { return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR }
