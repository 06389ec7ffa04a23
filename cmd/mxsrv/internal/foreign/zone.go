package foreign

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A zoneReader reads the entries of a master file one by one, so that each has its position, and a mistake in one does
// not end the reading.
type zoneReader struct {
	*importer
	opt    Options
	source string
	depth  int // of $INCLUDE

	// What an entry inherits from those before it. Included files start with a copy.
	origin string
	owner  string // or ""
	ttl    uint32
	fixed  bool // ttl is that of $TTL, and the TTLs of entries do not change it

	automatic bool // TTL 1 stands for another one: see isOfCloudflare
}

const (
	maxDepth = 7 // of $INCLUDE, as in BIND

	// noTTL stands for that of an entry without one: no entry can have it (RFC 2181 §8).
	noTTL = 1<<32 - 1
)

// readZone reads a master file. If names are relative to a zone that is not known at that point, it reads all again
// once the rest has shown which zone that is; and so if there are NS records, which are of the zone or of a delegation.
func readZone(im *importer, source, text string, opt Options) error {
	z := zoneReader{importer: im, opt: opt, source: source, origin: string(opt.Zone), ttl: definition.DefaultTTL,
		automatic: isOfCloudflare(text)}
	z.read(text)
	z.listAutomatic()
	if im.zone == "" {
		im.zone = guessZone(im.owners)
	}
	switch {
	case im.err != nil || len(im.relative)+len(im.early) == 0:
		return im.err
	case im.zone == "" && len(im.relative) == 0:
		for _, l := range im.early {
			im.skip(l, "NS record of one of several zones: import each of them with its own zone")
		}
		return nil
	case im.zone == "":
		return fmt.Errorf("%s: %w", source, ErrNoZone)
	}
	opt.Zone = im.zone
	*im = *newImporter(im.zone)
	return readZone(im, source, text, opt)
}

func (z *zoneReader) read(text string) {
	all, after := entries(text)
	for _, e := range all {
		if z.err == nil {
			z.entry(e)
		}
	}
	z.comments = append(z.comments, commented{before: after})
}

// directives holds the function for each control entry.
var directives = map[string]func(*zoneReader, Line){
	"$GENERATE": (*zoneReader).generate,
	"$ORIGIN":   (*zoneReader).setOrigin,
	"$TTL":      (*zoneReader).setTTL,
}

func init() { directives["$INCLUDE"] = (*zoneReader).include } // reads entries in turn

func (z *zoneReader) entry(e entry) {
	l := Line{Pos: definition.Pos{Source: z.source, Line: e.line}, Text: e.text}
	z.comments = append(z.comments, commented{l.Pos, e.before, e.comment})
	word, _, _ := strings.Cut(e.text, " ")
	directive, ok := directives[strings.ToUpper(word)]
	switch {
	case e.open != "":
		z.skip(l, "the %s of it is not closed", e.open)
	case e.indented && z.owner == "":
		z.skip(l, "there is no owner before it: start the line with one")
	case e.indented:
		z.records(l, z.owner+" "+e.text)
	case ok:
		directive(z, l)
	case strings.HasPrefix(word, "$"):
		z.skip(l, "unknown directive %q: write one of $GENERATE, $INCLUDE, $ORIGIN, $TTL", word)
	default:
		z.records(l, e.text)
	}
}

// parse reads one entry, or a directive and an entry.
func (z *zoneReader) parse(text, origin string) ([]dns.RR, error) {
	p := dns.NewZoneParser(strings.NewReader(text+"\n"), origin, "")
	p.SetDefaultTTL(noTTL)
	var rrs []dns.RR
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		rrs = append(rrs, rr)
	}
	return rrs, p.Err()
}

// aging is what Windows writes after an owner: when the record was registered, in hours.
var aging = regexp.MustCompile(`(?i)^([^"]*)\s\[(?:AGE|Aging):\d+\]`)

func (z *zoneReader) records(l Line, text string) {
	text = aging.ReplaceAllString(text, "$1")
	rrs, err := z.parse(text, z.origin)
	if err != nil && z.origin == "" {
		if rrs, err := z.parse(text, unknownZone); err == nil {
			z.dependsOnZone(l, rrs)
			return
		}
	}
	for _, rr := range rrs {
		h := rr.Header()
		z.owner = h.Name
		z.addOwner(h.Name)
		z.inheritTTL(l, rr)
		if h.Class == dns.ClassINET {
			z.record(l, rr)
		} else {
			z.skip(l, "class %s: definitions are of class IN", dns.Class(h.Class))
		}
	}
	if err != nil {
		z.unreadable(l, text, err)
	}
}

// unknownZone stands for the zone of relative names.
const unknownZone = "zone.invalid."

// dependsOnZone notes an entry that has relative names, which are in a zone that is not known.
func (z *zoneReader) dependsOnZone(l Line, rrs []dns.RR) {
	z.relative = append(z.relative, l)
	for _, rr := range rrs {
		z.addOwner(rr.Header().Name)
	}
}

// addOwner remembers the owner of a record to guess the zone from, unless it is relative itself.
func (z *zoneReader) addOwner(s string) {
	if strings.HasSuffix(s, unknownZone) {
		return
	}
	if name, err := definition.ParseName(strings.TrimPrefix(s, "*."), "."); err == nil {
		z.owners = append(z.owners, name)
	}
}

// inheritTTL sets the TTL of an entry without one: that of $TTL (RFC 2308 §4), or of the entry before (RFC 1035 §5.1),
// or the last field of the SOA, as in BIND.
func (z *zoneReader) inheritTTL(l Line, rr dns.RR) {
	h := rr.Header()
	soa, isSOA := rr.(*dns.SOA)
	switch {
	case h.Ttl == 1 && z.automatic:
		h.Ttl = automaticTTL
		z.automatics = append(z.automatics, l)
	case h.Ttl == noTTL && isSOA && !z.fixed:
		z.ttl, h.Ttl = soa.Minttl, soa.Minttl
	case h.Ttl == noTTL:
		h.Ttl = z.ttl
	case !z.fixed:
		z.ttl = h.Ttl
	}
}

func (z *zoneReader) record(l Line, rr dns.RR) {
	h := rr.Header()
	switch rr := rr.(type) {
	case *dns.A:
		z.host(l, h.Name, addrOf(rr.A.To4()), h.Ttl)
	case *dns.AAAA:
		z.host(l, h.Name, addrOf(rr.AAAA.To16()), h.Ttl)
	case *dns.MX:
		z.mail(l, h.Name, rr.Preference, z.target(rr.Mx), h.Ttl)
	case *dns.SRV:
		z.service(l, h.Name, definition.Target{Priority: rr.Priority, Weight: rr.Weight, Port: rr.Port}, z.target(rr.Target), h.Ttl)
	case *dns.CNAME:
		z.alias(l, h.Name, z.target(rr.Target), h.Ttl)
	case *dns.SOA:
		z.startOfAuthority(l, rr)
	case *dns.NS:
		z.nameServer(l, rr)
	default:
		z.other(l, rr)
	}
}

// other adds a record of a type that has no word of its own.
func (z *zoneReader) other(l Line, rr dns.RR) {
	h := rr.Header()
	if isOfSigner[h.Rrtype] {
		z.drop(l, h.Rrtype)
		return
	}
	if rr, ok := rr.(*dns.ISDN); ok && rr.SubAddress == "" { // the parser has it always
		z.skip(l, "ISDN without a subaddress gets an empty one")
	}
	generic := new(dns.RFC3597)
	if err := generic.ToRFC3597(rr); err != nil {
		z.skip(l, "cannot be read: %v", err)
		return
	}
	z.recordOf(l, h.Name, h.Rrtype, generic.Rdata, h.Ttl)
}

func addrOf(ip net.IP) netip.Addr {
	addr, _ := netip.AddrFromSlice(ip)
	return addr
}

// target returns the name that a record points to, or the address that is in its place: like any name without a final
// dot, that ends in the origin.
func (z *zoneReader) target(name string) string {
	bare := strings.TrimSuffix(name, "."+z.origin)
	if _, err := netip.ParseAddr(bare); err != nil {
		return name
	}
	return bare
}

func (z *zoneReader) setOrigin(l Line) {
	if name := strings.TrimSpace(l.Text[len("$ORIGIN"):]); z.lacksDot(name) {
		z.changed = append(z.changed, Line{l.Pos, l.Text, fmt.Sprintf("%q is taken for %q: write its final dot", name, name+".")})
		l.Text += "."
	}
	if name := strings.TrimSpace(l.Text[len("$ORIGIN"):]); isType(name) && z.origin != "" { // the parser takes it for a type
		l.Text += "." + strings.TrimPrefix(z.origin, ".")
	}
	if h := z.parseDirective(l, "@", "$ORIGIN NAME"); h != nil {
		z.origin = h.Name
		z.setZone(h.Name)
	}
}

// lacksDot reports whether an origin is absolute but for its final dot: there is nothing that it can be relative to, or
// it ends in the zone.
func (z *zoneReader) lacksDot(origin string) bool {
	name, err := definition.ParseName(origin+".", ".")
	return err == nil && name != "." && (z.origin == "" || z.zone != "" && name.Below(z.zone))
}

func (z *zoneReader) setTTL(l Line) {
	if h := z.parseDirective(l, "x.", "$TTL SECONDS, or a duration like 1h30m"); h != nil {
		z.ttl, z.fixed = h.Ttl, true
	}
}

// parseDirective returns the header that a record of owner has after a directive, or nil.
func (z *zoneReader) parseDirective(l Line, owner, usage string) *dns.RR_Header {
	rrs, err := z.parse(l.Text+"\n"+owner+" A 192.0.2.1", z.origin)
	if err != nil || len(rrs) != 1 {
		z.skip(l, "usage: %s", usage)
		return nil
	}
	return rrs[0].Header()
}

// setZone sets the zone, if it is not known.
func (z *zoneReader) setZone(name string) {
	if z.zone == "" {
		z.zone, _ = definition.ParseName(name, ".")
	}
}

// include reads another file. Its origin and owner end with it; a $TTL is for all that follows (RFC 2308 §4).
func (z *zoneReader) include(l Line) {
	words := strings.Fields(l.Text)
	switch {
	case len(words) < 2 || len(words) > 3:
		z.skip(l, "usage: $INCLUDE FILE [ORIGIN]")
		return
	case z.opt.Include == nil:
		z.skip(l, "files are not followed here: import %q by itself", words[1])
		return
	case z.depth == maxDepth:
		z.skip(l, "files include each other %d deep: take this line out", maxDepth+1)
		return
	}
	text, err := z.opt.Include(words[1])
	if err != nil {
		z.err = fmt.Errorf("%s: %w", l.Pos, err)
		return
	}
	file := *z
	file.source, file.depth = words[1], z.depth+1
	if len(words) == 3 {
		file.setOrigin(Line{Pos: l.Pos, Text: "$ORIGIN " + words[2]})
	}
	file.read(text)
	z.ttl, z.fixed = file.ttl, file.fixed
}
