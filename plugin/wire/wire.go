// Package wire writes replies as the octets that a client gets (RFC 1035 §4.1).
//
// [dns.Msg] can do that for any message. It measures one before it packs it, and keeps
// all ends of all names in a map for it: of an answer with many addresses that is most of
// what it costs. A reply of ours is simpler: its owner is the name that was asked for, and
// its additional records are addresses of names in its answer. A [Packer] writes it in one
// go, and keeps of it what fits.
//
// Names are compressed wherever they may be (RFC 3597 §4; not the targets of SRV records,
// RFC 2782), in messages of any length: miekg/dns compresses only what would be too long.
package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A Message is a reply to one question.
type Message struct {
	dns.MsgHdr
	Question dns.Question

	Answer []dns.RR
	Owner  string // of those of Answer that have the root as owner, if it is not ""
	Ns     []dns.RR
	Glue   []dns.RR // addresses, RRset after RRset
	OPT    *dns.OPT // or nil

	Size int // octets that the client takes
}

// A Packer packs one message after the other. Once it has packed one as long, it allocates
// nothing for records of the usual types, unless it leaves out glue before other glue. The
// zero value is ready.
type Packer struct {
	buf   []byte
	names []name
	last  int // of names: the one that was an owner last
	limit int // octets for all but the OPT record
	err   error
}

// Pack returns a message packed, in memory that the next call reuses, and the glue that is in it, full to its capacity.
//
// Glue is left out where it does not fit, whole RRsets at a time. If another record does
// not fit, it is left out with all after it, and TC is set. The error is that of
// miekg/dns for a name or a record that cannot be packed.
func (p *Packer) Pack(m *Message) (packed []byte, glue []dns.RR, err error) {
	p.start(m)
	answer, ns, opt := p.section(m.Answer, m.Owner), 0, 0
	if !p.truncated() {
		ns = p.section(m.Ns, "")
	}
	if !p.truncated() {
		glue = p.glue(m.Glue, 0)
	}
	if m.OPT != nil {
		opt = 1
		p.record(m.OPT, ".")
	}
	for i, count := range [...]int{1, answer, ns, len(glue) + opt} {
		binary.BigEndian.PutUint16(p.buf[counts+2*i:], uint16(count))
	}
	return p.buf, glue, p.err
}

// Fit returns the glue of a message that fits if each RRset of it will take so many
// octets more, full to its capacity. It may share memory with that of the message.
func (p *Packer) Fit(m *Message, each int) []dns.RR {
	p.start(m)
	if p.section(m.Answer, m.Owner); p.truncated() {
		return nil
	}
	return p.glue(m.Glue, each)
}

// Cap returns the octets that a packer keeps memory for.
func (p *Packer) Cap() int { return cap(p.buf) }

// Where things are in the header, RFC 1035 §4.1.1.
const (
	flags     = 2
	counts    = 4
	headerLen = 12

	flagTC = 1 << 1 // in the octet at flags
)

// start writes the header, without its counts, and the question.
func (p *Packer) start(m *Message) {
	p.buf, p.names, p.last = append(p.buf[:0], make([]byte, headerLen)...), p.names[:0], 0
	p.limit, p.err = m.Size, nil
	if m.OPT != nil {
		p.limit -= dns.Len(m.OPT)
	}
	binary.BigEndian.PutUint16(p.buf, m.Id)
	binary.BigEndian.PutUint16(p.buf[flags:], bits(&m.MsgHdr))
	p.name(m.Question.Name, false)
	p.uint16(m.Question.Qtype)
	p.uint16(m.Question.Qclass)
}

func bits(h *dns.MsgHdr) uint16 {
	all := uint16(h.Opcode&0xf)<<11 | uint16(h.Rcode&0xf)
	for i, set := range [...]bool{h.CheckingDisabled, h.AuthenticatedData, h.Zero, h.RecursionAvailable, h.RecursionDesired, h.Truncated, h.Authoritative} {
		if set {
			all |= 1 << (4 + i)
		}
	}
	if h.Response {
		all |= 1 << 15
	}
	return all
}

// truncated reports whether something did not fit that TC is set for.
func (p *Packer) truncated() bool { return p.buf[flags]&flagTC != 0 }

// section writes records while they fit, and returns how many.
func (p *Packer) section(rrs []dns.RR, owner string) int {
	for i, rr := range rrs {
		start := len(p.buf)
		p.record(rr, owner)
		if len(p.buf) > p.limit {
			p.buf = p.buf[:start]
			p.buf[flags] |= flagTC
			return i
		}
	}
	return len(rrs)
}

// glue writes the RRsets that fit, and returns them. What is smaller may fit after one that does not.
func (p *Packer) glue(rrs []dns.RR, each int) (fits []dns.RR) {
	const least = 16 // octets of an A record with a pointer for its owner
	for i, end := 0, 0; i < len(rrs) && p.limit-len(p.buf) >= least+each; i = end {
		start, names := len(p.buf), len(p.names)
		for end = i; end < len(rrs) && sameRRset(rrs[i], rrs[end]); end++ {
			p.record(rrs[end], "")
		}
		switch {
		case len(p.buf)+each > p.limit:
			p.buf, p.names = p.buf[:start], p.names[:names]
			continue
		case len(fits) == i:
			fits = rrs[:end:end] // mostly: the first ones
		default:
			fits = append(fits, rrs[i:end]...)
		}
		p.limit -= each
	}
	return slices.Clip(fits)
}

func sameRRset(a, b dns.RR) bool {
	first, second := a.Header(), b.Header()
	return first.Rrtype == second.Rrtype && first.Name == second.Name
}

// record writes a record. Its owner is as it says, unless that is the root and another is given.
func (p *Packer) record(rr dns.RR, owner string) {
	h := rr.Header()
	if owner == "" || h.Name != "." {
		owner = h.Name
	}
	p.owner(owner)
	p.uint16(h.Rrtype)
	p.uint16(h.Class)
	p.uint32(h.Ttl)
	p.uint16(0)
	start := len(p.buf)
	p.data(rr)
	binary.BigEndian.PutUint16(p.buf[start-2:], uint16(len(p.buf)-start))
}

// data writes the data of a record.
func (p *Packer) data(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.A:
		p.address(rr, rr.A.To4(), net.IPv4len)
	case *dns.AAAA:
		p.address(rr, rr.AAAA, net.IPv6len)
	case *dns.MX:
		p.uint16(rr.Preference)
		p.name(rr.Mx, true)
	case *dns.SRV:
		p.uint16(rr.Priority)
		p.uint16(rr.Weight)
		p.uint16(rr.Port)
		p.name(rr.Target, false)
	case *dns.CNAME:
		p.name(rr.Target, true)
	case *dns.NS:
		p.name(rr.Ns, true)
	case *dns.SOA:
		p.name(rr.Ns, true)
		p.name(rr.Mbox, true)
		for _, n := range [...]uint32{rr.Serial, rr.Refresh, rr.Retry, rr.Expire, rr.Minttl} {
			p.uint32(n)
		}
	case *dns.OPT:
		if len(rr.Option) > 0 {
			p.other(rr)
		}
	case *dns.PTR:
		p.name(rr.Ptr, true)
	case *dns.TXT:
		p.txt(rr)
	case *dns.SVCB:
		p.binding(rr, rr.Target)
	case *dns.HTTPS:
		p.binding(rr, rr.Target)
	default:
		p.other(rr)
	}
}

// txt writes strings. Those with escapes are rare.
func (p *Packer) txt(rr *dns.TXT) {
	const longest = 255
	unusual := func(s string) bool { return len(s) > longest || strings.IndexByte(s, '\\') >= 0 }
	if len(rr.Txt) == 0 || slices.ContainsFunc(rr.Txt, unusual) {
		p.other(rr)
		return
	}
	for _, s := range rr.Txt {
		p.buf = append(append(p.buf, byte(len(s))), s...)
	}
}

// binding writes the data of a SVCB or HTTPS record, and notes where its target is: after the priority.
func (p *Packer) binding(rr dns.RR, target string) {
	const priority = 2
	at := len(p.buf) + priority
	if p.other(rr); target != "." && at < maxPointer && strings.IndexByte(target, '\\') < 0 {
		p.names = append(p.names, name{target, at})
	}
}

// address writes the octets of an address, if it has as many as it must.
func (p *Packer) address(rr dns.RR, ip net.IP, length int) {
	if len(ip) != length {
		p.other(rr) // which knows what to say of it
		return
	}
	p.buf = append(p.buf, ip...)
}

// other writes the data of a record as miekg/dns packs it.
func (p *Packer) other(rr dns.RR) {
	packed, err := (&dns.Msg{Answer: []dns.RR{rr}}).Pack() // PackRR would write to the record, which is shared
	if err != nil {
		p.err = err
		return
	}
	_, owner, err := dns.UnpackDomainName(packed, headerLen)
	if err != nil {
		p.err = err
		return
	}
	const fixed = 10 // type, class, TTL and the length of the data
	p.buf = append(p.buf, packed[owner+fixed:]...)
}

func (p *Packer) uint16(n uint16) { p.buf = binary.BigEndian.AppendUint16(p.buf, n) }
func (p *Packer) uint32(n uint32) { p.buf = binary.BigEndian.AppendUint32(p.buf, n) }

// A name is one that is in the message from an octet on, with its labels or with a
// pointer somewhere in it. Before the pointer, the label that begins with the letter i of
// its text has its length in the octet at+i.
type name struct {
	text string
	at   int
}

const (
	pointer     = 0xc000  // what makes an octet a pointer, RFC 1035 §4.1.4
	maxPointer  = 1 << 14 // octets from here on have none
	mostChecked = 64      // names that others are compressed to
	longest     = 254     // letters of a name, RFC 1035 §2.3.4
	longLabel   = 63
)

var errEmpty = errors.New("wire: empty name: write . for the root")

// owner writes the name of a record: mostly a pointer to that of the question, or to a
// target. Targets come in the order of their addresses.
func (p *Packer) owner(text string) {
	for range p.names {
		if p.last >= len(p.names) {
			p.last = 0
		}
		if n := p.names[p.last]; n.text == text {
			p.uint16(pointer | uint16(n.at))
			return
		}
		p.last++
	}
	p.name(text, true)
}

// name writes a name: what is before the longest end that it has in common with another
// in the message, and a pointer to that, if it may be compressed.
func (p *Packer) name(text string, compress bool) {
	switch text {
	case ".":
		p.buf = append(p.buf, 0)
		return
	case "":
		p.err = errEmpty
		return
	}
	if len(text) > longest {
		p.packEscaped(text, compress)
		return
	}
	own, at := len(text), 0
	if compress {
		own, at = p.common(text)
	}
	start := len(p.buf)
	switch {
	case own == 0:
		p.uint16(pointer | uint16(at))
		return
	case !p.labels(text[:own]):
		p.packEscaped(text, compress)
		return
	case own < len(text):
		p.buf = p.buf[:len(p.buf)-1]
		p.uint16(pointer | uint16(at))
	}
	if start < maxPointer {
		p.names = append(p.names, name{text, start})
	}
}

// common returns how many letters of a name are before the longest end, of whole
// labels, that it has in common with one in the message, and where that is. Of names that
// have the same in common, the first has all of it without a pointer.
func (p *Packer) common(text string) (own, at int) {
	own = len(text)
	for _, n := range p.names[:min(len(p.names), mostChecked)] {
		if own < 2 || !strings.HasSuffix(n.text, text[own-2:]) {
			continue // it has no more in common
		}
		if before := beforeCommon(text, n.text); before < own {
			if end := n.at + len(n.text) - (len(text) - before); end < maxPointer {
				own, at = before, end
			}
		}
	}
	return own, at
}

// beforeCommon returns the length of what is before the longest end, of whole
// labels, that a name has in common with another.
func beforeCommon(name, other string) int {
	i, j := len(name), len(other)
	for i > 0 && j > 0 && name[i-1] == other[j-1] {
		i--
		j--
	}
	if i == 0 && (j == 0 || other[j-1] == '.') || j == 0 && name[i-1] == '.' {
		return i
	}
	return i + strings.IndexByte(name[i:], '.') + 1
}

// labels writes whole labels, and 0 for an end. It reports false, and writes nothing,
// if they are none or have escapes.
func (p *Packer) labels(text string) bool {
	if text[len(text)-1] != '.' || strings.IndexByte(text, '\\') >= 0 {
		return false
	}
	start := len(p.buf)
	length := start // octet of the label
	p.buf = append(append(p.buf, 0), text...)
	for length < len(p.buf)-1 {
		label := strings.IndexByte(text[length-start:], '.')
		if label == 0 || label > longLabel {
			p.buf = p.buf[:start]
			return false
		}
		p.buf[length] = byte(label)
		length += label + 1
	}
	p.buf[length] = 0
	return true
}

// packEscaped writes a name that is not simply labels and dots, or sets an error. Names with escapes come in questions,
// so they are compressed to the question as a whole, and to other names by the labels after the last with an escape.
func (p *Packer) packEscaped(text string, compress bool) {
	const room = 256
	start := len(p.buf)
	p.buf = append(p.buf, make([]byte, room)...)
	end, err := dns.PackDomainName(text, p.buf, start, nil, false)
	if err != nil {
		p.err = err
		p.buf = p.buf[:start]
		return
	}
	p.buf = p.buf[:end]
	tail := plainEnd(text)
	front := end - len(tail) - 1
	if compress {
		if own, at := p.inQuestion(start, front); own < front {
			p.buf = p.buf[:own]
			p.uint16(pointer | uint16(at))
			return
		}
	}
	if tail != "" {
		p.buf = p.buf[:front]
		p.name(tail, compress)
	}
}

// plainEnd returns the labels of a name after the last that has an escape.
func plainEnd(text string) string {
	escaped := strings.LastIndexByte(text, '\\') + 1
	if escaped == 0 {
		return ""
	}
	backslashes := escaped - len(strings.TrimRight(text[:escaped], `\`))
	_, end, _ := strings.Cut(text[escaped+backslashes%2:], ".") // the letter after a backslash may be a dot too
	return end
}

// inQuestion returns where the longest end begins that a name, the last in the message, has in common with the
// question, and where that is in the question; or front, if none begins before that.
func (p *Packer) inQuestion(start, front int) (own, at int) {
	for own = start; own < front; own += 1 + int(p.buf[own]) {
		end := p.buf[own:]
		for at = headerLen; p.buf[at] != 0; at += 1 + int(p.buf[at]) {
			if at+len(end) <= start && bytes.Equal(p.buf[at:at+len(end)], end) {
				return own, at
			}
		}
	}
	return front, 0
}
