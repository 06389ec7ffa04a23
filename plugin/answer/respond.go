// Package answer writes what a table answers, in the midst of the other plugins of a server block.
//
// A [Responder] finds the answer to a query and makes it a [Reply]: a message, or a packed reply where no plugin before
// mxsrv needs to see a message and the writer is that of a UDP, TCP or TLS client. What the table does not answer is for
// the next plugin, which writes through an overlay where it must not deny a declared name, nor make an alias of it. Where
// both have TXT records of a name, an answer has those of both.
//
// Records that may be sent in several orders are put in a new one for each reply, as their weights say. Where dnssec
// signs, it sees one order, and the other is made of what it writes.
//
// Glue never sets TC. An RRset that does not fit is left out whole, and a later one that is smaller may still be sent;
// there is room for what plugins and CoreDNS add later. Where dnssec signs, a denial has an NSEC record made here (RFC
// 9824), as that of dnssec lists fixed types; only an NXDOMAIN of the next plugin is left to dnssec.
//
// # Limitations
//
// Where cache keeps messages, glue is left out so that a message fits 512 octets, for clients of any size. A packed reply
// bypasses a writer with which another server block of the same listener decorates its UDP socket, as the shed plugin
// does. NSEC3 is not made.
package answer

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/plugin/wire"
)

// Config is what a responder is made for.
type Config struct {
	Zones         definition.Zones
	Authoritative definition.Zones // of Zones
	Fallthrough   definition.Zones // names in these may also be declared by the next plugins

	TrimmedGlue, RepairedNXDOMAIN, RepairedAlias *prometheus.CounterVec // by server

	Warn func(text string) // logs what operators must know of the next plugins, each thing once
}

// self is the name of our plugin, in the order of plugin.cfg.
const self = "mxsrv"

// A Responder makes the replies of one server block. Once it has inspected the chain, it is safe for concurrent use.
type Responder struct {
	Next plugin.Handler // or nil

	config Config
	zones  definition.ZoneSet
	soas   soas
	stop   context.CancelFunc // ends Follow
	server *dnsserver.Config

	inspected sync.Once
	marks     bool // a marker is the first handler
	chain     chain

	warned   sync.Map     // what a warning was logged of: a name, the TXT records of a zone, or "" for signed records
	warnings atomic.Int32 // how many were
}

// New returns a responder that does not know the other plugins: until it has inspected the chain it packs nothing.
func New(c Config) *Responder {
	return &Responder{config: c, zones: c.Zones.Set(), soas: newSOAs(&c)}
}

// A Reply is what one query gets. It must be written, once.
type Reply struct {
	rcode  int
	msg    *dns.Msg
	packed []byte
	cached bool // the cache plugin will keep it

	signed dns.ResponseWriter // the one that dnssec writes to, if the message is signed; or nil

	answer   table.Answer
	shuffler shuffler
	room     []dns.RR // for the records of an answer in another order
	message  wire.Message
	packer   wire.Packer
	opt      dns.Msg // of which only Extra is used: SizeAndDo appends the OPT record to it
}

var replies = sync.Pool{New: func() any { return &Reply{shuffler: newShuffler()} }}

// Reply returns the reply to a query. It returns none if the next plugin is to be asked, and then the writer for that:
// w, or an overlay.
//
// A reply is made first and written last, with little on the stack: each query has a goroutine of its own, whose stack
// is copied when it is full. Below the errors plugin 1.6 KB of its 4 KB are free, and growing it costs half as much as
// the rest of the query.
func (m *Responder) Reply(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table) (*Reply, dns.ResponseWriter) {
	if t == nil || !concerns(r) {
		return m.refusal(r, t, m.Next == nil), w
	}
	name, qtype := canonical(r.Question[0].Name), r.Question[0].Qtype
	reply := replies.Get().(*Reply)
	match := t.Find(name, qtype, &reply.answer)
	if match == table.Data {
		if qtype == dns.TypeTXT && m.mergesTXT(t, &reply.answer) {
			return m.mergeTXT(ctx, w, r, t, reply), w
		}
		return m.complete(ctx, w, r, t, reply), w
	}
	replies.Put(reply)
	if m.Next == nil {
		return m.deny(ctx, w, r, t), w
	}
	return nil, m.overlay(ctx, w, r, t, name, match)
}

// deny returns the reply that denies what no plugin has answered, with the SOA that lets resolvers keep
// that (RFC 2308); none outside the zones.
func (m *Responder) deny(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table) *Reply {
	denial := t.Denial(canonical(r.Question[0].Name), r.Question[0].Qtype)
	if denial.Ns == nil {
		return nil
	}
	reply := replies.Get().(*Reply)
	reply.answer = denial
	return m.complete(ctx, w, r, t, reply)
}

// complete packs a reply whose answer is known, or makes its message.
func (m *Responder) complete(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, reply *Reply) *Reply {
	reply.message.MsgHdr = headerOf(r, reply.answer.Rcode)
	reply.message.Authoritative = !reply.answer.Referral
	if len(reply.answer.Ns) > 0 {
		reply.answer.Ns = m.soas.of(reply.answer.Ns)
	}
	keepDO(r)
	reply.cached = m.chain.caches && m.chain.bypassed.Of(definition.Name(canonical(r.Question[0].Name))) == ""
	if !m.mayPack(ctx, w, r, reply) || !reply.pack(w, r) {
		reply.msg = m.message(ctx, w, r, t, reply)
	} else if len(reply.message.Glue) < len(reply.answer.Glue) {
		m.countTrimmed(ctx)
	}
	return reply
}

// keepDO clears all EDNS flags of a query but DO: CoreDNS makes its OPT record the one of the reply, flags included, and
// a flag that is not known must be 0 in that (RFC 6891 §6.1.4).
func keepDO(r *dns.Msg) {
	const do = 1 << 15
	if opt := r.IsEdns0(); opt != nil {
		opt.Hdr.Ttl &= do
	}
}

// headerOf returns the header of a reply.
func headerOf(r *dns.Msg, rcode int) dns.MsgHdr {
	return dns.MsgHdr{
		Id: r.Id, Response: true, Authoritative: true, Rcode: rcode,
		RecursionDesired: r.RecursionDesired, CheckingDisabled: r.CheckingDisabled,
	}
}

// mayPack reports whether a reply may be packed: no plugin before mxsrv needs the message, the client takes octets, and
// there is data, for prometheus counts as NOERROR what is written as octets.
func (m *Responder) mayPack(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, reply *Reply) bool {
	switch {
	case m.chain.packing == never || reply.cached || reply.answer.Rcode != dns.RcodeSuccess || len(reply.answer.RRs) == 0:
		return false
	case m.chain.signs(r):
		return false
	case m.chain.packing == asFirst:
		return isClient(w)
	}
	return ctx.Value(markerKey{}) == true
}

func wantsSignatures(r *dns.Msg) bool {
	opt := r.IsEdns0()
	return opt != nil && opt.Do()
}

// isClient reports whether a client over UDP, TCP or TLS gets what is written: only these take octets. The writers of
// HTTPS and gRPC, and of plugins that ask the server itself, are no ConnectionStater and need the message; that of QUIC
// closes its stream in WriteMsg.
func isClient(w dns.ResponseWriter) bool {
	scrub, ok := w.(*request.ScrubWriter)
	if !ok {
		return false
	}
	if _, ok := scrub.ResponseWriter.(*dnsserver.DoQWriter); ok {
		return false
	}
	_, ok = scrub.ResponseWriter.(dns.ConnectionStater)
	return ok
}

func (m *Responder) countTrimmed(ctx context.Context) {
	m.config.TrimmedGlue.WithLabelValues(metrics.WithServer(ctx)).Inc()
}

// pack packs a reply, with the OPT record that CoreDNS would add. It reports whether that can be done. It is not inlined
// so that its frame is not on the stack while a message is made.
//
//go:noinline
func (p *Reply) pack(w dns.ResponseWriter, r *dns.Msg) bool {
	state := request.Request{W: w, Req: r}
	p.message = wire.Message{
		MsgHdr: p.message.MsgHdr, Question: r.Question[0], Size: state.Size(), Owner: p.answer.Owner, Ns: p.answer.Ns,
	}
	if n := len(p.answer.RRs) + len(p.answer.Glue); n > len(p.room) && p.answer.Order != table.Canonical {
		p.room = make([]dns.RR, n)
	}
	p.message.Answer, p.message.Glue = p.shuffler.order(&p.answer, p.room)
	p.opt.Extra = p.opt.Extra[:0]
	if state.SizeAndDo(&p.opt) {
		p.message.OPT, _ = p.opt.Extra[0].(*dns.OPT)
	}
	var err error
	p.packed, p.message.Glue, err = p.packer.Pack(&p.message)
	return err == nil
}

// Write writes the reply and returns its rcode. If there is nothing but an rcode, CoreDNS writes that.
func (p *Reply) Write(w dns.ResponseWriter) (rcode int, err error) {
	rcode, msg := p.rcode, p.msg
	switch {
	case msg != nil:
		if p.signed != nil {
			w = p.signed
		}
		p.release()
		rcode = msg.Rcode // first: dnssec changes it
		return rcode, w.WriteMsg(msg)
	case p.packed != nil:
		_, err = w.Write(p.packed)
		p.release()
	}
	return rcode, err
}

// concerns reports whether a query can be about definitions: one question, class IN, opcode QUERY, and no type that
// means something else.
func concerns(r *dns.Msg) bool {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return false
	}
	q := &r.Question[0]
	return q.Qclass == dns.ClassINET && !isTransfer(q.Qtype) && q.Qtype != dns.TypeNXNAME
}

// refusal returns the reply to what must not go to the next plugin, or nil:
//
//   - SERVFAIL in our zones before there is a table, for the next plugin might deny what is about to be declared;
//   - REFUSED for a transfer of an authoritative zone that the transfer plugin has left to the next one;
//   - FORMERR for NXNAME (RFC 9824 §3.5) in an authoritative zone, and in others where no plugin follows.
func (m *Responder) refusal(r *dns.Msg, t *table.Table, last bool) *Reply {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return nil
	}
	name, qtype := canonical(r.Question[0].Name), r.Question[0].Qtype
	switch {
	case t == nil && concerns(r) && m.zones.Of(definition.Name(name)) != "":
		return &Reply{rcode: dns.RcodeServerFailure}
	case t == nil:
	case isTransfer(qtype) && t.IsApex(name):
		return &Reply{rcode: dns.RcodeRefused}
	case qtype == dns.TypeNXNAME && (t.AuthoritativeSOA(name) != nil || last && m.zones.Of(definition.Name(name)) != ""):
		return &Reply{rcode: dns.RcodeFormatError}
	}
	return nil
}

func isTransfer(qtype uint16) bool { return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR }

// canonical returns a name in lower case. Unpacking has normalized its escapes; request.Request.Name does that again,
// and costs as much as the rest of ServeDNS. strings.ToLower costs a third of that.
func canonical(name string) string {
	for i := range len(name) {
		if c := name[i]; c >= 'A' && c <= 'Z' {
			return strings.ToLower(name)
		}
	}
	return name
}

// release returns the reply to the pool, unless its buffer has grown beyond what most replies need.
func (p *Reply) release() {
	const maxKept = 8192
	if p.packer.Cap() <= maxKept {
		p.msg, p.packed, p.cached, p.signed = nil, nil, false, nil
		p.answer, p.message = table.Answer{}, wire.Message{}
		replies.Put(p)
	}
}
