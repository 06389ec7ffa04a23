package foreign

import (
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// unreadable reads an entry that the parser cannot. It may be one that others can: the parser wants quotes in NAPTR and
// none in X25. Its owner is that of entries without one after it, whatever becomes of it.
func (z *zoneReader) unreadable(l Line, text string, err error) {
	words := strings.Fields(text)
	z.owner = ""
	if h := z.header(words[:1]); h != nil {
		z.owner = h.Name
	}
	at := 1 + slices.IndexFunc(words[1:min(len(words), 4)], isType)
	if at == 0 || at+1 == len(words) {
		z.mistake(l, err)
		return
	}
	rrtype, data := dns.StringToType[strings.ToUpper(words[at])], strings.SplitN(text, " ", at+2)[at+1]
	h := z.header(words[:at])
	switch {
	case isOfSigner[rrtype]:
		z.drop(l, rrtype)
	case h == nil || !z.readAgain(l, h, rrtype, data):
		z.mistake(l, err)
	}
}

// header returns the header of a record that starts with some words, or nil.
func (z *zoneReader) header(words []string) *dns.RR_Header {
	rrs, err := z.parse(strings.Join(words, " ")+" A 192.0.2.1", z.origin)
	if err != nil || len(rrs) != 1 {
		return nil
	}
	return rrs[0].Header()
}

// readAgain declares a record whose data is read as that of definitions. It returns false if that cannot be.
func (z *zoneReader) readAgain(l Line, h *dns.RR_Header, rrtype uint16, data string) bool {
	zone, err := definition.ParseName(z.origin, ".")
	if err != nil || h.Class != dns.ClassINET || strings.ContainsAny(data, "#;{}") { // these mean other things in definitions
		return false
	}
	set, errs := definition.Read("", "record @ "+dns.Type(rrtype).String()+" "+data, definition.Zones{zone})
	if len(errs) > 0 || len(set.Records) != 1 {
		return false
	}
	rr := set.Records[0].RR(zone, h.Ttl)
	rr.Header().Name = h.Name
	z.inheritTTL(l, rr)
	z.record(l, rr)
	return true
}

// mistake lists an entry that the parser cannot read, without the position in it.
func (z *zoneReader) mistake(l Line, err error) {
	text := strings.TrimPrefix(err.Error(), "dns: ")
	text, _, _ = strings.Cut(text, " at line: ")
	text = strings.Replace(text, "not a TTL: ", "neither a TTL nor a type of records: ", 1)
	if i := slices.IndexFunc(computed, func(c [2]string) bool { return strings.HasSuffix(text, strconv.Quote(c[0])) }); i >= 0 {
		z.skip(l, "%s", computed[i][1])
		return
	}
	z.skip(l, "cannot be read: %s", text)
}

// computed are types of records that only some servers have, and what to write instead.
var computed = [][2]string{
	{"ALIAS", "ALIAS gives a name the addresses of another one: declare them, as a host"},
	{"ANAME", "ANAME gives a name the addresses of another one: declare them, as a host"},
	{"LUA", "LUA is answered by a script: declare the addresses, as a host"},
	{"WINS", "WINS looks up names by NetBIOS: declare those that are asked for"},
}
