package definition

import (
	"net/netip"
	"strings"
)

// A Host is a host with its addresses, at least one.
type Host struct {
	Pos
	Owner Name
	Addrs []netip.Addr // sorted, each once
	TTL   TTL
}

func (h *Host) owner() Name     { return h.Owner }
func (h *Host) ttl() *TTL       { return &h.TTL }
func (h *Host) records() int    { return len(h.Addrs) }
func (h *Host) targets() int    { return 0 }
func (h *Host) target(int) Name { return "" }
func (h *Host) list() any       { return nil }

const hostUsage = "NAME ADDRESS..."

// host reads: host NAME ADDRESS...
func (r *Reader) host(s Statement) {
	if len(s.Words) < 3 {
		r.usage(s, hostUsage)
		return
	}
	ttl, addrs := r.ttlBlock(s), make([]netip.Addr, 0, len(s.Words)-2)
	for _, word := range s.Words[2:] {
		if addr, ok := r.addr(s.Pos, word); ok {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		return
	}
	addrs = distinct(addrs, netip.Addr.Compare)
	r.owners(s.Pos, s.Words[1:2], func(o owner) {
		r.set.Hosts = append(r.set.Hosts, Host{s.Pos, o.name, addrs, ttl})
	})
}

func (r *Reader) addr(pos Pos, word string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(word)
	switch {
	case err != nil || addr.Zone() != "":
		r.errs.add(pos, Syntax, "%q is not an address: write one like 192.0.2.10 or 2001:db8::10", word)
		return addr, false
	case addr.Is4In6():
		r.errs.add(pos, Syntax, "%q is an IPv4 address in IPv6 form: write %s", word, addr.Unmap())
		return addr, false
	}
	return addr, true
}

// Hosts returns what the name is declared as a host, in the order of declaration.
func (o Owner) Hosts() []*Host { return o.declared().hosts.of(o.number) }

// HostTTL returns the TTL of the addresses in seconds, and whether all declarations
// agree on it.
func (o Owner) HostTTL() (uint32, bool) { return common(o.Hosts()) }

// Addrs returns the addresses of a host, sorted, each once.
func (o Owner) Addrs() []netip.Addr {
	return joined(o.Hosts(), func(h *Host) []netip.Addr { return h.Addrs }, netip.Addr.Compare)
}

// hosts returns a statement for each host.
func (p *printer) hosts() []statement {
	var statements []statement
	for o := range p.index.Owners() {
		if len(o.Hosts()) == 0 {
			continue
		}
		var words []string
		for _, addr := range o.Addrs() {
			words = append(words, addr.String())
		}
		ttl, _ := o.HostTTL()
		statements = append(statements, statement{[]Name{o.Name()}, wording{body: strings.Join(words, " "), ttl: ttl}})
	}
	return sorted(statements)
}
