package answer

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/coredns/coredns/plugin/dnssec"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/plugin/wire"
)

// refer completes the message of a referral: with the DS records of the delegation, or the proof that there are none
// (RFC 4035 §3.1.4), and with the glue that fits. Where that lacks an address without which the delegation is of no use,
// TC is set (RFC 9471 §3.1).
func (m *Responder) refer(ctx context.Context, w dns.ResponseWriter, r, msg *dns.Msg, t *table.Table, reply *Reply) {
	if m.chain.signs(r) {
		m.secure(ctx, w, r, msg, t, reply)
	}
	state := request.Request{W: w, Req: r}
	reply.message = wire.Message{
		Question: msg.Question[0], Answer: msg.Ns, Glue: msg.Extra, Size: state.Size() - optLen(r),
	}
	glue := msg.Extra
	msg.Extra, msg.Compress = reply.packer.Fit(&reply.message, 0), true
	if len(msg.Extra) < len(glue) {
		m.countTrimmed(ctx)
		cut := definition.Name(msg.Ns[0].Header().Name)
		msg.Truncated = inDomain(cut, msg.Extra) < inDomain(cut, glue)
	}
}

// inDomain counts the addresses of hosts in a delegated zone.
func inDomain(cut definition.Name, glue []dns.RR) (n int) {
	for _, rr := range glue {
		if definition.Name(rr.Header().Name).Below(cut) {
			n++
		}
	}
	return n
}

// secure adds the signed DS records of a delegation, or a signed NSEC record without that type. dnssec would add a NSEC
// record of the name in question, which proves nothing of the delegation, so the message is written past it. Where that
// cannot be done it gets the DS records only, which dnssec signs.
func (m *Responder) secure(ctx context.Context, w dns.ResponseWriter, r, msg *dns.Msg, t *table.Table, reply *Reply) {
	cut := msg.Ns[0].Header().Name
	soa := t.AuthoritativeSOA(cut)
	_, ds := t.Lookup(cut, dns.TypeDS)
	proof, hasDS := ds.RRs, len(ds.RRs) > 0
	if !hasDS {
		proof = []dns.RR{nsec(cut, soa[0].Header().Ttl, []uint16{dns.TypeNS, dns.TypeRRSIG, dns.TypeNSEC})}
	}
	signed := m.sign(ctx, r.Question[0], soa[0].Header().Name, slices.Clone(proof))
	past := pastDNSSEC(w)
	switch {
	case len(signed) == len(proof): // it does not sign this zone
	case past != nil:
		msg.Ns, reply.signed = slices.Concat(msg.Ns, signed), past
		unsigned := isDelegated(t) // all others would come with signatures (RFC 4035 §3.1.1)
		msg.Extra = slices.DeleteFunc(slices.Clone(msg.Extra), func(rr dns.RR) bool { return !unsigned(rr) })
	case hasDS:
		msg.Ns = slices.Concat(msg.Ns, ds.RRs)
	}
}

// isDelegated returns a function that reports whether a record is of a delegated zone.
func isDelegated(t *table.Table) func(dns.RR) bool {
	return func(rr dns.RR) bool { return t.Cut(rr.Header().Name) != "" }
}

// pastDNSSEC returns the writer that dnssec writes to, or nil if another plugin is between it and mxsrv. CoreDNS wraps
// the writer that a plugin gives to the next one, in a type of its own.
func pastDNSSEC(w dns.ResponseWriter) dns.ResponseWriter {
	for {
		if d, ok := w.(*dnssec.ResponseWriter); ok {
			return d.ResponseWriter
		}
		v := reflect.Indirect(reflect.ValueOf(w))
		if v.Type().String() != "plugin.pluginWriter" {
			return nil
		}
		w, _ = v.FieldByName("ResponseWriter").Interface().(dns.ResponseWriter)
	}
}

// SignAbove signs the reply to a question for DS that has come to another server block, whose dnssec does not sign this
// zone. A denial is signed already.
func (m *Responder) SignAbove(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, reply *Reply) {
	if reply.msg == nil || len(reply.msg.Answer) == 0 || !m.chain.signs(r) {
		return
	}
	reply.msg.Answer = m.sign(ctx, r.Question[0], "", slices.Clone(reply.msg.Answer))
	if reply.signed = pastDNSSEC(w); reply.signed == nil {
		reply.signed = w
	}
}

// signAsParent has dnssec sign the DS records of a zone that is authoritative here as the zone above, to which they
// belong.
func (m *Responder) signAsParent(r, msg *dns.Msg, t *table.Table) {
	if r.Question[0].Qtype != dns.TypeDS || !m.chain.signs(r) {
		return
	}
	msg.Answer = slices.Clone(msg.Answer)
	for i, rr := range msg.Answer {
		if name := rr.Header().Name; rr.Header().Rrtype == dns.TypeDS && t.IsApex(name) {
			msg.Answer[i] = dns.Copy(rr)
			msg.Answer[i].Header().Name = asParent(name)
		}
	}
}

// asParent writes the first letter of a name as a number. dnssec signs a record as the closest zone that its owner is in
// by the text of both, and so this one as the zone above that of the name; in messages it is the same name.
func asParent(name string) string { return fmt.Sprintf("\\%03d%s", name[0], name[1:]) }
