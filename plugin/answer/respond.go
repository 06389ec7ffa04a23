// Package answer writes what a table answers, to clients as they are and with the other
// plugins of a server block around.
package answer

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A Responder makes the replies of one server block. It is complete before the first
// query, and safe for concurrent use then.
type Responder struct {
	Zones                         definition.ZoneSet
	TrimmedGlue, RepairedNXDOMAIN *prometheus.CounterVec // by server

	chain
	counted atomic.Int64 // when dnssec last wrote a message of ours itself, in seconds
}

// A Reply is ready to be written. There may be none.
type Reply struct {
	msg    *dns.Msg
	packed *packed
}

// OK reports whether there is a reply.
func (r Reply) OK() bool { return r.msg != nil || r.packed != nil }

// Write writes the reply, once, and returns its rcode.
func (r Reply) Write(w dns.ResponseWriter) (int, error) {
	if r.packed != nil {
		return r.packed.write()
	}
	return r.msg.Rcode, w.WriteMsg(r.msg)
}

// Reply returns the reply to a query. There is none if the next plugins may answer; then
// these need the overlay as their writer, if it is not nil.
//
// What is to be written is made first and written last, with next to nothing on the
// stack. Each query has a goroutine of its own, whose stack begins with 2 KB and is
// doubled when it is full, at half the cost of a whole query where that is deep down.
func (m *Responder) Reply(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, next bool) (Reply, *Overlay) {
	name, qtype := canonical(r.Question[0].Name), r.Question[0].Qtype
	var answer table.Answer
	match := t.Find(name, qtype, &answer)
	switch {
	case match == table.Data:
		return m.reply(ctx, w, r, t, &answer, next), nil
	case !next:
		return m.Deny(ctx, w, r, t, next), nil
	}
	return Reply{}, m.overlay(ctx, w, r, t, name, match)
}

// Deny returns the reply that denies what no next plugin has answered: the
// name does not exist, or has no records of the type, with the SOA that lets
// resolvers keep that (RFC 2308). Outside the zones there is none.
func (m *Responder) Deny(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, next bool) Reply {
	denial := t.Denial(canonical(r.Question[0].Name), r.Question[0].Qtype)
	if denial.Ns == nil {
		return Reply{}
	}
	return m.reply(ctx, w, r, t, &denial, next)
}

// Concerns reports whether a query can be about definitions: one question,
// class IN, opcode QUERY, and no type that means something else.
func Concerns(r *dns.Msg) bool {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return false
	}
	q := &r.Question[0]
	return q.Qclass == dns.ClassINET && !isTransfer(q.Qtype) && q.Qtype != dns.TypeNXNAME
}

// Refuses returns the rcode for what must not be passed on. Before definitions are
// known, a next plugin might deny what is about to be declared. A transfer of
// an authoritative zone is for the transfer plugin; one that comes here
// is not allowed. Nobody may ask for NXNAME (RFC 9824 §3.5).
func (m *Responder) Refuses(r *dns.Msg, t *table.Table) int {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return dns.RcodeSuccess
	}
	name, qtype := canonical(r.Question[0].Name), r.Question[0].Qtype
	switch {
	case t == nil && Concerns(r) && m.Zones.Of(definition.Name(name)) != "":
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

// canonical returns a name in lower case. Off the wire its escapes are in
// order; request.Request.Name puts them in order again, at the cost of all the
// rest of ServeDNS, and strings.ToLower at a third of it.
func canonical(name string) string {
	for i := range len(name) {
		if name[i]-'A' < 26 {
			return strings.ToLower(name)
		}
	}
	return name
}
