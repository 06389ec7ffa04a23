package answer

import (
	"context"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

// message returns the message of a reply, with all the glue that fits.
func (m *Responder) message(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, reply *Reply) *dns.Msg {
	a, msg := &reply.answer, newMessage(r)
	msg.MsgHdr = headerOf(r, a.Rcode)
	msg.Answer, msg.Ns, msg.Extra = a.Owned().RRs, a.Ns, a.Glue
	if len(a.Ns) > 0 {
		m.prove(ctx, r, msg, t)
	}
	if len(a.Glue) > 0 {
		m.trim(w, r, msg, reply)
		if len(msg.Extra) < len(a.Glue) {
			m.countTrimmed(ctx)
		}
	}
	return msg
}

// newMessage is SetReply of a message with one question, in one allocation
// instead of two: they are most of what an answer costs.
func newMessage(r *dns.Msg) *dns.Msg {
	m := &struct {
		dns.Msg
		question [1]dns.Question
	}{question: [1]dns.Question{r.Question[0]}}
	m.Question = m.question[:]
	return &m.Msg
}

// headerOf returns the header of a reply.
func headerOf(r *dns.Msg, rcode int) dns.MsgHdr {
	return dns.MsgHdr{
		Id: r.Id, Response: true, Authoritative: true, Rcode: rcode,
		RecursionDesired: r.RecursionDesired, CheckingDisabled: r.CheckingDisabled,
	}
}
