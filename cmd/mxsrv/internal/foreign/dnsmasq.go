package foreign

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A dnsmasq reads the options of dnsmasq, which has its own mind about what is
// left out; what is said here was seen in the answers of version 2.90.
type dnsmasq struct {
	*importer

	domain string // of services that name none
	target string // of mx-host lines that name none
	ttl    uint32

	hasMX     bool
	zeroTTL   *line // the first whose TTL is 0 for want of local-ttl
	firstPTR  *line
	pointers  int                // lines that mean PTR records
	addresses []address          // of address lines
	given     map[addressed]bool // by host-record lines, which go before
}

// An address is what an address line says of one name.
type address struct {
	line
	owner string
	addr  netip.Addr
}

// addressed is a name that has addresses of a family.
type addressed struct {
	owner string
	v4    bool
}

func readDnsmasq(im *importer, source, text string) {
	d := dnsmasq{importer: im, domain: string(im.zone), given: make(map[addressed]bool)}
	options := options(source, text)
	for _, o := range options { // wherever they stand they are for all lines
		if set, ok := settings[o.key]; ok {
			set(&d, o)
		}
	}
	for _, o := range options {
		d.option(o)
	}
	d.addAddresses()
	d.remarks(options)
	if im.zone == "" {
		im.zone = d.zoneOfAll()
	}
}

// settings holds the function for each option that says what others leave out.
var settings = map[string]func(*dnsmasq, option){
	"domain": func(d *dnsmasq, o option) {
		switch {
		case strings.Contains(o.value, ","):
			d.unsay(o.line, "it is for the machines of a network only: declare these by name")
		case o.value == "#":
			d.unsay(o.line, ofMachine)
		default:
			d.domain = absolute(o.value) // the last one counts
		}
	},
	"mx-target": func(d *dnsmasq, o option) { d.target = o.value },
	"local-ttl": func(d *dnsmasq, o option) { d.ttl, _ = d.seconds(o.line, o.value) },
}

// records holds the function for each option whose records there are words for.
var records = map[string]func(*dnsmasq, option){
	"address":     (*dnsmasq).address,
	"cname":       (*dnsmasq).cname,
	"host-record": (*dnsmasq).hostRecord,
	"mx-host":     (*dnsmasq).mxHost,
	"srv-host":    (*dnsmasq).srvHost,
}

const (
	noWord    = "there is no word for it: leave it to a plugin behind"
	otherFile = "files are not followed here: import it by itself"
	ofMachine = "what it declares depends on the machine: declare the hosts and their mail by name"
	ofNetwork = "it says where other names are looked up: that is for a plugin behind, such as forward"
)

// why says of further options that mean records why they are not in the set.
var why = map[string]string{
	"addn-hosts":     otherFile,
	"auth-server":    "it is for another plugin, or for authoritative",
	"auth-soa":       "it is for another plugin, or for authoritative",
	"auth-zone":      "it is for another plugin, or for authoritative",
	"caa-record":     noWord,
	"conf-dir":       otherFile,
	"conf-file":      otherFile,
	"dhcp-host":      ofMachine,
	"dns-rr":         noWord,
	"dynamic-host":   ofMachine,
	"hostsdir":       otherFile,
	"interface-name": ofMachine,
	"local":          ofNetwork,
	"localmx":        ofMachine,
	"naptr-record":   noWord,
	"ptr-record":     noWord,
	"rev-server":     ofNetwork,
	"selfmx":         ofMachine,
	"server":         ofNetwork,
	"synth-domain":   noWord,
	"txt-record":     noWord,
}

func (d *dnsmasq) option(o option) {
	read, ok := records[o.key]
	text, known := why[o.key]
	switch {
	case ok:
		read(d, o)
	case settings[o.key] != nil:
	case known:
		d.unsay(o.line, "%s", text)
	default:
		d.unsay(o.line, "it declares no records")
	}
}

// mxHost reads: mx-host=NAME[,HOST[,PREFERENCE]]
//
// The manual puts the host in brackets of its own, but a number in its place is
// taken for a host.
func (d *dnsmasq) mxHost(o option) {
	d.hasMX = true
	words, ok := d.fields(o, "mx-host=NAME,HOST,PREFERENCE", 3)
	if !ok {
		return
	}
	preference, ok := d.number(o.line, words[2], 1)
	host := words[1]
	if host == "" {
		host = d.target
	}
	switch {
	case !ok:
	case host == "":
		d.unsay(o.line, "it means the machine that dnsmasq runs on: write that host after the name, or mx-target=HOST")
	case isNumber(host):
		d.unsay(o.line, "dnsmasq takes %q for the host: write NAME,HOST,PREFERENCE", host)
	default:
		d.mail(o.line, absolute(words[0]), preference, absolute(host), d.defaultTTL(o.line))
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
			d.unsay(o.line, "it has no domain, and there is no domain=: name the zone, or write it out")
			return
		}
		name += "." + d.domain
	}
	var t definition.Target
	var port, priority, weight bool
	t.Port, port = d.number(o.line, words[2], 1)
	t.Priority, priority = d.number(o.line, words[3], 0)
	t.Weight, weight = d.number(o.line, words[4], 0)
	if port && priority && weight {
		d.service(o.line, absolute(name), t, absolute(words[1]), d.defaultTTL(o.line))
	}
}

// hostRecord reads: host-record=NAME[,NAME...],[ADDRESS],[ADDRESS][,TTL]
func (d *dnsmasq) hostRecord(o option) {
	var names []string
	var v4, v6 netip.Addr
	ttl := ""
	for i, word := range split(o.value) {
		addr, err := netip.ParseAddr(word)
		family := &v6
		if addr.Is4() {
			family = &v4
		}
		switch {
		case err != nil && i > 0 && isNumber(word):
			ttl = word
		case err != nil:
			names = append(names, absolute(word))
		default:
			if family.IsValid() {
				d.unsay(o.line, "dnsmasq answers the last address of a family in a line, not %s: write a line for each", family)
			}
			*family = addr
		}
	}
	if !v4.IsValid() && !v6.IsValid() {
		d.unsay(o.line, "no address")
		return
	}
	if d.pointers++; d.firstPTR == nil {
		d.firstPTR = &o.line
	}
	if seconds, ok := d.seconds(o.line, ttl); ok {
		d.addHosts(o.line, names, seconds, v4, v6)
	}
}

func (d *dnsmasq) addHosts(l line, names []string, ttl uint32, addrs ...netip.Addr) {
	for _, name := range names {
		for _, addr := range addrs {
			if addr.IsValid() {
				d.host(l, name, addr, ttl)
				d.given[addressed{strings.ToLower(name), addr.Is4()}] = true
			}
		}
	}
}

// address reads: address=/NAME[/NAME...]/[ADDRESS]
func (d *dnsmasq) address(o option) {
	words := strings.Split(o.value, "/")
	last := len(words) - 1
	if last < 2 || words[0] != "" {
		d.unsay(o.line, "usage: address=/NAME/ADDRESS")
		return
	}
	addr, err := netip.ParseAddr(words[last])
	switch {
	case words[last] == "":
		d.unsay(o.line, "it denies names: there is no word for that")
		return
	case words[last] == "#":
		d.unsay(o.line, "it blocks names with the addresses 0.0.0.0 and ::, for any name below them too: leave it to a plugin behind, such as template")
		return
	case err != nil:
		d.unsay(o.line, "%q is not an address", words[last])
		return
	}
	for _, name := range words[1:last] {
		if name == "" || strings.ContainsAny(name, "#*") {
			d.unsay(o.line, "it is for any name: leave it to a plugin behind, such as template")
			continue
		}
		d.unsay(o.line, "only %s itself gets the address; it was for all names below it, too: declare those that are asked for", name)
		d.addresses = append(d.addresses, address{o.line, absolute(name), addr})
	}
}

// addAddresses adds what address lines say, once it is known where host-record
// lines go before them.
func (d *dnsmasq) addAddresses() {
	for _, a := range d.addresses {
		if d.given[addressed{strings.ToLower(a.owner), a.addr.Is4()}] {
			d.unsay(a.line, "dnsmasq answers the address of host-record=%s instead", strings.TrimSuffix(a.owner, "."))
			continue
		}
		d.host(a.line, a.owner, a.addr, d.defaultTTL(a.line))
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
		d.unsay(o.line, "usage: cname=NAME,HOST")
		return
	}
	if seconds, ok := d.seconds(o.line, ttl); ok {
		for _, name := range words[:last] {
			d.alias(o.line, absolute(name), absolute(words[last]), seconds)
		}
	}
}

// seconds reads a TTL; an empty word is the default.
func (d *dnsmasq) seconds(l line, word string) (uint32, bool) {
	if word == "" {
		return d.defaultTTL(l), true
	}
	n, err := strconv.ParseUint(word, 10, 31)
	if err != nil {
		d.unsay(l, "TTL %q: write seconds from 0 to %d (RFC 2181 §8)", word, maxTTL)
	}
	return uint32(n), err == nil
}

// defaultTTL returns the TTL of a line that says none.
func (d *dnsmasq) defaultTTL(l line) uint32 {
	if d.ttl == 0 && d.zeroTTL == nil {
		d.zeroTTL = &l
	}
	return d.ttl
}

// remarks lists what is to be said of all lines at the first of them.
func (d *dnsmasq) remarks(options []option) {
	if d.zeroTTL != nil {
		d.unsay(*d.zeroTTL, "there is no local-ttl: dnsmasq answers with TTL 0, and so do the definitions: write another ttl if clients may keep answers")
	}
	if d.firstPTR != nil {
		more := ""
		if d.pointers > 1 {
			more = fmt.Sprintf(" (and %d more like this)", d.pointers-1)
		}
		d.unsay(*d.firstPTR, "it means PTR records too, for which there is no word%s", more)
	}
	for _, o := range options {
		if o.key == "mx-target" && !d.hasMX {
			d.unsay(o.line, "without mx-host it is for the machine that dnsmasq runs on: write mx-host=NAME,%s", o.value)
		}
	}
}

// zoneOfAll returns the domain of the file if all names are below it.
func (d *dnsmasq) zoneOfAll() definition.Name {
	zone, err := definition.ParseName(d.domain, ".")
	if err != nil || d.domain == "" {
		return ""
	}
	for o := range d.set.Index().Owners() {
		if !o.Name().Below(zone) {
			return ""
		}
	}
	return zone
}
