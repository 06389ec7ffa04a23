package mxsrv

import (
	"context"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/plugin/wire"
)

// octets is a reply that is packed, and what it was packed with.
type octets struct {
	path
	rcode  int
	packed []byte

	packer  wire.Packer
	message wire.Message
	opt     dns.Msg // that CoreDNS adds its OPT record to
}

var pool = sync.Pool{New: func() any { return new(octets) }}

// write writes the reply to the client. Its memory is then for another one, unless
// it was so long that few need as much.
func (o *octets) write() (int, error) {
	const mostKept = 4096
	rcode := o.rcode
	if o.recorder != nil {
		o.recorder.Rcode = rcode
	}
	_, err := o.to.Write(o.packed)
	if len(o.packed) <= mostKept {
		o.path, o.message = path{}, wire.Message{}
		pool.Put(o)
	}
	return rcode, err
}

// say returns the reply of an answer: as octets if nobody is to see the message.
func (m *MXSRV) say(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, a *table.Answer) (*dns.Msg, *octets) {
	p, unseen := pathOf(w)
	switch {
	case !unseen:
	case p.signed:
		if o := m.packSigned(ctx, p, w, r, m.reply(ctx, w, r, t, a)); o != nil {
			return nil, o
		}
	default:
		if o := m.pack(ctx, p, r, a); o != nil {
			return nil, o
		}
	}
	return m.reply(ctx, w, r, t, a), nil
}

// pack packs the message of an answer, and OPT as CoreDNS would add it. It returns nil
// if that cannot be packed.
func (m *MXSRV) pack(ctx context.Context, p path, r *dns.Msg, a *table.Answer) *octets {
	o := pool.Get().(*octets)
	o.message = wire.Message{
		MsgHdr: headerOf(r, a.Rcode), Question: r.Question[0],
		Answer: a.RRs, Owner: a.Owner, Ns: a.Ns, Glue: a.Glue,
	}
	glue, ok := o.pack(p, r)
	if !ok {
		return nil
	}
	if glue < len(a.Glue) {
		trimmedGlue.WithLabelValues(metrics.WithServer(ctx)).Inc()
	}
	return o
}

// packSigned has a message signed by dnssec, and packs it. It returns nil if dnssec has
// to write the message itself: a denial, which needs the zone as dnssec has it, and one
// message a second, as dnssec counts its signatures when it writes. That takes it as
// long as everything else that it does.
func (m *MXSRV) packSigned(ctx context.Context, p path, w dns.ResponseWriter, r, msg *dns.Msg) *octets {
	now := time.Now().UTC()
	if msg.Rcode != dns.RcodeSuccess || len(msg.Answer) == 0 || len(msg.Ns) > 0 || m.counted.Swap(now.Unix()) != now.Unix() {
		return nil
	}
	msg = m.signer.Sign(request.Request{W: w, Req: msg}, now, metrics.WithServer(ctx))
	o := pool.Get().(*octets)
	o.message = wire.Message{MsgHdr: msg.MsgHdr, Question: r.Question[0], Answer: msg.Answer, Ns: msg.Ns, Glue: msg.Extra}
	if glue, ok := o.pack(p, r); !ok || glue < len(msg.Extra) {
		return nil // perhaps a signature without its addresses
	}
	return o
}

// pack packs the message for a client, and returns how many records of glue are in it.
func (o *octets) pack(p path, r *dns.Msg) (glue int, ok bool) {
	state := request.Request{W: p.to, Req: r}
	o.opt.Extra = o.opt.Extra[:0]
	if state.SizeAndDo(&o.opt) {
		o.message.OPT, _ = o.opt.Extra[0].(*dns.OPT)
	}
	o.message.Size = state.Size()
	o.path, o.rcode = p, o.message.Rcode
	var err error
	o.packed, glue, err = o.packer.Pack(&o.message)
	return glue, err == nil
}
