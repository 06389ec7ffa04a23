package answer

import (
	"context"
	"slices"

	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/plugin/wire"
)

// message returns the message of a reply, with all the glue that fits.
func (m *Responder) message(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, reply *Reply) *dns.Msg {
	a := reply.answer.Owned()
	msg, room := newMessage(r, &a)
	msg.MsgHdr, msg.Ns = reply.message.MsgHdr, a.Ns
	msg.Answer, msg.Extra = reply.shuffler.order(&a, room)
	if a.Referral {
		m.refer(ctx, w, r, msg, t, reply)
		return msg
	}
	if len(a.Ns) > 0 {
		m.prove(ctx, r, msg, t)
	}
	m.signAsParent(r, msg, t)
	signs := m.chain.signs(r)
	if signs && slices.ContainsFunc(msg.Extra, isDelegated(t)) { // dnssec would sign that
		msg.Extra = slices.DeleteFunc(slices.Clone(msg.Extra), isDelegated(t))
	}
	if signs && t.MayHaveTLSA() {
		msg.Extra = m.withTLSA(t, msg.Answer, msg.Extra, &reply.answer)
	}
	if n := len(msg.Extra); n > 0 {
		m.trim(w, r, msg, reply)
		if len(msg.Extra) < n {
			m.countTrimmed(ctx)
		}
	}
	if a.Order != table.Canonical && signs {
		afterSigning(ctx, a.RRs, msg.Answer)
		msg.Answer = a.RRs
	}
	return msg
}

// newMessage is SetReply of a message with one question, with room for the records of an answer that are put in
// another order. It takes one allocation, two for more than 128 records: they are most of what an answer costs.
func newMessage(r *dns.Msg, a *table.Answer) (*dns.Msg, []dns.RR) {
	n := len(a.RRs) + len(a.Glue)
	switch {
	case a.Order == table.Canonical:
		return new(question).of(r), nil
	case n <= 8:
		m := new(struct {
			question
			room [8]dns.RR
		})
		return m.of(r), m.room[:]
	case n <= 32:
		m := new(struct {
			question
			room [32]dns.RR
		})
		return m.of(r), m.room[:]
	case n <= 128:
		m := new(struct {
			question
			room [128]dns.RR
		})
		return m.of(r), m.room[:]
	}
	return new(question).of(r), make([]dns.RR, n)
}

// question is a message with one question.
type question struct {
	dns.Msg
	question [1]dns.Question
}

// of returns the message, with the question of r.
func (q *question) of(r *dns.Msg) *dns.Msg {
	q.question[0] = r.Question[0]
	q.Question = q.question[:]
	return &q.Msg
}

// Glue is a courtesy and never worth TC (RFC 2181 §9), with which CoreDNS marks every message that it has to shorten,
// so a message of ours has no more than fits, with room for what is added to it later.

const (
	headerLen   = 12
	questionLen = 4 // type and class
	pointerLen  = 2 // a compressed name, RFC 1035 §4.1.4

	bareOptLen = 11
	nsidRoom   = 4 + 255

	// The cache plugin gives a message that it keeps to clients of any size, so
	// what goes into it must fit the smallest. With DO too: RFC 4035 §4.1 wants
	// 1220 octets of such clients, and there are resolvers that start with 512.
	smallestSize = dns.MinMsgSize
)

// trim leaves out of a message what does not fit of its glue: whole RRsets.
//
//go:noinline
func (m *Responder) trim(w dns.ResponseWriter, r, msg *dns.Msg, reply *Reply) {
	room := room(r, reply.cached)
	octets := headerLen + nameLen(r.Question[0].Name) + questionLen + reply.answer.Len + room
	if m.chain.signature == 0 && octets <= smallestSize {
		return // mostly: nothing that could be too long
	}
	state := request.Request{W: w, Req: r}
	size, signature := state.Size(), 0
	if reply.cached {
		size = smallestSize
	}
	if state.Do() {
		signature = m.chain.signature
	}
	if signature > 0 || octets > size {
		msg.Compress = true
		reply.message = wire.Message{
			Question: msg.Question[0], Answer: msg.Answer, Glue: msg.Extra, Size: size - room - signature*rrsets(msg.Answer),
		}
		msg.Extra = reply.packer.Fit(&reply.message, signature)
	}
}

// rrsets counts the RRsets of an answer: one, and the CNAMEs before it.
func rrsets(rrs []dns.RR) int {
	cnames := slices.IndexFunc(rrs, func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeCNAME })
	if cnames < 0 {
		return len(rrs)
	}
	return cnames + 1
}

// room returns the octets to leave for what CoreDNS adds. Of what cache keeps,
// the next client may have EDNS where this one has not, and may ask in mixed
// case, to which owner names cannot be compressed.
func room(r *dns.Msg, cached bool) int {
	room := optLen(r)
	if cached {
		room = max(room, bareOptLen) + len(r.Question[0].Name)
	}
	return room
}

// optLen returns the octets of the OPT record that CoreDNS will add, at most.
func optLen(r *dns.Msg) int {
	opt := r.IsEdns0()
	if opt == nil {
		return 0
	}
	n := dns.Len(opt)
	for _, o := range opt.Option {
		if o.Option() == dns.EDNS0NSID {
			n += nsidRoom // the nsid plugin fills it in
		}
	}
	return n
}

// nameLen returns the octets of a name that has no escapes and is not compressed.
func nameLen(name string) int {
	if name == "." {
		return 1
	}
	return len(name) + 1
}
