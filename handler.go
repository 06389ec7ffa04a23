package mxsrv

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

const pluginName = "mxsrv"

// MXSRV is the handler of one server block.
type MXSRV struct {
	Next plugin.Handler

	publisher
	neighbors // set before the first query
	instance  *instance
	counted   atomic.Int64 // when dnssec last wrote a message of ours itself, in seconds
}

// Name implements plugin.Handler.
func (m *MXSRV) Name() string { return pluginName }

// ServeDNS implements plugin.Handler: it answers what the table answers, and
// passes everything else on.
//
// What is to be said is made first and said last. Each query has a goroutine of its
// own, whose stack begins with 2 KB and is doubled when it is full, at half the cost of
// a whole query where that is deep down. CoreDNS and a plugin behind just get along with
// 4 KB if next to nothing of ours is on the stack then.
func (m *MXSRV) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	t := m.table.Load()
	if t == nil || !concerns(r) {
		return m.passOnOther(ctx, w, r, t)
	}
	msg, o, g := m.answer(ctx, w, r, t)
	switch {
	case o != nil:
		return o.write()
	case msg != nil:
		return msg.Rcode, w.WriteMsg(msg)
	case g != nil:
		return m.passGuarded(ctx, g, r)
	}
	rcode, err := plugin.NextOrFailure(pluginName, m.Next, ctx, w, r)
	return m.passedOn(ctx, w, r, rcode, err)
}

// answer returns the reply to a query, packed or as a message. It is neither if plugins
// behind us may answer; then these need the guard, if there is one.
func (m *MXSRV) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table) (*dns.Msg, *octets, *guard) {
	name, qtype := canonical(r.Question[0].Name), r.Question[0].Qtype
	var answer table.Answer
	match := t.Find(name, qtype, &answer)
	switch {
	case match == table.Data:
		msg, o := m.say(ctx, w, r, t, &answer)
		return msg, o, nil
	case m.Next == nil:
		msg, o := m.deny(ctx, w, r, t)
		return msg, o, nil
	}
	return nil, nil, m.guard(ctx, w, r, t, name, match)
}

// concerns reports whether a query can be about definitions: one question,
// class IN, opcode QUERY, and no type that means something else.
func concerns(r *dns.Msg) bool {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return false
	}
	q := &r.Question[0]
	return q.Qclass == dns.ClassINET && !isTransfer(q.Qtype) && q.Qtype != dns.TypeNXNAME
}

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
