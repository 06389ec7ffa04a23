package foreign

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// The options of dnsmasq for records of other types.

// rdata is data of a record that is being made. The first word that does not fit is the mistake.
type rdata struct {
	octets  []byte
	mistake string
}

func (r *rdata) number(word string, bits int) {
	n, err := strconv.ParseUint(word, 10, bits)
	if err != nil && r.mistake == "" {
		r.mistake = definition.Sprintf("%q: write a number from 0 to %d", word, uint32(1)<<bits-1)
	}
	if bits == 8 {
		r.octets = append(r.octets, byte(n))
	} else {
		r.octets = binary.BigEndian.AppendUint16(r.octets, uint16(n))
	}
}

// text appends a string of a record, its length first.
func (r *rdata) text(s string) {
	if len(s) > 255 && r.mistake == "" {
		r.mistake = definition.Sprintf("%q has %d octets: write at most 255", s, len(s))
	}
	r.octets = append(append(r.octets, byte(len(s))), s...)
}

func (r *rdata) name(s string) {
	wire := make([]byte, 256)
	end, err := dns.PackDomainName(absolute(s), wire, 0, nil, false)
	if err != nil {
		r.mistake = definition.Sprintf("%q is no name", s)
		return
	}
	r.octets = append(r.octets, wire[:end]...)
}

// record declares a record, unless its data has a mistake.
func (d *dnsmasq) record(l Line, owner string, rrtype uint16, data rdata) {
	if data.mistake != "" {
		d.skip(l, "%s", data.mistake)
		return
	}
	d.recordOf(l, absolute(owner), rrtype, hex.EncodeToString(data.octets), d.defaultTTL(l))
}

// txtRecord reads: txt-record=NAME[,TEXT...]
func (d *dnsmasq) txtRecord(o option) {
	name, texts, _ := strings.Cut(o.value, ",")
	var data rdata
	for text := range strings.SplitSeq(texts, ",") {
		text = shown(text)
		for len(text) > 255 {
			data.text(text[:255])
			text = text[255:]
		}
		data.text(text)
	}
	d.record(o.Line, strings.TrimSpace(name), dns.TypeTXT, data)
}

// ptrRecord reads: ptr-record=NAME,TARGET
func (d *dnsmasq) ptrRecord(o option) {
	words, ok := d.fields(o, "ptr-record=NAME,TARGET", 2)
	if !ok {
		return
	}
	if words[1] == "" {
		d.skip(o.Line, "usage: ptr-record=NAME,TARGET")
		return
	}
	var data rdata
	data.name(words[1])
	d.record(o.Line, words[0], dns.TypePTR, data)
}

// caaRecord reads: caa-record=NAME,FLAGS,TAG,VALUE
func (d *dnsmasq) caaRecord(o option) {
	words, ok := d.fields(o, "caa-record=NAME,FLAGS,TAG,VALUE", 4)
	if !ok {
		return
	}
	var data rdata
	data.number(words[1], 8)
	data.text(words[2])
	data.octets = append(data.octets, shown(words[3])...)
	d.record(o.Line, words[0], dns.TypeCAA, data)
}

// naptrRecord reads: naptr-record=NAME,ORDER,PREFERENCE,FLAGS,SERVICE,REGEXP[,REPLACEMENT]
func (d *dnsmasq) naptrRecord(o option) {
	words, ok := d.fields(o, "naptr-record=NAME,ORDER,PREFERENCE,FLAGS,SERVICE,REGEXP,REPLACEMENT", 7)
	if !ok {
		return
	}
	var data rdata
	data.number(words[1], 16)
	data.number(words[2], 16)
	for _, word := range words[3:6] {
		data.text(shown(word))
	}
	data.name(words[6])
	d.record(o.Line, words[0], dns.TypeNAPTR, data)
}

// anyRecord reads: dns-rr=NAME,TYPE[,HEX]
func (d *dnsmasq) anyRecord(o option) {
	words, ok := d.fields(o, "dns-rr=NAME,TYPE,HEX", 3)
	if !ok {
		return
	}
	rrtype, ok := d.number(o.Line, words[1], 0)
	octets, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(words[2]))
	switch {
	case err != nil:
		d.skip(o.Line, "%q: write the data in hexadecimal", words[2])
	case ok:
		d.record(o.Line, words[0], rrtype, rdata{octets: octets})
	}
}

// shown returns a text with the commas that were in quotes.
func shown(text string) string { return strings.ReplaceAll(text, hidden, ",") }
