package answer

import (
	"context"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/plugin/wire"
)

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

// message makes the message of an answer, with all the glue that fits.
//
// Glue is left out where it does not fit, whole RRsets at a time: it is a
// courtesy, and never worth a TC bit (RFC 2181 §9), with which CoreDNS marks any
// message that it has to shorten.
func (m *Responder) message(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, a *table.Answer, next bool) *dns.Msg {
	msg := newReply(r)
	msg.MsgHdr = headerOf(r, a.Rcode)
	msg.Answer, msg.Ns, msg.Extra = a.Owned().RRs, a.Ns, a.Glue
	if len(a.Ns) > 0 {
		m.prove(ctx, r, msg, t, next)
	}
	if len(a.Glue) == 0 {
		return msg
	}
	room := m.room(r)
	octets := headerLen + nameLen(r.Question[0].Name) + questionLen + a.Len + room
	if m.signature == 0 && octets <= smallestSize {
		return msg // mostly: nothing that could be too long
	}
	state := request.Request{W: w, Req: r}
	size, perRRset := m.size(&state), 0
	if state.Do() {
		perRRset = m.signature
	}
	if perRRset > 0 || octets > size {
		trim(msg, a.Glue, size-room-perRRset*rrsets(msg.Answer), perRRset)
		if len(msg.Extra) < len(a.Glue) {
			m.TrimmedGlue.WithLabelValues(metrics.WithServer(ctx)).Inc()
		}
	}
	return msg
}

// newReply is SetReply of a message with one question, in one allocation
// instead of two: they are most of what an answer costs.
func newReply(r *dns.Msg) *dns.Msg {
	m := &struct {
		dns.Msg
		question [1]dns.Question
	}{question: [1]dns.Question{r.Question[0]}}
	m.Question = m.question[:]
	return &m.Msg
}

// headerOf is the header of a reply.
func headerOf(r *dns.Msg, rcode int) dns.MsgHdr {
	return dns.MsgHdr{
		Id: r.Id, Response: true, Authoritative: true, Rcode: rcode,
		RecursionDesired: r.RecursionDesired, CheckingDisabled: r.CheckingDisabled,
	}
}

// size returns the octets that the message may have.
func (m *Responder) size(state *request.Request) int {
	if m.cached {
		return smallestSize
	}
	return state.Size()
}

// trim keeps the glue RRsets that fit into size octets with names compressed as
// they will be, perRRset more for each.
func trim(msg *dns.Msg, glue []dns.RR, size, perRRset int) {
	o := pool.Get().(*packed)
	defer o.release()
	msg.Compress = true
	msg.Extra = o.packer.Fit(&wire.Message{Question: msg.Question[0], Answer: msg.Answer, Glue: glue, Size: size}, perRRset)
}

// rrsets counts the RRsets of an answer: one, and the CNAME before it.
func rrsets(rrs []dns.RR) int {
	if rrs[0].Header().Rrtype == dns.TypeCNAME && len(rrs) > 1 {
		return 2
	}
	return 1
}

// room returns the octets to leave for what CoreDNS adds. Of what cache keeps,
// the next client may have EDNS where this one has not, and may ask in mixed
// case, to which owner names cannot be compressed.
func (m *Responder) room(r *dns.Msg) int {
	room := optLen(r)
	if m.cached {
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
