package foreign

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A dnsmasq reads the options of dnsmasq. What its manual leaves open is here as version 2.90 answers.
type dnsmasq struct {
	*importer

	domain string // of services that name none
	target string // of mx-host lines that name none
	ttl    uint32

	hasMX     bool
	zeroTTL   *Line           // the first with TTL 0 because there is no local-ttl
	pointers  []Line          // those that mean PTR records
	addresses []address       // of address lines
	overrides map[string]bool // what has addresses by host-record, which go before address lines
}

// An address is what an address line says of one name.
type address struct {
	Line
	owner string
	addr  netip.Addr
}

// familyOf names the IPv4 or the IPv6 addresses of a name.
func familyOf(owner string, addr netip.Addr) string {
	return fmt.Sprint(strings.ToLower(owner), addr.BitLen())
}

func readDnsmasq(im *importer, source, text string) {
	d := dnsmasq{importer: im, domain: string(im.zone), overrides: make(map[string]bool)}
	im.isLoose = true
	lines := plainLines(source, text)
	for _, l := range lines {
		im.comments = append(im.comments, l.commented)
	}
	options := optionsIn(lines)
	for _, o := range options { // wherever they are, they are for all lines
		if set, ok := settings[o.key]; ok {
			set(&d, o)
		}
	}
	for _, o := range options {
		d.option(o)
	}
	d.addAddresses()
	d.skipOnce(options)
	if im.zone == "" {
		im.zone = d.commonZone()
	}
}

// settings holds the function for each option that sets a default of others.
var settings = map[string]func(*dnsmasq, option){
	"domain": func(d *dnsmasq, o option) {
		switch {
		case strings.Contains(o.value, ","):
			d.skip(o.Line, "it is for the machines of a network only: declare these by name")
		case o.value == "#":
			d.skip(o.Line, ofMachine)
		default:
			d.domain = absolute(o.value) // the last one counts
		}
	},
	"mx-target": func(d *dnsmasq, o option) { d.target = o.value },
	"local-ttl": func(d *dnsmasq, o option) { d.ttl, _ = d.seconds(o.Line, o.value) },
}

// records holds the function for each option whose records definitions have.
var records = map[string]func(*dnsmasq, option){
	"address":      (*dnsmasq).address,
	"caa-record":   (*dnsmasq).caaRecord,
	"cname":        (*dnsmasq).cname,
	"dns-rr":       (*dnsmasq).anyRecord,
	"host-record":  (*dnsmasq).hostRecord,
	"mx-host":      (*dnsmasq).mxHost,
	"naptr-record": (*dnsmasq).naptrRecord,
	"ptr-record":   (*dnsmasq).ptrRecord,
	"srv-host":     (*dnsmasq).srvHost,
	"txt-record":   (*dnsmasq).txtRecord,
}

const ofMachine = "what it declares depends on the machine: declare the hosts and their mail by name"

// notRecords holds, for further options about records, the reason why they are not converted.
var notRecords = byOption(map[string]string{
	ofMachine: "dhcp-host dynamic-host interface-name localmx selfmx",
	"it makes names of addresses: leave it to a plugin after mxsrv, such as template":                  "synth-domain",
	"files are not followed here: import it by itself":                                                 "addn-hosts conf-dir conf-file hostsdir",
	"it is for another plugin, or for authoritative":                                                   "auth-server auth-soa auth-zone",
	"it is about where other names are looked up: leave that to a plugin after mxsrv, such as forward": "local rev-server server",
})

// byOption returns the reason of each option.
func byOption(options map[string]string) map[string]string {
	reasons := make(map[string]string)
	for reason, keys := range options {
		for key := range strings.FieldsSeq(keys) {
			reasons[key] = reason
		}
	}
	return reasons
}

func (d *dnsmasq) option(o option) {
	read, ok := records[o.key]
	why, known := notRecords[o.key]
	switch {
	case ok:
		read(d, o)
	case settings[o.key] != nil:
	case known:
		d.skip(o.Line, "%s", why)
	default:
		d.skip(o.Line, "it declares no records")
	}
}

// mxHost reads: mx-host=NAME[,HOST[,PREFERENCE]]
//
// The manual has the host in brackets of its own, but dnsmasq takes a number in its place for a host.
func (d *dnsmasq) mxHost(o option) {
	d.hasMX = true
	words, ok := d.fields(o, "mx-host=NAME,HOST,PREFERENCE", 3)
	if !ok {
		return
	}
	preference, ok := d.number(o.Line, words[2], 1)
	host := cmp.Or(words[1], d.target)
	switch {
	case !ok:
	case host == "":
		d.skip(o.Line, "it means the machine that dnsmasq runs on: write that host after the name, or mx-target=HOST")
	case isNumber(host):
		d.skip(o.Line, "dnsmasq takes %q for the host: write NAME,HOST,PREFERENCE", host)
	default:
		d.mail(o.Line, absolute(words[0]), preference, absolute(host), d.defaultTTL(o.Line))
	}
}

// srvHost reads: srv-host=NAME[,HOST[,PORT[,PRIORITY[,WEIGHT]]]]
func (d *dnsmasq) srvHost(o option) {
	words, ok := d.fields(o, "srv-host=NAME,HOST,PORT,PRIORITY,WEIGHT", 5)
	if !ok {
		return
	}
	name := words[0]
	if strings.Count(name, ".") == 1 {
		if d.domain == "" {
			d.skip(o.Line, "it has no domain, and there is no domain=: name the zone, or write it out")
			return
		}
		name += "." + d.domain
	}
	var t definition.Target
	var port, priority, weight bool
	t.Port, port = d.number(o.Line, words[2], 1)
	t.Priority, priority = d.number(o.Line, words[3], 0)
	t.Weight, weight = d.number(o.Line, words[4], 0)
	if port && priority && weight {
		d.service(o.Line, absolute(name), t, absolute(words[1]), d.defaultTTL(o.Line))
	}
}

// hostRecord reads: host-record=NAME[,NAME...],[ADDRESS],[ADDRESS][,TTL]
func (d *dnsmasq) hostRecord(o option) {
	var names []string
	var addrs []netip.Addr // one of each family at most
	ttl := ""
	for i, word := range split(o.value) {
		addr, err := netip.ParseAddr(word)
		switch {
		case err == nil:
			addrs = d.replaceFamily(o.Line, addrs, addr)
		case i > 0 && isNumber(word):
			ttl = word
		default:
			names = append(names, absolute(word))
		}
	}
	if len(addrs) == 0 {
		d.skip(o.Line, "no address")
		return
	}
	d.pointers = append(d.pointers, o.Line)
	if seconds, ok := d.seconds(o.Line, ttl); ok {
		d.addHosts(o.Line, names, addrs, seconds)
	}
}

func (d *dnsmasq) addHosts(l Line, names []string, addrs []netip.Addr, seconds uint32) {
	for _, name := range names {
		for _, addr := range addrs {
			d.host(l, name, addr, seconds)
			d.overrides[familyOf(name, addr)] = true
		}
	}
}

// replaceFamily adds an address in place of another of its family, if there is one.
func (d *dnsmasq) replaceFamily(l Line, addrs []netip.Addr, addr netip.Addr) []netip.Addr {
	i := slices.IndexFunc(addrs, func(a netip.Addr) bool { return a.Is4() == addr.Is4() })
	if i < 0 {
		return append(addrs, addr)
	}
	d.skip(l, "dnsmasq answers the last address of a family in a line, not %s: write a line for each", addrs[i])
	addrs[i] = addr
	return addrs
}

// address reads: address=/NAME[/NAME...]/[ADDRESS]
func (d *dnsmasq) address(o option) {
	words := strings.Split(o.value, "/")
	last := len(words) - 1
	if last < 2 || words[0] != "" {
		d.skip(o.Line, "usage: address=/NAME/ADDRESS")
		return
	}
	addr, err := netip.ParseAddr(words[last])
	switch {
	case words[last] == "":
		d.skip(o.Line, "it denies names, which definitions cannot do")
	case words[last] == "#":
		d.skip(o.Line, "it blocks names with the addresses 0.0.0.0 and ::, for any name below them, too: leave it to the template plugin in a server block of its own")
	case err != nil:
		d.skip(o.Line, "%q is not an address", words[last])
	default:
		for _, name := range words[1:last] {
			d.addressOf(o.Line, strings.TrimPrefix(name, "."), addr)
		}
	}
}

func (d *dnsmasq) addressOf(l Line, name string, addr netip.Addr) {
	if name == "" || strings.ContainsAny(name, "#*") {
		d.skip(l, "it is for any name: leave it to the template plugin in a server block of its own")
		return
	}
	d.skip(l, "only %s itself gets the address, which was for all names below it, too: declare those that are asked for", name)
	d.addresses = append(d.addresses, address{l, absolute(name), addr})
}

// addAddresses adds the hosts of address lines, once it is known which of them host-record lines override.
func (d *dnsmasq) addAddresses() {
	for _, a := range d.addresses {
		if d.overrides[familyOf(a.owner, a.addr)] {
			d.skip(a.Line, "dnsmasq answers the address of host-record=%s instead", strings.TrimSuffix(a.owner, "."))
			continue
		}
		d.host(a.Line, a.owner, a.addr, d.defaultTTL(a.Line))
	}
}

// cname reads: cname=NAME[,NAME...],HOST[,TTL]
func (d *dnsmasq) cname(o option) {
	words := split(o.value)
	ttl := ""
	if n := len(words) - 1; n > 1 && isNumber(words[n]) {
		ttl, words = words[n], words[:n]
	}
	last := len(words) - 1
	if last < 1 {
		d.skip(o.Line, "usage: cname=NAME,HOST")
		return
	}
	if seconds, ok := d.seconds(o.Line, ttl); ok {
		for _, name := range words[:last] {
			d.alias(o.Line, absolute(name), absolute(words[last]), seconds)
		}
	}
}

// seconds reads a TTL; no word is the default.
func (d *dnsmasq) seconds(l Line, word string) (uint32, bool) {
	if word == "" {
		return d.defaultTTL(l), true
	}
	n, err := strconv.ParseUint(word, 10, 31)
	if err != nil {
		d.skip(l, "TTL %q: write seconds from 0 to %d (RFC 2181 §8)", word, maxTTL)
	}
	return uint32(n), err == nil
}

// defaultTTL returns the TTL of a line that has none.
func (d *dnsmasq) defaultTTL(l Line) uint32 {
	if d.ttl == 0 && d.zeroTTL == nil {
		d.zeroTTL = &l
	}
	return d.ttl
}

// skipOnce lists what is true of several lines at the first of them.
func (d *dnsmasq) skipOnce(options []option) {
	if d.zeroTTL != nil {
		d.skip(*d.zeroTTL, "there is no local-ttl: dnsmasq answers with TTL 0, and so do the definitions: write another ttl if clients may keep answers")
	}
	if n := len(d.pointers); n > 0 {
		d.skip(d.pointers[0], "it means PTR records, too: name the network in the Corefile beside the zone, as 192.0.2.0/24%s", moreLikeThis(n))
	}
	for _, o := range options {
		if o.key == "mx-target" && !d.hasMX {
			d.skip(o.Line, "without mx-host it is for the machine that dnsmasq runs on: write mx-host=NAME,%s", o.value)
		}
	}
}

// commonZone returns the domain of the file if all names but short ones are below it, or else the zone that they seem to
// be in.
func (d *dnsmasq) commonZone() definition.Name {
	names := slices.Collect(d.set.EachOwner)
	zone, err := definition.ParseName(d.domain, ".")
	isShort := shortNames(names)
	outside := func(n definition.Name) bool { return !n.Below(zone) && !isShort(n) && isForward(n) }
	if err != nil || d.domain == "" || slices.ContainsFunc(names, outside) {
		return guessZone(names)
	}
	return zone
}

// moreLikeThis returns what follows the text of the first of n lines.
func moreLikeThis(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (and %d more like this)", n-1)
}
