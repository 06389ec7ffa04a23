package wire

import (
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// A name is one that is in the message from an octet on, with its labels or with a
// pointer somewhere in it. Where it has no pointer yet, the letter i of its text stands
// for the octet at+i: a dot for the length of the label after it.
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
		p.odd(text)
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
		p.odd(text)
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

// odd writes a name that is not simply labels and dots, or sets an error.
func (p *Packer) odd(text string) {
	const room = 256
	start := len(p.buf)
	p.buf = append(p.buf, make([]byte, room)...)
	end, err := dns.PackDomainName(text, p.buf, start, nil, false)
	if err != nil {
		p.err = err
		end = start
	}
	p.buf = p.buf[:end]
}
