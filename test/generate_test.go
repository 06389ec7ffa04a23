package test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A generated is a random set of definitions that may be served, and what it
// means. One seed always makes the same.
type generated struct {
	seed    uint64
	zones   []string            // absolute; a zone may be within another
	block   string              // the mxsrv stanzas of a server block
	records map[string][]dns.RR // by zone, without SOA and in no order: what a secondary must hold
	soas    map[string]*dns.SOA // by zone, without serial
	fixed   map[string]bool     // RRsets with order fixed, by fixedKey
	checked bool                // all targets are, by verdicts in a file
}

// fixedKey names an RRset.
func fixedKey(owner string, rrtype uint16) string { return owner + " " + dns.TypeToString[rrtype] }

// A generator makes one.
type generator struct {
	*generated
	rnd *rand.Rand

	stanzas  []*stanza
	names    []string        // absolute names of all but aliases, in the order of making
	hosts    []string        // those that anything may point to
	cuts     []string        // absolute names that are delegated
	declared map[string]bool // kind and absolute name
	made     map[string]bool // zone and record
	pointers map[netip.Addr][]pointer
}

// A stanza is one mxsrv stanza. Its names are relative: with several
// zones each stands for a name in every zone.
type stanza struct {
	zones []string
	ttl   uint32
	fixed bool // the default order
	lines strings.Builder
}

// generate makes the set of a seed.
func generate(seed uint64) *generated {
	g := &generator{
		generated: &generated{seed: seed, records: map[string][]dns.RR{}, soas: map[string]*dns.SOA{}, fixed: map[string]bool{},
			checked: seed%2 == 1},
		rnd:      rand.New(rand.NewPCG(seed, 4)),
		declared: map[string]bool{},
		made:     map[string]bool{},
		pointers: map[netip.Addr][]pointer{},
	}
	g.layOut()
	if g.checked {
		g.stanzas[0].lines.WriteString(neverProbed(g.state()))
	}
	for _, make := range []func(*stanza){g.apex, g.someHosts, g.someMails, g.someServices, g.someRecords, g.someDelegations, g.someAliases,
		g.someWildcards} {
		for _, s := range g.stanzas {
			make(s)
		}
	}
	for _, zone := range g.zones {
		g.delegate(zone)
	}
	for _, zone := range g.zones {
		g.glue(zone)
	}
	var b strings.Builder
	for _, s := range g.stanzas {
		fmt.Fprintf(&b, "mxsrv %s {\n%s}\n", strings.Join(s.zones, " "), s.lines.String())
	}
	g.block = b.String() + g.reverse()
	return g.generated
}

func (g *generator) chance(percent int) bool { return g.rnd.IntN(100) < percent }

func pick[T any](g *generator, of []T) T { return of[g.rnd.IntN(len(of))] }

// layOut chooses the zones and the stanzas that they are in.
func (g *generator) layOut() {
	org, net := fmt.Sprintf("z%d.example.org.", g.seed), fmt.Sprintf("z%d.example.net.", g.seed)
	add := func(zones ...string) {
		s := &stanza{zones: zones, ttl: 3600}
		if g.chance(60) {
			s.ttl = g.someTTL()
			fmt.Fprintf(&s.lines, "ttl %d\n", s.ttl)
		}
		if s.fixed = g.chance(25); s.fixed {
			s.lines.WriteString("order fixed\n")
		}
		g.stanzas = append(g.stanzas, s)
		g.zones = append(g.zones, zones...)
	}
	switch g.rnd.IntN(3) {
	case 0:
		add(org)
	case 1:
		add(org)
		add(net)
	case 2:
		add(org, net)
	}
	if g.chance(60) {
		child := pick(g, []string{"sub.", "far.below.", strings.Repeat("c", 63) + "."}) + org
		add(child)
		if g.chance(40) {
			add("sub." + child)
		}
	}
}

func (g *generator) someTTL() uint32 {
	return pick(g, []uint32{0, 1, 60, 300, 3600, 86400, 604800, 1<<31 - 1})
}

// zoneOf returns the closest zone that a name is in, or "".
func (g *generated) zoneOf(name string) string {
	found := ""
	for _, zone := range g.zones {
		if dns.IsSubDomain(zone, name) && len(zone) > len(found) {
			found = zone
		}
	}
	return found
}

// add notes a record of a zone. A repetition counts once.
func (g *generator) add(zone string, rr dns.RR) {
	if key := zone + " " + rr.String(); !g.made[key] {
		g.made[key] = true
		g.records[zone] = append(g.records[zone], rr)
	}
}

func (g *generator) declare(rr dns.RR) { g.add(g.zoneOf(rr.Header().Name), rr) }

func rrHeader(name string, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// absolute returns what a name of a stanza is in one of its zones.
func absolute(name, zone string) string {
	switch {
	case name == "@":
		return zone
	case strings.HasSuffix(name, "."):
		return name
	}
	return name + "." + zone
}

// word writes a name of a stanza: as it is, or absolute, or with capitals.
func (g *generator) word(s *stanza, name string) string {
	first, _, _ := strings.Cut(name, ".")
	digits := strings.Trim(first, "0123456789") == ""
	if len(s.zones) == 1 && (g.chance(20) || digits && !strings.Contains(name, ".")) {
		name = absolute(name, s.zones[0])
	}
	if g.chance(10) {
		name = strings.ToUpper(name)
	}
	return name
}

func (g *generator) words(s *stanza, names []string) string {
	var words []string
	for _, name := range names {
		words = append(words, g.word(s, name))
	}
	return strings.Join(words, " ")
}

// room is how many octets a name of a stanza may have, with the dot before the
// zone: a name has 255 on the wire, one more than as text (RFC 1035 §2.3.4).
func (s *stanza) room() int {
	longest := slices.MaxFunc(s.zones, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	return 254 - len(longest) - 1
}

// newName makes a relative name in one of the shapes that matter, and of at most
// the room less reserve octets.
func (g *generator) newName(s *stanza, stem string, reserve int) string {
	label := stem + fmt.Sprint(g.rnd.IntN(1000))
	room := s.room() - reserve
	switch g.rnd.IntN(10) {
	case 0: // deep
		for range 1 + g.rnd.IntN(6) {
			label += "." + pick(g, []string{"a", "b", "c", "in-between"})
		}
	case 1: // the longest label
		label += strings.Repeat("l", 63-len(label))
	case 2: // the longest name, or nearly
		label = longName(label, room-g.rnd.IntN(4))
	case 3: // below a name of the same stanza
		above := pick(g, g.names)
		for _, zone := range s.zones[:1] {
			if rel, ok := strings.CutSuffix(above, "."+zone); ok && len(label)+1+len(rel) <= room {
				label += "." + rel
			}
		}
	case 4: // digits alone, which are written absolute
		if len(s.zones) == 1 {
			label = fmt.Sprint(g.rnd.IntN(1000))
		}
	}
	if len(label) > room {
		return stem
	}
	return label
}

// longName fills a name up to some octets with labels of up to 63.
func longName(label string, octets int) string {
	name := label
	for left := octets - len(name); left > 1; left = octets - len(name) {
		n := min(left-1, 63)
		if left-1-n == 1 { // a dot alone would be left
			n--
		}
		name += "." + strings.Repeat("n", n)
	}
	return name
}

// take notes that a name of a stanza is declared as something, in each of its
// zones. It returns false if it cannot be: an alias is nothing else, and a
// second line with another TTL would be a contradiction.
func (g *generator) take(s *stanza, kind, name string) bool {
	for _, zone := range s.zones {
		full := absolute(name, zone)
		if g.declared[kind+" "+full] || g.declared["alias "+full] {
			return false
		}
		if kind == "alias" && (slices.Contains(g.names, full) || g.zoneOf(full) == full) {
			return false
		}
	}
	for _, zone := range s.zones {
		full := absolute(name, zone)
		g.declared[kind+" "+full] = true
		if kind != "alias" {
			g.names = append(g.names, full)
		}
	}
	return true
}

// ttlOf returns the TTL of a declaration, and the lines that say so in its block.
func (g *generator) ttlOf(s *stanza) (uint32, string) {
	if g.chance(70) {
		return s.ttl, ""
	}
	ttl := g.someTTL()
	return ttl, fmt.Sprintf("ttl %d\n", ttl)
}

// orderOf returns the order of a declaration, and the lines that say so in its block.
func (g *generator) orderOf(s *stanza) (fixed bool, own string) {
	if g.chance(70) {
		return s.fixed, ""
	}
	if fixed = g.chance(50); fixed {
		return fixed, "order fixed\n"
	}
	return fixed, "order weighted\n"
}

// fix notes that RRsets are in the fixed order, or not.
func (g *generator) fix(fixed bool, owner string, rrtypes ...uint16) {
	for _, rrtype := range rrtypes {
		g.fixed[fixedKey(owner, rrtype)] = fixed
	}
}

// check returns the line that has targets checked.
func (g *generator) check() string {
	if g.checked {
		return "check tcp\n"
	}
	return ""
}

func line(s *stanza, words, block string) {
	if block != "" {
		block = " {\n" + block + "}"
	}
	s.lines.WriteString(words + block + "\n")
}

// apex writes the authoritative block, and declares the name servers in the zone.
func (g *generator) apex(s *stanza) {
	servers := []string{"ns1"}
	g.host(s, "ns1", 1+g.rnd.IntN(3))
	if g.chance(40) {
		servers = append(servers, "ns2")
		g.host(s, "ns2", 1)
	}
	if g.chance(40) {
		servers = append(servers, "ns.elsewhere.example.com.")
	}
	if g.chance(40) { // one that is declared, or will be: perhaps in a zone below
		server := pick(g, append([]string{"ns1." + pick(g, g.zones)}, g.hosts...))
		if !slices.Contains(s.zones, parentOf(server)) {
			servers = append(servers, server)
		}
	}
	ttl, own := g.ttlOf(s)
	contact := pick(g, [][2]string{{"", "hostmaster"}, {"contact admin\n", "admin"},
		{"contact dns.team@example.com\n", `dns\.team.example.com.`}, {"contact dns.example.com.\n", "dns.example.com."}})
	timers := fmt.Sprintf("refresh %d\nretry %d\nexpire %d\nnegative %d\n",
		3600+g.rnd.IntN(9)*600, 600+g.rnd.IntN(5)*60, 1209600+g.rnd.IntN(9), pick(g, []int{60, 90, 300}))
	fmt.Fprintf(&s.lines, "authoritative {\nns %s\n%s%s%s}\n", g.words(s, servers), contact[0], own, timers)
	for _, zone := range s.zones {
		soa := &dns.SOA{Hdr: rrHeader(zone, dns.TypeSOA, ttl), Ns: absolute(servers[0], zone), Mbox: absolute(contact[1], zone)}
		fmt.Sscanf(timers, "refresh %d\nretry %d\nexpire %d\nnegative %d", &soa.Refresh, &soa.Retry, &soa.Expire, &soa.Minttl)
		g.soas[zone] = soa
		for _, server := range servers {
			g.declare(&dns.NS{Hdr: rrHeader(zone, dns.TypeNS, ttl), Ns: absolute(server, zone)})
		}
	}
}

// delegate gives the zone above a zone its NS records (RFC 1034 §4.2.1).
func (g *generator) delegate(zone string) {
	above := g.zoneOf(parentOf(zone))
	if above == "" {
		return
	}
	for _, rr := range slices.Clone(g.records[zone]) {
		if rr.Header().Rrtype == dns.TypeNS && rr.Header().Name == zone {
			g.add(above, rr)
		}
	}
}

// glue gives a zone the addresses of the name servers in it that lie below a
// zone that it delegates.
func (g *generator) glue(zone string) {
	for _, rr := range slices.Clone(g.records[zone]) {
		ns, ok := rr.(*dns.NS)
		if !ok || g.soas[ns.Hdr.Name] == nil || !dns.IsSubDomain(zone, ns.Ns) || g.zoneOf(ns.Ns) == zone {
			continue
		}
		for _, address := range g.records[g.zoneOf(ns.Ns)] {
			h := address.Header()
			if h.Name == ns.Ns && (h.Rrtype == dns.TypeA || h.Rrtype == dns.TypeAAAA) {
				g.add(zone, address)
			}
		}
	}
}

// host declares a host with some addresses, on a line or on two.
func (g *generator) host(s *stanza, name string, addresses int) {
	if !g.take(s, "host", name) {
		return
	}
	var words []string
	var addrs []netip.Addr
	only := g.rnd.IntN(4) // 0: IPv4, 1: IPv6, else both
	for i := range addresses {
		addr := g.someAddr(only == 1 || only > 1 && i%2 == 1)
		addrs, words = append(addrs, addr), append(words, addr.String())
	}
	ttl, own := g.ttlOf(s)
	ptr := g.chance(20)
	if ptr {
		own += "ptr\n"
	}
	fixed, order := g.orderOf(s)
	own += order
	split := len(words)
	if g.chance(15) {
		split = g.rnd.IntN(len(words)) + 1
	}
	line(s, "host "+g.word(s, name)+" "+strings.Join(words[:split], " "), own)
	if split < len(words) {
		line(s, "host "+g.word(s, name)+" "+strings.Join(words[split:], " "), own)
	}
	for _, zone := range s.zones {
		full := absolute(name, zone)
		g.hosts = append(g.hosts, full)
		g.fix(fixed, full, dns.TypeA, dns.TypeAAAA)
		for _, addr := range addrs {
			g.declare(addressRecord(full, ttl, addr))
			g.pointers[addr] = append(g.pointers[addr], pointer{full, ttl, ptr})
		}
	}
}

func addressRecord(name string, ttl uint32, addr netip.Addr) dns.RR {
	if addr.Is4() {
		return &dns.A{Hdr: rrHeader(name, dns.TypeA, ttl), A: addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: rrHeader(name, dns.TypeAAAA, ttl), AAAA: addr.AsSlice()}
}

func (g *generator) someHosts(s *stanza) {
	for range 4 + g.rnd.IntN(25) {
		name, addresses := g.newName(s, "host", 0), 1+g.rnd.IntN(3)
		if g.chance(10) {
			addresses = 10 + g.rnd.IntN(20)
		}
		g.host(s, name, addresses)
	}
}

// target chooses the host of an exchange or target, as a stanza writes it. One
// relative name stands for a host in each of the zones.
func (g *generator) target(s *stanza) string {
	if g.chance(10) {
		return fmt.Sprintf("mx%d.elsewhere.example.com.", g.rnd.IntN(3))
	}
	host := pick(g, g.hosts)
	if rel, ok := strings.CutSuffix(host, "."+s.zones[0]); ok && g.zoneOf(host) == s.zones[0] {
		return rel
	}
	return host
}

// mailDomains chooses names for one line.
func (g *generator) mailDomains(s *stanza) []string {
	const reserve = len("_smtp._tcp.") // for the word srv
	var names []string
	for range 1 + g.rnd.IntN(3) {
		name := g.newName(s, "mail", reserve)
		switch {
		case g.chance(15):
			name = "@"
		case g.chance(15):
			if rel, ok := strings.CutSuffix(pick(g, g.hosts), "."+s.zones[0]); ok && len(rel) <= s.room()-reserve {
				name = rel
			}
		}
		if g.take(s, "mail", name) {
			names = append(names, name)
		}
	}
	return names
}

func (g *generator) someMails(s *stanza) {
	for range 2 + g.rnd.IntN(12) {
		names := g.mailDomains(s)
		if len(names) > 0 {
			g.mail(s, names)
		}
	}
}

// mail declares mail domains that share a set of exchanges.
func (g *generator) mail(s *stanza, names []string) {
	ttl, own := g.ttlOf(s)
	fixed, order := g.orderOf(s)
	publish, block := g.chance(25), own+order
	if publish {
		block += "srv\n"
	}
	var exchanges []*dns.MX
	line1 := "mail " + g.words(s, names)
	count := g.few()
	if g.chance(15) {
		count, line1 = 0, line1+" none"
	} else {
		block += g.check()
	}
	for range count {
		mx := &dns.MX{Preference: g.number(), Mx: g.target(s)}
		exchanges = append(exchanges, mx)
		entry := fmt.Sprintf("%d %s", mx.Preference, g.word(s, mx.Mx))
		if g.chance(50) {
			block += entry + "\n"
		} else {
			line1 += " " + entry
		}
	}
	line(s, line1, block)
	for _, zone := range s.zones {
		for _, name := range names {
			g.addMail(absolute(name, zone), zone, ttl, exchanges, publish)
			g.fix(fixed, absolute(name, zone), dns.TypeMX)
			g.fix(fixed, "_smtp._tcp."+absolute(name, zone), dns.TypeSRV)
		}
	}
}

// addMail notes the MX records of a domain, and the SRV records of the same set.
func (g *generator) addMail(owner, zone string, ttl uint32, exchanges []*dns.MX, publish bool) {
	smtp := "_smtp._tcp." + owner
	if len(exchanges) == 0 {
		g.declare(&dns.MX{Hdr: rrHeader(owner, dns.TypeMX, ttl), Mx: "."})
		if publish {
			g.declare(&dns.SRV{Hdr: rrHeader(smtp, dns.TypeSRV, ttl), Target: "."})
		}
	}
	for _, mx := range exchanges {
		host := absolute(mx.Mx, zone)
		g.declare(&dns.MX{Hdr: rrHeader(owner, dns.TypeMX, ttl), Preference: mx.Preference, Mx: host})
		if publish {
			g.declare(&dns.SRV{Hdr: rrHeader(smtp, dns.TypeSRV, ttl), Priority: mx.Preference, Port: 25, Target: host})
		}
	}
}

// few is how many exchanges or targets there are: mostly so few that they fit.
func (g *generator) few() int {
	if g.chance(12) {
		return 8 + g.rnd.IntN(30)
	}
	return 1 + g.rnd.IntN(4)
}

// number is one of few, so that some are equal, or any.
func (g *generator) number() uint16 {
	if g.chance(80) {
		return pick(g, []uint16{0, 5, 10, 20})
	}
	return uint16(g.rnd.Uint32())
}

func (g *generator) someServices(s *stanza) {
	for i := range 1 + g.rnd.IntN(10) {
		var names []string
		for range 1 + g.rnd.IntN(2) {
			name := fmt.Sprintf("_svc%d._%s", i, pick(g, []string{"tcp", "udp"}))
			if g.chance(60) {
				name += "." + g.newName(s, "svc", len("_svc99._tcp."))
			}
			if g.take(s, "service", name) {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			g.service(s, names)
		}
	}
}

// service declares services that share a set of targets.
func (g *generator) service(s *stanza, names []string) {
	ttl, block := g.ttlOf(s)
	fixed, order := g.orderOf(s)
	block += order
	var targets []*dns.SRV
	line1, count := "service "+g.words(s, names), g.few()
	if g.chance(15) {
		count, line1 = 0, line1+" none"
	} else {
		block += g.check()
	}
	for range count {
		srv := &dns.SRV{Priority: g.number(), Weight: g.number(), Port: g.number(), Target: g.target(s)}
		targets = append(targets, srv)
		block += fmt.Sprintf("%d %d %d %s\n", srv.Priority, srv.Weight, srv.Port, g.word(s, srv.Target))
	}
	line(s, line1, block)
	for _, zone := range s.zones {
		for _, name := range names {
			h := rrHeader(absolute(name, zone), dns.TypeSRV, ttl)
			g.fix(fixed, h.Name, dns.TypeSRV)
			if count == 0 {
				g.declare(&dns.SRV{Hdr: h, Target: "."})
			}
			for _, srv := range targets {
				g.declare(&dns.SRV{Hdr: h, Priority: srv.Priority, Weight: srv.Weight, Port: srv.Port, Target: absolute(srv.Target, zone)})
			}
		}
	}
}

// someRecords declares records of other types, several of a name and type on lines of their own.
func (g *generator) someRecords(s *stanza) {
	for range 2 + g.rnd.IntN(12) {
		name, rrtype := g.newName(s, "rec", 0), pick(g, recordTypes)
		switch {
		case g.chance(15):
			name = "@"
		case g.chance(15):
			if rel, ok := strings.CutSuffix(pick(g, g.names), "."+s.zones[0]); ok && len(rel) <= s.room() {
				name = rel
			}
		}
		if !g.take(s, "record "+rrtype, name) {
			continue
		}
		ttl, own := g.ttlOf(s)
		for range 1 + g.rnd.IntN(3) {
			g.record(s, name, rrtype, g.data(s, rrtype), ttl, own)
		}
	}
}

var recordTypes = []string{"TXT", "TXT", "CAA", "HTTPS", "SVCB", "NAPTR", "SSHFP", "TLSA", "PTR", "URI", "TYPE65280"}

// record writes a record, and declares it in each zone of a stanza. A word of its data that begins with "=" is a name.
func (g *generator) record(s *stanza, name, rrtype string, data []string, ttl uint32, own string) {
	written, inMaster := slices.Clone(data), slices.Clone(data)
	for i, word := range data {
		if host, isName := strings.CutPrefix(word, "="); isName {
			written[i] = g.word(s, host)
		}
	}
	line(s, "record "+g.word(s, name)+" "+rrtype+" "+strings.Join(written, " "), own)
	for _, zone := range s.zones {
		for i, word := range data {
			if host, isName := strings.CutPrefix(word, "="); isName {
				inMaster[i] = absolute(host, zone)
			}
		}
		text := fmt.Sprintf("%s %d IN %s %s", absolute(name, zone), ttl, rrtype, strings.ReplaceAll(strings.Join(inMaster, " "), `"\#"`, `\#`))
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", text, err)) // the generator is wrong
		}
		g.declare(rr)
	}
}

// data makes the data of a record, as words of a statement.
func (g *generator) data(s *stanza, rrtype string) []string {
	number := func(below int) string { return fmt.Sprint(g.rnd.IntN(below)) }
	octets := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(g.rnd.Uint32())
		}
		return fmt.Sprintf("%x", b)
	}
	switch rrtype {
	case "TXT":
		words := []string{}
		for range g.few() {
			words = append(words, `"`+g.text(g.rnd.IntN(40))+`"`)
		}
		return words
	case "CAA":
		return []string{number(2), pick(g, []string{"contactemail", "contactphone"}), `"` + g.text(g.rnd.IntN(20)) + `"`}
	case "HTTPS", "SVCB":
		if g.chance(30) {
			target := g.target(s)
			if g.chance(50) { // perhaps a name with such records
				name := pick(g, g.names)
				if rel, ok := strings.CutSuffix(name, "."+s.zones[0]); ok && g.zoneOf(name) == s.zones[0] {
					target = rel
				}
			}
			return []string{"0", "=" + target}
		}
		return []string{"1" + number(9), pick(g, []string{".", "=" + g.target(s)}), `alpn="h2,h3"`, "port=" + number(65536)}
	case "NAPTR":
		return []string{number(65536), number(9), `"u"`, `"E2U+sip"`, `"!^.*$!sip:info@example.com!"`, "."}
	case "SSHFP":
		return []string{number(9), "2", octets(32)}
	case "TLSA":
		return []string{"3", "1", "1", octets(32)}
	case "PTR":
		return []string{"=" + g.target(s)}
	case "URI":
		return []string{number(65536), number(9), `"https://example.com/` + g.text(9) + `"`}
	}
	n := g.rnd.IntN(20)
	return append([]string{`"\#"`, fmt.Sprint(n)}, octets(n))
}

// text makes the text of a string, with what quotes are for.
func (g *generator) text(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(pick(g, []string{"a", "B", "3", " ", ";", "=", "(", ")", "@", "#", `\"`, `\\`, `\200`, "{x", "."}))
	}
	if b.String() == ";" {
		return `\;` // a lone one is refused
	}
	return b.String()
}

// someDelegations declares delegations, with name servers in the delegated zone, elsewhere in the set and outside.
func (g *generator) someDelegations(s *stanza) {
	for range g.rnd.IntN(4) {
		name := fmt.Sprintf("cut%d", len(g.cuts))
		if g.chance(30) {
			name += ".deep"
		}
		ttl, own := g.ttlOf(s)
		servers := []string{}
		for i := range 1 + g.rnd.IntN(3) {
			server := pick(g, []string{"ns.elsewhere.example.com.", g.target(s), fmt.Sprintf("ns%d.%s", i, name), "ns1." + name})
			if strings.HasSuffix(server, name) && !slices.Contains(servers, server) {
				g.glueHost(s, server)
			}
			servers = append(servers, server)
		}
		for _, server := range servers {
			g.record(s, name, "NS", []string{"=" + server}, ttl, own)
		}
		if ttl, own := g.ttlOf(s); g.chance(40) {
			g.record(s, name, "DS", []string{fmt.Sprint(g.rnd.IntN(65536)), "13", "2", strings.Repeat("0123456789abcdef", 4)}, ttl, own)
		}
		for _, zone := range s.zones {
			g.cuts = append(g.cuts, absolute(name, zone))
		}
	}
}

// glueHost declares a host below a delegation, to which nothing else points.
func (g *generator) glueHost(s *stanza, name string) {
	ttl, own := g.ttlOf(s)
	line(s, "host "+g.word(s, name)+" 192.0.2.77 2001:db8::77", own)
	for _, zone := range s.zones {
		for _, addr := range []string{"192.0.2.77", "2001:db8::77"} {
			g.declare(addressRecord(absolute(name, zone), ttl, netip.MustParseAddr(addr)))
		}
	}
}

// someAliases declares aliases of hosts, of mail domains and of services, in any
// zone of the set, and of names elsewhere.
func (g *generator) someAliases(s *stanza) {
	for range 1 + g.rnd.IntN(8) {
		name := g.newName(s, "alias", 0)
		if !g.take(s, "alias", name) {
			continue
		}
		host := pick(g, g.names)
		if rel, ok := strings.CutSuffix(host, "."+s.zones[0]); ok && g.zoneOf(host) == s.zones[0] {
			host = rel
		}
		switch {
		case g.chance(10):
			host = "www.elsewhere.example.com."
		case g.chance(20) && len(g.cuts) > 0:
			host = pick(g, []string{"", "www.", "ns1."}) + pick(g, g.cuts)
		}
		ttl, own := g.ttlOf(s)
		line(s, "alias "+g.word(s, name)+" "+g.word(s, host), own)
		for _, zone := range s.zones {
			full := absolute(name, zone)
			g.declare(&dns.CNAME{Hdr: rrHeader(full, dns.TypeCNAME, ttl), Target: absolute(host, zone)})
		}
	}
}

// someWildcards declares hosts, aliases and records whose first label is an asterisk, below names of all kinds.
func (g *generator) someWildcards(s *stanza) {
	for range g.rnd.IntN(4) {
		above, _ := strings.CutSuffix(pick(g, g.names), s.zones[0])
		name := strings.TrimSuffix("*."+pick(g, []string{"", "wild.", above}), ".")
		switch kind := g.rnd.IntN(3); {
		case len(name) > s.room() || slices.ContainsFunc(s.zones, func(zone string) bool { return g.isElsewhere(absolute(name, zone), zone) }):
		case kind == 0 && !strings.Contains(name, "_") && g.take(s, "host", name):
			ttl, own := g.ttlOf(s)
			line(s, "host "+g.word(s, name)+" 192.0.2.88 2001:db8::88", own)
			for _, zone := range s.zones {
				g.declare(addressRecord(absolute(name, zone), ttl, netip.MustParseAddr("192.0.2.88")))
				g.declare(addressRecord(absolute(name, zone), ttl, netip.MustParseAddr("2001:db8::88")))
			}
		case kind == 1 && g.take(s, "record TXT", name):
			ttl, own := g.ttlOf(s)
			g.record(s, name, "TXT", []string{`"wild"`}, ttl, own)
		case kind == 2 && g.take(s, "alias", name):
			ttl, own := g.ttlOf(s)
			host := pick(g, g.hosts)
			line(s, "alias "+g.word(s, name)+" "+host, own)
			for _, zone := range s.zones {
				g.declare(&dns.CNAME{Hdr: rrHeader(absolute(name, zone), dns.TypeCNAME, ttl), Target: host})
			}
		}
	}
}

// isElsewhere reports whether a name is in another zone than it should be, or delegated.
func (g *generator) isElsewhere(name, zone string) bool {
	below := func(cut string) bool { return dns.IsSubDomain(cut, name) }
	return g.zoneOf(name) != zone || slices.ContainsFunc(g.cuts, below)
}

// master writes a zone as a master file, with a serial.
func (g *generated) master(zone string, serial uint32) string {
	soa := *g.soas[zone]
	soa.Serial = serial
	lines := []string{soa.String()}
	for _, rr := range g.records[zone] {
		lines = append(lines, strings.Replace(rr.String(), "\tCLASS1\t", "\tIN\t", 1))
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestGenerate: a seed makes the same set again, another seed another, and
// together they have every shape that the other tests rely on.
func TestGenerate(t *testing.T) {
	shapes := map[string]int{}
	for seed := range uint64(50) {
		g := generate(seed)
		if again := generate(seed); again.block != g.block {
			t.Fatalf("seed %d makes two sets", seed)
		}
		owners := 0
		for _, zone := range g.zones {
			names := map[string]bool{}
			for _, rr := range g.records[zone] {
				g.shape(rr, shapes)
				names[rr.Header().Name] = true
			}
			owners += len(names)
		}
		shapes["names"] += owners
		shapes[fmt.Sprintf("%d zones", len(g.zones))]++
	}
	t.Log(shapes)
	for _, shape := range []string{"wildcard", "TXT", "HTTPS", "TYPE65280", "DS", "alias below a delegation", "255 octets", "label of 63", "null MX", "SRV none", "delegation", "name server below a zone within", "alias elsewhere",
		"alias into another zone", "1 zones", "2 zones", "3 zones", "4 zones"} {
		if shapes[shape] == 0 {
			t.Errorf("no set has a %s", shape)
		}
	}
}

// shape counts what a record is an example of.
func (g *generated) shape(rr dns.RR, shapes map[string]int) {
	name := rr.Header().Name
	if strings.HasPrefix(name, "*.") {
		shapes["wildcard"]++
	}
	if len(name)+1 == 255 {
		shapes["255 octets"]++
	}
	if first, _, _ := strings.Cut(name, "."); len(first) == 63 {
		shapes["label of 63"]++
	}
	switch rr := rr.(type) {
	case *dns.MX:
		if rr.Mx == "." {
			shapes["null MX"]++
		}
	case *dns.SRV:
		if rr.Target == "." {
			shapes["SRV none"]++
		}
	case *dns.TXT, *dns.HTTPS, *dns.RFC3597, *dns.DS:
		shapes[dns.Type(rr.Header().Rrtype).String()]++
	case *dns.CNAME:
		if strings.Contains(rr.Target, "cut") {
			shapes["alias below a delegation"]++
		}
		switch g.zoneOf(rr.Target) {
		case "":
			shapes["alias elsewhere"]++
		case g.zoneOf(name):
		default:
			shapes["alias into another zone"]++
		}
	case *dns.NS:
		if zone := g.zoneOf(name); rr.Ns != "" && g.zoneOf(rr.Ns) != zone && dns.IsSubDomain(zone, rr.Ns) {
			shapes["name server below a zone within"]++
		}
		if g.zoneOf(parentOf(name)) != "" {
			shapes["delegation"]++
		}
	}
}
