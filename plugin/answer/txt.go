package answer

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A name has one TXT RRset for what has nothing to do with each other: SPF is declared here, and what a search engine
// wants to see at the apex is in the zone of the next plugin. So an answer with TXT records of ours, at a name of which
// the next plugin may have some too, has both. Only these answers cost a lookup there.

const (
	txtDeadline = 2 * time.Second // for the next plugin
	txtRetry    = 60              // TTL of our records alone, where that has failed
)

// mergesTXT reports whether an answer has TXT records of a name, that of the query or the host of an alias, of which
// the next plugin may have some too.
func (m *Responder) mergesTXT(t *table.Table, a *table.Answer) bool {
	if m.Next == nil || len(a.RRs) == 0 {
		return false
	}
	last := a.RRs[len(a.RRs)-1]
	return isTXT(last) && !t.Authoritative(a.OwnerOf(last))
}

// mergeTXT completes such a reply: with the TXT records of both; with ours alone if the next plugin has none, says that
// there is no such name, makes an alias of it, or fails; or with those of the next plugin alone if they are signed, as
// none can be added to them.
func (m *Responder) mergeTXT(
	ctx context.Context, w dns.ResponseWriter, r *dns.Msg, t *table.Table, reply *Reply,
) *Reply {
	reply.answer = reply.answer.Owned()
	first := slices.IndexFunc(reply.answer.RRs, isTXT)
	aliases, ours := reply.answer.RRs[:first], reply.answer.RRs[first:]
	name := ours[0].Header().Name
	res, ttl := m.nextTXT(ctx, w, r, name)
	theirs := txtOf(res, name)
	if len(theirs) > 0 && slices.ContainsFunc(res.Answer, isSignature) {
		reply.msg = m.passSigned(r, res, aliases, name)
		return reply
	}
	m.warnSigned(name, res.Answer)
	m.warnSigned(name, res.Ns)
	reply.answer.RRs = slices.Concat(aliases, union(ours, theirs, ttl))
	reply.message.MsgHdr = headerOf(r, reply.answer.Rcode)
	keepDO(r)
	reply.msg = m.message(ctx, w, r, t, reply)
	if opt := res.IsEdns0(); opt != nil && len(theirs) > 0 { // it may say for which clients they are (RFC 7871 §7.2.1)
		reply.msg.Extra = []dns.RR{dns.Copy(opt)}
	}
	return reply
}

// passSigned returns the message of the next plugin, after the aliases that have led to the name.
func (m *Responder) passSigned(r, res *dns.Msg, aliases []dns.RR, name string) *dns.Msg {
	m.warnOnce("signed TXT of "+m.zoneOf(name), func() string {
		return fmt.Sprintf("the TXT records that the next plugin has of %s are signed: they are answered, and those that "+
			"are declared are not: declare them in the signed zone [overlay-signed]", name)
	})
	passed := *res // the plugin may keep its message
	passed.Id, passed.Question, passed.Answer = r.Id, r.Question, slices.Concat(aliases, res.Answer)
	return &passed
}

func (m *Responder) zoneOf(name string) string { return string(m.zones.Of(definition.Name(name))) }

func isTXT(rr dns.RR) bool       { return rr.Header().Rrtype == dns.TypeTXT }
func isSignature(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeRRSIG }
func isAlias(rr dns.RR) bool {
	return rr.Header().Rrtype == dns.TypeCNAME || rr.Header().Rrtype == dns.TypeDNAME
}

// txtOf returns the TXT records of a name in a message of the next plugin; none if that makes an alias of the name.
func txtOf(res *dns.Msg, name string) (txt []dns.RR) {
	if res.Rcode != dns.RcodeSuccess || slices.ContainsFunc(res.Answer, isAlias) {
		return nil
	}
	for _, rr := range res.Answer {
		if isTXT(rr) && rr.Header().Class == dns.ClassINET && canonical(rr.Header().Name) == name {
			txt = append(txt, rr)
		}
	}
	return txt
}

// nextTXT returns what the next plugin says to a query for the TXT records of a name, and the TTL that an answer may
// have at most. If that fails it is an empty message, to be asked again soon, and a warning is logged, once for a zone.
func (m *Responder) nextTXT(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, name string) (*dns.Msg, uint32) {
	res, err := m.lookupNext(ctx, w, r, name)
	switch {
	case err != nil:
	case res.Rcode == dns.RcodeNameError || slices.ContainsFunc(res.Answer, isAlias):
	case res.Truncated:
		err = fmt.Errorf("the answer is truncated")
	case res.Rcode != dns.RcodeSuccess:
		err = fmt.Errorf("the answer is %s", dns.RcodeToString[res.Rcode])
	}
	if err == nil {
		return res, math.MaxUint32
	}
	m.warnOnce("TXT of "+m.zoneOf(name), func() string {
		return fmt.Sprintf("no TXT records of %s from the next plugin: %v: what is declared is answered alone, with a TTL "+
			"of %d at most", name, err, txtRetry)
	})
	return new(dns.Msg), txtRetry
}

// lookupNext has the next plugin answer a query, for a name, within a deadline. Where the answer is truncated over UDP
// it asks again as if over TCP, as a client would. The message is empty if no plugin answers.
//
// A plugin may go on after the deadline, when the query has its answer. So it gets nothing that others still use: a
// copy of the query, and of the metadata in the context, which plugins before mxsrv read in the end.
func (m *Responder) lookupNext(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, name string) (*dns.Msg, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(withOwnMetadata(outer), txtDeadline)
	defer cancel()
	type result struct {
		res *dns.Msg
		err error
	}
	query, from, results := r.Copy(), clientWriter{local: w.LocalAddr(), remote: w.RemoteAddr()}, make(chan result, 1)
	query.Question[0].Name = name
	go func() {
		res, err := m.askNext(ctx, from, query)
		if udp, ok := from.remote.(*net.UDPAddr); ok && err == nil && res.Truncated {
			from.remote = &net.TCPAddr{IP: udp.IP, Port: udp.Port, Zone: udp.Zone}
			res, err = m.askNext(ctx, from, query)
		}
		results <- result{res, err}
	}()
	select {
	case got := <-results:
		maps.Copy(metadata.ValueFuncs(outer), metadata.ValueFuncs(ctx))
		return got.res, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// askNext has the next plugin answer a query.
func (m *Responder) askNext(ctx context.Context, w clientWriter, query *dns.Msg) (*dns.Msg, error) {
	rcode, err := serveOnce(ctx, m.Next, &w, query.Copy())
	switch {
	case w.msg != nil:
		return w.msg, nil
	case unanswered(rcode, err):
		return new(dns.Msg), nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("there is no answer but %s", dns.RcodeToString[rcode])
}

func withOwnMetadata(ctx context.Context) context.Context {
	values := metadata.ValueFuncs(ctx)
	if values == nil {
		return ctx
	}
	ctx = metadata.ContextWithMetadata(ctx)
	maps.Copy(metadata.ValueFuncs(ctx), values)
	return ctx
}

// A clientWriter keeps the message that is written, and has the addresses of a client.
type clientWriter struct {
	answerWriter
	local, remote net.Addr
}

func (w *clientWriter) LocalAddr() net.Addr  { return w.local }
func (w *clientWriter) RemoteAddr() net.Addr { return w.remote }

// union returns TXT records of ours and then those of the next plugin, as one RRset: each record once, and of the next
// plugin none with a tag that ours have. The TTL is the lowest of all and ttl (RFC 2181 §5.2). The records are copies.
func union(ours, theirs []dns.RR, ttl uint32) []dns.RR {
	name, known, tags := ours[0].Header().Name, make(map[string]bool), make(map[string]bool)
	all := make([]dns.RR, 0, len(ours)+len(theirs))
	for i, rr := range slices.Concat(ours, theirs) {
		data := dataOf(rr.(*dns.TXT))
		tag, isOurs := tagOf(name, data), i < len(ours)
		if known[data] || !isOurs && tags[tag] {
			continue
		}
		known[data], tags[tag] = true, tags[tag] || isOurs && tag != ""
		all = append(all, dns.Copy(rr))
		ttl = min(ttl, rr.Header().Ttl)
	}
	for _, rr := range all {
		rr.Header().Name, rr.Header().Ttl = name, ttl
	}
	return all
}

// dataOf returns the strings of a TXT record, each after its length. A plugin may hold them in the notation of zone
// files, with escapes.
func dataOf(txt *dns.TXT) string {
	const beforeData = 11 // the root, type, class, TTL and the length of the data
	rr := dns.TXT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: txt.Txt}
	wire := make([]byte, dns.Len(&rr))
	end, err := dns.PackRR(&rr, wire, 0, nil, false)
	if err != nil {
		return strings.Join(txt.Txt, "")
	}
	return string(wire[beforeData:end])
}

// tagOf returns the policy that a TXT record is of, like "spf1", in lower case: what follows "v=", with blanks around
// the sign or without (RFC 9989); "" if there is none. A DKIM key may leave it out (RFC 6376 §3.6.1). There must be one
// record of each at a name, or mail servers take none.
func tagOf(name, data string) string {
	var text strings.Builder
	for len(data) > 0 {
		end := min(1+int(data[0]), len(data))
		text.WriteString(data[1:end])
		data = data[end:]
	}
	word, value, _ := strings.Cut(text.String(), "=")
	value, _, _ = strings.Cut(value, ";")
	tag := strings.Fields(value)
	switch {
	case strings.EqualFold(strings.TrimSpace(word), "v") && len(tag) > 0:
		return strings.ToLower(tag[0])
	case strings.Contains(name, "._domainkey."):
		return "dkim1"
	}
	return ""
}
