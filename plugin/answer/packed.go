package answer

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

// packed is a reply as octets, and what it was packed with.
type packed struct {
	path
	rcode  int
	octets []byte

	packer  wire.Packer
	message wire.Message
	opt     dns.Msg // that CoreDNS adds its OPT record to
}

var pool = sync.Pool{New: func() any { return new(packed) }}

// write writes the reply to the client, and releases it.
func (o *packed) write() (int, error) {
	rcode := o.rcode
	if o.recorder != nil {
		o.recorder.Rcode = rcode
	}
	_, err := o.to.Write(o.octets)
	o.release()
	return rcode, err
}

// release lets others have the memory, unless it is as much as few need.
func (o *packed) release() {
	const mostKept = 8192
	if o.packer.Cap() <= mostKept {
		o.path, o.message = path{}, wire.Message{}
		pool.Put(o)
	}
}

// reply returns the reply of an answer: packed if nobody is to see the message.
func (m *Responder) reply(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, a *table.Answer, next bool) Reply {
	p, ok := pathOf(w)
	if ok && !p.signed {
		if o := m.pack(ctx, p, r, a); o != nil {
			return Reply{packed: o}
		}
	}
	msg := m.message(ctx, w, r, t, a, next)
	if !ok || !p.signed || !m.maySign(msg) {
		return Reply{msg: msg}
	}
	if o := m.packSigned(ctx, p, w, r, msg); o != nil {
		return Reply{packed: o}
	}
	return Reply{msg: m.message(ctx, w, r, t, a, next)} // one without signatures
}

// pack packs the message of an answer, and OPT as CoreDNS would add it. It returns nil
// if that cannot be packed.
func (m *Responder) pack(ctx context.Context, p path, r *dns.Msg, a *table.Answer) *packed {
	o := pool.Get().(*packed)
	o.message = wire.Message{
		MsgHdr: headerOf(r, a.Rcode), Question: r.Question[0],
		Answer: a.RRs, Owner: a.Owner, Ns: a.Ns, Glue: a.Glue,
	}
	glue, ok := o.pack(p, r)
	if !ok {
		return nil
	}
	if glue < len(a.Glue) {
		m.TrimmedGlue.WithLabelValues(metrics.WithServer(ctx)).Inc()
	}
	return o
}

// maySign reports whether a message is not to be written by dnssec itself: a denial is,
// which needs the zone as dnssec has it, and one message a second, as dnssec counts its
// signatures when it writes. That takes it as long as everything else that it does.
func (m *Responder) maySign(msg *dns.Msg) bool {
	now := time.Now().Unix()
	return m.signer != nil && msg.Rcode == dns.RcodeSuccess && len(msg.Answer) > 0 && len(msg.Ns) == 0 && m.counted.Swap(now) == now
}

// packSigned has a message signed by dnssec, and packs it. It returns nil if that cannot
// be packed with all its glue.
func (m *Responder) packSigned(ctx context.Context, p path, w dns.ResponseWriter, r, msg *dns.Msg) *packed {
	msg = m.signer.Sign(request.Request{W: w, Req: msg}, time.Now().UTC(), metrics.WithServer(ctx))
	o := pool.Get().(*packed)
	o.message = wire.Message{MsgHdr: msg.MsgHdr, Question: r.Question[0], Answer: msg.Answer, Ns: msg.Ns, Glue: msg.Extra}
	if glue, ok := o.pack(p, r); !ok || glue < len(msg.Extra) {
		return nil // perhaps a signature without its addresses
	}
	return o
}

// pack packs the message for a client, and returns how many records of glue are in it.
func (o *packed) pack(p path, r *dns.Msg) (glue int, ok bool) {
	state := request.Request{W: p.to, Req: r}
	o.opt.Extra = o.opt.Extra[:0]
	if state.SizeAndDo(&o.opt) {
		o.message.OPT, _ = o.opt.Extra[0].(*dns.OPT)
	}
	o.message.Size = state.Size()
	o.path, o.rcode = p, o.message.Rcode
	var err error
	o.octets, glue, err = o.packer.Pack(&o.message)
	return glue, err == nil
}
