package skydns

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// maxBelow is how many keys may be below a name that answers with them.
const maxBelow = 2000

// maxOctets is what the records of one type may have: what a message takes (RFC 1035 §4.2.2), less the rest of it.
const maxOctets = 65535 - 1024

// A name that is declared.
type name struct {
	tree  *Tree
	set   *definition.Set
	owner definition.Name
	hosts []*service // that answer for it, by the etcd plugin's rules for all types but TXT
	texts []*service // and for TXT
}

// declare adds what a name has to a set.
func (t *Tree) declare(set *definition.Set, owner definition.Name) {
	zone := t.zones.Of(owner)
	if zone == "" || owner.IsWildcard() {
		return
	}
	n := &name{tree: t, set: set, owner: owner}
	if zone.IsReverse() || owner[0] == '_' {
		n.pointers()
	}
	if zone.IsReverse() {
		return
	}
	if owner == zone {
		n.servers()
	}
	n.hosts, n.texts = t.answering(owner)
	if host := n.aliasOf(zone); host != "" {
		set.Aliases = append(set.Aliases, definition.Alias{Head: n.head(n.hosts), Host: host})
		return
	}
	n.addresses()
	n.service()
	n.mail()
	n.txt()
}

// answering returns the services that answer for a name: for all types but TXT, and for that.
func (t *Tree) answering(owner definition.Name) (hosts, texts []*service) {
	all := t.below(owner)
	if len(all) > maxBelow {
		return nil, nil
	}
	return grouped(filter(all, (*service).hasHost)), filter(grouped(all), (*service).isText)
}

func filter(all []*service, match func(*service) bool) []*service {
	matching := make([]*service, 0, len(all))
	for _, s := range all {
		if match(s) {
			matching = append(matching, s)
		}
	}
	return matching
}

// head returns the head of a declaration that some services make, with the lowest TTL of them.
func (n *name) head(of []*service) definition.Head {
	ttl := of[0].ttl
	for _, s := range of {
		ttl = min(ttl, s.ttl)
	}
	return definition.Head{Pos: pos, Owner: n.owner, TTL: definition.TTL{Seconds: ttl, Own: true}}
}

var pos = definition.Pos{Source: change.TreeSource, Line: 1}

// aliasOf returns the one host name that a name stands for, or "". A name with a port, mail or texts has records of its
// own, and so has the apex of a zone: it must not be an alias (RFC 1034 §3.6.2).
func (n *name) aliasOf(zone definition.Name) (host definition.Name) {
	if len(n.hosts) == 0 || len(n.texts) > 0 || n.owner == zone || n.owner[0] == '_' {
		return ""
	}
	for _, s := range n.hosts {
		if !s.isName() || s.port > 0 || s.mail || host != "" && s.host != host || s.host.Below(n.owner) {
			return ""
		}
		host = s.host
	}
	return host
}

// addresses declares a host of the addresses of the name.
func (n *name) addresses() {
	c := collector{tree: n.tree, seen: definition.Names{n.owner: true}}
	c.collect(n.owner)
	if len(c.addrs) == 0 || len(c.addrs) > maxBelow {
		return
	}
	slices.SortFunc(c.addrs, netip.Addr.Compare)
	n.set.Hosts = append(n.set.Hosts, definition.Host{Head: n.head(c.from), Addrs: slices.Compact(c.addrs)})
}

// A collector collects addresses, and what they are from.
type collector struct {
	tree  *Tree
	seen  definition.Names
	addrs []netip.Addr
	from  []*service
}

// maxSeen is how many hosts are looked up for the addresses of a name.
const maxSeen = 100

// collect adds the addresses of a name, and those of the hosts in the zones that it names. It ends when there are too
// many.
func (c *collector) collect(of definition.Name) {
	for _, s := range c.tree.addressing(of) {
		switch {
		case len(c.addrs) > maxBelow:
			return
		case s.addr.IsValid():
			c.addrs, c.from = append(c.addrs, s.addr), append(c.from, s)
		case !s.isName() || s.host.Below(of) || c.seen[s.host] || len(c.seen) > maxSeen || c.tree.zones.Of(s.host) == "":
		default:
			c.seen[s.host] = true
			before := len(c.addrs)
			if c.collect(s.host); len(c.addrs) > before {
				c.from = append(c.from, s)
			}
		}
	}
}

// addressing returns the services that answer for the addresses of a name. At the apex of a zone those of apex.dns, if
// there are any, are the only ones.
func (t *Tree) addressing(owner definition.Name) []*service {
	if special := "apex.dns." + owner; t.zones[owner] && len(t.below(special)) > 0 {
		owner = special
	}
	hosts, _ := t.answering(owner)
	return hosts
}

// service declares the targets of a name. Of addresses with one target and port the first key counts.
func (n *name) service() {
	type end struct {
		host definition.Name
		port uint16
	}
	seen, octets := make(map[end]bool), 0
	var targets []definition.Target
	var from []*service
	for _, s := range n.hosts {
		e := end{s.target, s.port}
		if s.isText() || s.addr.IsValid() && seen[e] {
			continue
		}
		seen[e] = seen[e] || s.addr.IsValid()
		octets += 18 + 1 + len(s.target)
		targets = append(targets, definition.Target{
			Pos: pos, Priority: s.priority, Weight: s.weight, Port: s.port, Host: s.target})
		from = append(from, s)
	}
	if len(targets) == 0 || octets > maxOctets {
		return
	}
	service := definition.Service{Head: n.head(from), Targets: definition.SortTargets(targets)}
	n.set.Services = append(n.set.Services, service)
}

// mail declares the exchanges of a name.
func (n *name) mail() {
	var exchanges []definition.Exchange
	var from []*service
	octets := 0
	for _, s := range n.hosts {
		if s.mail && !s.isText() {
			octets += 14 + 1 + len(s.target)
			exchanges = append(exchanges, definition.Exchange{Pos: pos, Preference: s.priority, Host: s.target})
			from = append(from, s)
		}
	}
	if len(exchanges) == 0 || octets > maxOctets {
		return
	}
	mail := definition.Mail{Head: n.head(from), Exchanges: definition.SortExchanges(exchanges)}
	n.set.Mails = append(n.set.Mails, mail)
}

// txt declares the texts of a name.
func (n *name) txt() {
	octets := 0
	for _, s := range n.texts {
		octets += 12 + len(s.text) + len(s.text)/maxString + 1
	}
	if octets <= maxOctets {
		n.records(dns.TypeTXT, n.texts, func(s *service) string { return charStrings(s.text) })
	}
}

const maxString = 255 // octets of a string of a TXT record (RFC 1035 §3.3)

// charStrings returns a text as the strings of a TXT record.
func charStrings(text string) (data string) {
	for len(text) > maxString {
		data += string([]byte{maxString}) + text[:maxString]
		text = text[maxString:]
	}
	return data + string([]byte{byte(len(text))}) + text
}

// pointers declares the host names of the keys of the name itself as PTR records.
func (n *name) pointers() {
	named := func(s *service) bool { return s.host != "" }
	from := filter(grouped(filter(n.tree.own(n.owner), (*service).hasHost)), named)
	n.records(dns.TypePTR, from, func(s *service) string { return wire(s.host) })
}

// servers declares the addresses below ns.dns of a zone as its name servers.
func (n *name) servers() {
	hosts, _ := n.tree.answering("ns.dns." + n.owner)
	from := filter(hosts, func(s *service) bool { return s.addr.IsValid() })
	n.records(dns.TypeNS, from, func(s *service) string { return wire(s.target) })
}

// records declares a record of each service, each once.
func (n *name) records(rrtype uint16, from []*service, data func(*service) string) {
	seen := make(map[string]bool)
	first := filter(from, func(s *service) bool {
		d := data(s)
		repeated := seen[d]
		seen[d] = true
		return !repeated
	})
	if len(first) == 0 {
		return
	}
	head := n.head(first)
	for _, s := range first {
		n.set.Records = append(n.set.Records, definition.Record{Head: head, Type: rrtype, Data: data(s)})
	}
}

// wire returns a name as RDATA.
func wire(host definition.Name) (data string) {
	for _, label := range host.Labels() {
		data += string([]byte{byte(len(label))}) + label
	}
	return data + "\x00"
}
