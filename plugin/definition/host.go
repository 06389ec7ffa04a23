package definition

import (
	"net/netip"
	"slices"
	"strings"
)

// A Host is a host with its addresses, at least one.
type Host struct {
	Head
	Addrs []netip.Addr // sorted, each once
	PTR   bool         // of several hosts with an address, its PTR records name this one
	Open  bool         // fragments in etcd may add addresses
	Order Order
}

func (h *Host) targets() int    { return 0 }
func (h *Host) target(int) Name { return "" }
func (h *Host) list() any       { return nil }

func (r *Reader) host(s Statement) {
	if len(s.Words) < 3 {
		r.usage(s, "NAME ADDRESS...")
		return
	}
	h, addrs := Host{Head: Head{Pos: s.Pos}}, make([]netip.Addr, 0, len(s.Words)-2)
	var lines *policies
	if len(s.Block) > 0 { // as few have one, and reading it takes memory
		h, lines = r.hostBlock(s, h)
	}
	for _, word := range s.Words[2:] {
		if addr, ok := r.addr(s.Pos, word); ok {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 || !r.affordable(s.Pos, s.Words[1:2], len(addrs)+lines.records()) {
		return
	}
	lines.grow(int(r.made(s.Words[1:2])))
	h.Addrs = distinct(addrs, netip.Addr.Compare)
	r.owners(s.Pos, s.Words[1:2], func(o owner) {
		h.Owner = o.name
		r.set.Hosts = append(r.set.Hosts, h)
		r.pointers(h)
		lines.declare(o, h.TTL)
	})
}

// hostBlock returns a host with what its block says.
func (r *Reader) hostBlock(s Statement, h Host) (_ Host, lines *policies) {
	flags := []flag{{word: "ptr", said: &h.PTR}, {word: openWord, said: &h.Open}}
	for _, word := range wordsOfLines(hostLines) {
		flags = append(flags, flag{word: word, read: func(b Statement) { r.line(&lines, false, b, hostLines[word]) }})
	}
	h.TTL = r.ttlBlock(s, &h.Order, flags...)
	return h, lines
}

func (h *Host) open() bool { return h.Open }

func (r *Reader) addr(pos Pos, word string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(word)
	switch {
	case err != nil || addr.Zone() != "":
		r.errs.add(pos, Syntax, "%q is not an address: write %s", word, instead(word))
		return addr, false
	case addr.Is4In6():
		r.errs.add(pos, Syntax, "%q is an IPv4 address in IPv6 form: write %s", word, addr.Unmap())
		return addr, false
	}
	return addr, true
}

// instead returns what to write instead of a word that is no address: the one that is in it, without a comma, the length
// of a prefix or a port, or one for example.
func instead(word string) string {
	bare, _, _ := strings.Cut(strings.TrimSuffix(word, ","), "/")
	if addr, err := netip.ParseAddrPort(bare); err == nil {
		return addr.Addr().String()
	}
	if addr, err := netip.ParseAddr(bare); err == nil && addr.Zone() == "" {
		return addr.String()
	}
	return "one like 192.0.2.10 or 2001:db8::10"
}

// Hosts returns what the name is declared as a host, in the order of declaration.
func (o Owner) Hosts() []*Host { return o.declared().hosts.of(o.number) }

// Addrs returns the addresses of a host, sorted, each once.
func (o Owner) Addrs() []netip.Addr {
	return joined(o.Hosts(), func(h *Host) []netip.Addr { return h.Addrs }, netip.Addr.Compare)
}

// host gathers the addresses of a host, whose statements are for it alone: those with ptr in one, the others in another.
func (p *printer) host(o Owner, g gatherer) {
	var preferred, others []string
	for _, addr := range o.Addrs() {
		if slices.ContainsFunc(o.Hosts(), func(h *Host) bool { return h.PTR && slices.Contains(h.Addrs, addr) }) {
			preferred = append(preferred, addr.String())
		} else {
			others = append(others, addr.String())
		}
	}
	w := wording{open: isOpen(o.Hosts()), ttl: o.HostTTL(), fixed: o.HostOrder(), alone: o.Name()}
	for i, words := range [][]string{preferred, others} {
		if len(words) > 0 {
			w.body, w.ptr = strings.Join(words, " "), i == 0
			g.add(o.Name(), w)
		}
	}
}
