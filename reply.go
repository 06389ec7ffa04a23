package mxsrv

import (
	"context"
	"net"
	"slices"
	"sort"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
)

const (
	headerLen   = 12
	questionLen = 4 // type and class
	bareOptLen  = 11
	nsidRoom    = 4 + 255

	// The cache plugin gives a message that it keeps to clients of any size, so
	// what goes into it must fit the smallest. With DO too: RFC 4035 §4.1 wants
	// 1220 octets of such clients, and there are resolvers that start with 512.
	smallestSize = dns.MinMsgSize
)

// answer writes the message of an answer.
func (m *MXSRV) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, a *table.Answer) (int, error) {
	msg := m.reply(ctx, w, r, t, a)
	return msg.Rcode, w.WriteMsg(msg)
}

// reply makes the message of an answer, with all the glue that fits.
//
// Glue is left out where it does not fit, whole RRsets at a time: it is a
// courtesy, and never worth a TC bit (RFC 2181 §9), with which CoreDNS marks any
// message that it has to shorten.
func (m *MXSRV) reply(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, a *table.Answer) *dns.Msg {
	msg := newReply(r)
	msg.Authoritative = true
	msg.Rcode = a.Rcode
	msg.Answer, msg.Ns, msg.Extra = a.RRs, a.Ns, a.Glue
	if len(a.Ns) > 0 {
		m.prove(ctx, r, msg, t)
	}
	room := m.room(r)
	octets := headerLen + len(r.Question[0].Name) + 1 + questionLen + a.Len + room
	if len(a.Glue) == 0 || m.signature == 0 && octets <= smallestSize {
		return msg // mostly: nothing that could be too long
	}
	state := request.Request{W: w, Req: r}
	size, perRRset := m.size(&state), 0
	if state.Do() {
		perRRset = m.signature
	}
	if perRRset > 0 || octets > size {
		trim(msg, a.Glue, size-room-perRRset*rrsets(a.RRs), perRRset)
		if len(msg.Extra) < len(a.Glue) {
			trimmedGlue.WithLabelValues(metrics.WithServer(ctx)).Inc()
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
	m.MsgHdr = dns.MsgHdr{
		Id: r.Id, Response: true, RecursionDesired: r.RecursionDesired, CheckingDisabled: r.CheckingDisabled,
	}
	m.Question = m.question[:]
	return &m.Msg
}

// size returns the octets that the message may have.
func (m *MXSRV) size(state *request.Request) int {
	if m.cached {
		return smallestSize
	}
	return state.Size()
}

// trim keeps the glue RRsets that fit into size octets with names compressed as
// they will be, perRRset more for each.
func trim(msg *dns.Msg, glue []dns.RR, size, perRRset int) {
	msg.Compress = true
	ends := rrsetEnds(glue)
	kept := sort.Search(len(ends), func(i int) bool {
		msg.Extra = glue[:ends[i]]
		return msg.Len()+perRRset*(i+1) > size
	})
	n := 0
	if kept > 0 {
		n = ends[kept-1]
	}
	msg.Extra = glue[:n:n]
	left := size - msg.Len() - perRRset*kept
	for i := kept + 1; i < len(ends); i++ { // what is smaller may fit all the same
		left -= add(msg, glue[ends[i-1]:ends[i]], left-perRRset, perRRset)
	}
}

// add adds an RRset of glue if it has at most so many octets, and returns how many
// it takes with further ones.
func add(msg *dns.Msg, rrset []dns.RR, most, further int) int {
	const a, aaaa = pointerLen + 10 + net.IPv4len, pointerLen + 10 + net.IPv6len // each, at least
	least := a
	if rrset[0].Header().Rrtype == dns.TypeAAAA {
		least = aaaa
	}
	if len(rrset)*least > most {
		return 0 // mostly: little is left
	}
	before, octets := msg.Extra, msg.Len()
	msg.Extra = slices.Concat(before, rrset)
	if octets = msg.Len() - octets; octets > most {
		msg.Extra = before
		return 0
	}
	msg.Extra = slices.Clip(msg.Extra)
	return octets + further
}

// rrsetEnds returns the number of records up to the end of each RRset.
func rrsetEnds(rrs []dns.RR) []int {
	var ends []int
	for i := range rrs {
		if i+1 == len(rrs) || !dns.IsRRset(rrs[i:i+2]) {
			ends = append(ends, i+1)
		}
	}
	return ends
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
func (m *MXSRV) room(r *dns.Msg) int {
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
