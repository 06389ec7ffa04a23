package definition

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// A Record is a record of a type that has no word of its own.
type Record struct {
	Head
	Type      uint16
	Derived   bool   // it is the PTR record of an address, made of a host statement
	Preferred bool   // the host of such a record has ptr
	Data      string // RDATA (RFC 1035 §3.2.1), not compressed, names in lower case; shared by the owners of a statement
}

func (d *Record) list() any { return nil }

func (d *Record) targets() int {
	if d.Target() == "" {
		return 0
	}
	return 1
}

func (d *Record) target(int) Name { return d.Target() }

// Target returns the name of the host that the record points to, "" if records of its type have none.
func (d *Record) Target() Name {
	at := 0
	switch d.Type {
	case dns.TypeNS:
	case dns.TypeSVCB, dns.TypeHTTPS:
		at = 2 // after the priority, RFC 9460 §2.2
	default:
		return ""
	}
	if d.Data[at] == 0 {
		return "" // "." stands for the owner, or for none
	}
	host, _, _ := dns.UnpackDomainName([]byte(d.Data), at)
	return Name(host)
}

// RR returns the record as that of an owner, with a TTL in seconds. It allocates all of it anew.
func (d *Record) RR(owner Name, ttl uint32) dns.RR {
	rr, err := unpackData(owner, d.Type, ttl, d.Data)
	if err != nil {
		panic(err) // the reader has tried
	}
	return rr
}

func unpackData(owner Name, rrtype uint16, ttl uint32, data string) (dns.RR, error) {
	rr, _, err := dns.UnpackRRWithHeader(dns.RR_Header{
		Name: string(owner), Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl, Rdlength: uint16(len(data)),
	}, []byte(data), 0)
	switch rr := rr.(type) { // miekg/dns unpacks these strings as they are, and prints and packs them as having escapes
	case *dns.CAA:
		rr.Value = escape(rr.Value)
	case *dns.URI:
		rr.Target = escape(rr.Target)
	}
	return rr, err
}

func escape(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }

func (r *Reader) record(s Statement) {
	n := typeIndex(s.Words)
	if n == 0 || n+1 == len(s.Words) {
		r.recordUsage(s, n)
		return
	}
	names, rrtype, words := s.Words[1:n], typeOf(s.Words[n]), s.Words[n+1:]
	ttl := r.ttlBlock(s, nil)
	if why := refusal(rrtype); why != "" {
		r.errs.add(s.Pos, RecordType, "type %s is not for record: %s", dns.Type(rrtype), why)
		return
	}
	if i := slices.IndexFunc(names[1:], isOfZoneFile); i >= 0 {
		r.errs.add(s.Pos, Syntax, "%q before %s: write a TTL as \"ttl TTL\" in a block, and no class",
			names[i+1], dns.Type(rrtype))
		return
	}
	if !r.affordable(s.Pos, names, 1) {
		return
	}
	data := zoneData{reader: r, pos: s.Pos, rrtype: rrtype, words: words, of: make(map[Name][]string, 1)}
	r.owners(s.Pos, names, func(o owner) {
		for _, d := range data.in(o.zone) {
			r.set.Records = append(r.set.Records, Record{Head: Head{s.Pos, o.name, ttl}, Type: rrtype, Data: d})
		}
	})
}

// isOfZoneFile reports what stands between a name and a type in a zone file: a TTL or the class.
func isOfZoneFile(word string) bool { return isNumber(word) || word == "IN" }

// recordUsage says how a record is written, where there is no type or no data after that.
func (r *Reader) recordUsage(s Statement, typeAt int) {
	for _, word := range s.Words[min(2, len(s.Words)):] {
		if upper := strings.ToUpper(word); typeAt == 0 && upper != word && typeOf(upper) != 0 {
			r.errs.add(s.Pos, RecordType, "%q: write types in capitals: %s", word, upper)
			return
		}
	}
	r.usage(s, "NAME... TYPE DATA..., with a type like TXT, CAA or TYPE65280")
}

// typeIndex returns where the type is in the words of a record, or 0. The first word after the keyword is a name.
func typeIndex(words []string) int {
	for i := 2; i < len(words); i++ {
		if typeOf(words[i]) != 0 {
			return i
		}
	}
	return 0
}

// typeOf returns the type that a word is, in capitals or as TYPEnnn (RFC 3597 §5); 0 if it is none.
func typeOf(word string) uint16 {
	if t, ok := dns.StringToType[word]; ok && word == strings.ToUpper(word) {
		return t
	}
	if digits, ok := strings.CutPrefix(word, "TYPE"); ok {
		if t, err := strconv.ParseUint(digits, 10, 16); err == nil {
			return uint16(t)
		}
	}
	return 0
}

// refused says of types what to write instead.
var refused = map[uint16]string{
	dns.TypeA:     `write "host NAME ADDRESS..."`,
	dns.TypeAAAA:  `write "host NAME ADDRESS..."`,
	dns.TypeMX:    `write "mail NAME... PREFERENCE HOST..."`,
	dns.TypeSRV:   `write "service NAME... PRIORITY WEIGHT PORT HOST..."`,
	dns.TypeCNAME: `write "alias NAME... HOST"`,
	dns.TypeDNAME: `aliases of all names below one are not made (RFC 6672 §3.1): write "alias NAME... HOST" for each`,
	dns.TypeSOA:   `write "authoritative { ... }" in the Corefile`,

	dns.TypeSIG:        ofDNSSEC,
	dns.TypeNXT:        ofDNSSEC,
	dns.TypeRRSIG:      ofDNSSEC,
	dns.TypeNSEC:       ofDNSSEC,
	dns.TypeNSEC3:      ofDNSSEC,
	dns.TypeNSEC3PARAM: ofDNSSEC,
	dns.TypeDNSKEY:     ofDNSSEC,
	dns.TypeZONEMD:     "a digest of the zone is wrong after each change of it: delete the line",

	dns.TypeOPT:      ofMessages,
	dns.TypeReserved: ofMessages,
}

const (
	ofDNSSEC   = "the dnssec plugin makes these records: delete the line"
	ofMessages = "no name has records of this type: write another"
)

// refusal returns what to write instead of records of a type, or "".
func refusal(rrtype uint16) string {
	if rrtype >= 128 && rrtype <= 255 { // RFC 6895 §3.1
		return ofMessages
	}
	return refused[rrtype]
}

// zoneData is the data of a statement as it is in each zone.
type zoneData struct {
	reader *Reader
	pos    Pos
	rrtype uint16
	words  []string

	of   map[Name][]string
	last []string
}

// in returns the data in a zone: zones in which it is the same share it.
func (z *zoneData) in(zone Name) []string {
	data, ok := z.of[zone]
	if !ok {
		data = z.read(zone)
		if slices.Equal(data, z.last) {
			data = z.last
		}
		z.of[zone], z.last = data, data
	}
	return data
}

func (z *zoneData) read(zone Name) (data []string) {
	if z.rrtype == dns.TypeNS && z.words[0] != generic {
		for _, word := range z.words {
			if host, ok := z.reader.target(z.pos, word, zone); ok {
				data = append(data, wireOf(host))
			}
		}
		return data
	}
	isBinding := z.rrtype == dns.TypeSVCB || z.rrtype == dns.TypeHTTPS
	if isBinding && len(z.words) > 1 && z.words[0] != generic {
		if _, ok := z.reader.target(z.pos, z.words[1], zone); !ok {
			return nil
		}
	}
	rdata, err := parseData(z.rrtype, z.words, zone)
	if err != nil {
		z.reader.errs.add(z.pos, RecordData, "data of %s: %v", dns.Type(z.rrtype), err)
		return nil
	}
	return []string{rdata}
}

// wireOf returns the octets of a name.
func wireOf(n Name) string {
	wire := make([]byte, maxName)
	end, _ := dns.PackDomainName(string(n), wire, 0, nil, false)
	return string(wire[:end])
}

// Records returns the records of a name that have no word of their own, in the order of declaration. PTR records of
// addresses are among them, if they count.
func (o Owner) Records() []*Record { return o.declared().records.of(o.number) }

// An RRset is the records of a name and type, in the order of their data and each once.
type RRset struct {
	Type     uint16
	Records  []*Record
	Declared []*Record // with repetitions, in the order of declaration
}

// TTL returns that of the records in seconds. If their declarations contradict each other, it is that of the first; of the
// PTR records of hosts with one address, which may differ, the lowest.
func (s RRset) TTL() (seconds uint32) {
	seconds = commonTTL(s.Declared).Seconds
	if !s.Declared[0].Derived {
		return seconds
	}
	for _, d := range s.Declared {
		seconds = min(seconds, d.TTL.Seconds)
	}
	return seconds
}

// RRsets returns the records of a name that have no word of their own, by type.
func (o Owner) RRsets() []RRset {
	all := o.Records()
	if len(all) == 1 {
		return []RRset{{all[0].Type, all, all}}
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *Record) int { return cmp.Compare(a.Type, b.Type) })
	var sets []RRset
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(d *Record) bool { return d.Type != all[0].Type })
		if n < 0 {
			n = len(all)
		}
		sets = append(sets, RRset{all[0].Type, distinct(slices.Clone(all[:n]), byData), all[:n:n]})
		all = all[n:]
	}
	return sets
}

// byData is the order of RFC 4034 §6.3.
func byData(a, b *Record) int { return cmp.Compare(a.Data, b.Data) }

// record gathers the records of a name that have no word of their own.
func (p *printer) record(o Owner, g gatherer) {
	for _, s := range o.RRsets() {
		for _, d := range s.Records {
			if !d.Derived { // else the host says it
				g.add(o.Name(), s.wording(d))
			}
		}
	}
}

// wording returns what is said of the owner of a record.
func (s RRset) wording(d *Record) wording {
	return wording{body: dns.Type(d.Type).String() + " " + presentData(d.Type, d.Data), ttl: s.TTL()}
}
