// Package wire writes replies as the octets that a client gets (RFC 1035 §4.1).
//
// [dns.Msg] can do that for any message. It measures one before it packs it, and keeps
// all ends of all names in a map for it: of an answer with many addresses that is most of
// what it costs. A reply of ours is simpler: its owner is the name that was asked for, and
// its additional records are addresses of names in its answer. A [Packer] writes it in one
// go, and keeps of it what fits.
//
// Names are compressed wherever they may be (RFC 3597 §4; not the targets of SRV records,
// RFC 2782). So a message is never longer than that of miekg/dns, which compresses only
// what would be too long.
package wire

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/miekg/dns"
)

// A Message is a reply to one question.
type Message struct {
	dns.MsgHdr
	Question dns.Question

	Answer []dns.RR
	Owner  string // of all of Answer, if these have none of their own
	Ns     []dns.RR
	Glue   []dns.RR // addresses, RRset after RRset
	OPT    *dns.OPT // or nil

	Size int // octets that the client takes
}

// A Packer packs one message after the other, without allocating anything for records
// of the usual types. The zero value is ready.
type Packer struct {
	buf   []byte
	names []name
	last  int // of names: the one that was an owner last
	limit int // octets for all but the OPT record
	text  []byte
	err   error
}

// Pack returns the octets of a message, which last until the next call, and how many
// records of the glue are in it.
//
// Glue is left out where it does not fit, whole RRsets at a time. If another record does
// not fit, it is left out with all after it, and TC is set. The error is that of
// miekg/dns for a name or a record that has no octets.
func (p *Packer) Pack(m *Message) (octets []byte, glue int, err error) {
	p.start(m)
	answer, ns := p.section(m.Answer, m.Owner), 0
	if !p.cut() {
		ns = p.section(m.Ns, "")
	}
	if !p.cut() {
		for i, end := range p.fitting(m.Glue, 0) {
			glue += end - i
		}
	}
	extra := glue
	if m.OPT != nil {
		p.opt(m.OPT)
		extra++
	}
	for i, count := range [...]int{1, answer, ns, extra} {
		binary.BigEndian.PutUint16(p.buf[counts+2*i:], uint16(count))
	}
	return p.buf, glue, p.err
}

// Cap returns the octets that a packer keeps memory for.
func (p *Packer) Cap() int { return cap(p.buf) }

// Where things are in the header, RFC 1035 §4.1.1.
const (
	flags     = 2
	counts    = 4
	headerLen = 12

	truncated = 1 << 1 // in the octet at flags
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

// cut reports whether something did not fit.
func (p *Packer) cut() bool { return p.buf[flags]&truncated != 0 }

// section writes records while they fit, and returns how many.
func (p *Packer) section(rrs []dns.RR, owner string) int {
	for i, rr := range rrs {
		start := len(p.buf)
		p.record(rr, owner)
		if len(p.buf) > p.limit {
			p.buf = p.buf[:start]
			p.buf[flags] |= truncated
			return i
		}
	}
	return len(rrs)
}

// Fit returns the glue of a message that fits if each RRset of it will take so many
// octets more. It is full to its capacity.
func (p *Packer) Fit(m *Message, each int) []dns.RR {
	p.start(m)
	if p.section(m.Answer, m.Owner); p.cut() {
		return nil
	}
	var fits []dns.RR
	for i, end := range p.fitting(m.Glue, each) {
		if len(fits) == i {
			fits = m.Glue[:end:end] // mostly: the first ones
		} else {
			fits = append(fits, m.Glue[i:end]...)
		}
	}
	return slices.Clip(fits)
}

// fitting writes the RRsets of addresses that fit, and goes through where they start and
// end. What is smaller may fit behind one that does not.
func (p *Packer) fitting(rrs []dns.RR, each int) iter.Seq2[int, int] {
	const least = 16 // octets of an A record with a pointer for its owner
	return func(yield func(int, int) bool) {
		for i, end := 0, 0; i < len(rrs) && p.limit-len(p.buf) >= least+each; i = end {
			start, names := len(p.buf), len(p.names)
			for end = i; end < len(rrs) && sameRRset(rrs[i], rrs[end]); end++ {
				p.record(rrs[end], "")
			}
			if len(p.buf)+each > p.limit {
				p.buf, p.names = p.buf[:start], p.names[:names]
				continue
			}
			p.limit -= each
			if !yield(i, end) {
				return
			}
		}
	}
}

func sameRRset(a, b dns.RR) bool {
	first, second := a.Header(), b.Header()
	return first.Rrtype == second.Rrtype && first.Name == second.Name
}

func (p *Packer) uint16(n uint16) { p.buf = binary.BigEndian.AppendUint16(p.buf, n) }
func (p *Packer) uint32(n uint32) { p.buf = binary.BigEndian.AppendUint32(p.buf, n) }
