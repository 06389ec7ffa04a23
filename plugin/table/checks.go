package table

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A layer has the notes on what was compiled in one go: all of a table, or one of its patches. Tables that share
// what was compiled share the layer, which does not change but for its index of addresses.
type layer struct {
	servers  []server
	sets     []checkedSet // by ascending answer
	refs     []uint32     // servers of the records of sets
	ofServer [][]uint32   // by server: the sets that it is in
	ofProbe  map[definition.Probe][]uint32

	mu        sync.Mutex
	addresses map[netip.Addr][]uint32 // of those that were asked for: see withAddresses
}

// A server is a host at a port that is checked in one way.
type server struct {
	probes  []definition.Probe // of its addresses
	partial bool               // one of its addresses is not probed
	drained bool
}

// A checkedSet is an MX or SRV RRset with a check, or with drained targets, in one stored answer.
type checkedSet struct {
	answer  uint32
	owners  uint32 // that have it, those of aliases not counted
	first   uint32 // of refs: the servers of the records after the CNAME records
	count   uint16
	aliases uint8 // CNAME records
	mail    bool  // see hideTargets
}

// serverKey is by what a server is one.
type serverKey struct {
	host  definition.Name
	port  uint16
	check definition.Check
}

// A rule says how the targets of an RRset are checked.
type rule struct {
	check definition.Check
	mail  bool
}

func ruleOfMail(o definition.Owner) rule { return rule{o.MailCheck(), true} }

func ruleOfService(o definition.Owner) rule {
	_, mail := definition.SMTPDomain(o.Name())
	return rule{o.ServiceCheck(), mail}
}

// noteSet notes an RRset of MX or SRV records, if there is something to know of its targets, and returns its number
// plus 1, or 0.
func (b *builder) noteSet(answer uint32, r rule, records []dns.RR) uint32 {
	isDrained := func(rr dns.RR) bool { return b.index.Drained(targetOf(rr)) }
	if targetOf(records[0]) == "." || r.check == (definition.Check{}) && !slices.ContainsFunc(records, isDrained) {
		return 0
	}
	l := b.table.layer
	set := checkedSet{answer: answer, first: uint32(len(l.refs)), count: uint16(len(records)), mail: r.mail}
	for _, rr := range records {
		key := serverKey{targetOf(rr), definition.SMTPPort, r.check}
		if srv, ok := rr.(*dns.SRV); ok {
			key.port = srv.Port
		}
		l.refs = append(l.refs, b.server(key))
	}
	b.addSet(set)
	return uint32(len(l.sets))
}

// noteAlias notes that an answer has CNAME records and then those of another one.
func (b *builder) noteAlias(answer, of uint32, aliases int) {
	if set := b.table.layer.setOf(of); set != nil {
		s := *set
		s.answer, s.owners, s.aliases = answer, 0, uint8(aliases)
		b.addSet(s)
	}
}

func (b *builder) addSet(s checkedSet) {
	l := b.table.layer
	for _, server := range l.serversOf(&s) {
		if of := &l.ofServer[server]; !slices.Contains((*of)[max(0, len(*of)-1):], uint32(len(l.sets))) {
			*of = append(*of, uint32(len(l.sets)))
		}
	}
	l.sets = append(l.sets, s)
}

// server returns the number of a server.
func (b *builder) server(key serverKey) uint32 {
	l := b.table.layer
	number, ok := b.servers[key]
	if ok {
		return number
	}
	number = uint32(len(l.servers))
	b.servers[key] = number
	s := server{drained: b.index.Drained(key.host)}
	o := b.index.At(key.host)
	for _, addr := range o.Addrs() {
		if key.check == (definition.Check{}) || b.probe != nil && !b.probe(o, addr) {
			s.partial = true
			continue
		}
		p := definition.NewProbe(netip.AddrPortFrom(addr, key.port), key.check, key.host)
		s.probes = append(s.probes, p)
		l.ofProbe[p] = append(l.ofProbe[p], number)
	}
	l.servers, l.ofServer = append(l.servers, s), append(l.ofServer, nil)
	return number
}

// setOf returns what is noted of the RRset of an answer, or nil.
func (l *layer) setOf(answer uint32) *checkedSet {
	i, ok := slices.BinarySearchFunc(l.sets, answer, func(s checkedSet, a uint32) int { return cmp.Compare(s.answer, a) })
	if !ok {
		return nil
	}
	return &l.sets[i]
}

func (l *layer) serversOf(s *checkedSet) []uint32 { return l.refs[s.first : s.first+uint32(s.count)] }

// withAddresses returns the answers of a table that have addresses, among others of the same RRset. It goes through all
// answers of the layer for addresses that were not asked for before.
func (t *Table) withAddresses(addrs []netip.Addr) []uint32 {
	l := t.layer
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []uint32
	if slices.ContainsFunc(addrs, func(a netip.Addr) bool { _, known := l.addresses[a]; return !known }) {
		if l.addresses == nil {
			l.addresses = make(map[netip.Addr][]uint32)
		}
		t.indexAddresses(addrs)
	}
	for _, a := range addrs {
		found = append(found, l.addresses[a]...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// indexAddresses adds addresses to the index of the layer.
func (t *Table) indexAddresses(addrs []netip.Addr) {
	index, wanted := t.layer.addresses, make(map[netip.Addr]bool)
	for _, a := range addrs {
		if _, known := index[a]; !known {
			index[a], wanted[a] = nil, true
		}
	}
	for i := range t.answers {
		for _, section := range []span{t.answers[i].rrs, t.answers[i].glue} {
			for rrset := range addressRRsets(t.records(section)) {
				if len(rrset) < 2 {
					continue
				}
				for _, rr := range rrset {
					if a := addressOf(rr); wanted[a] && !slices.Contains(index[a][max(0, len(index[a])-1):], uint32(i)) {
						index[a] = append(index[a], uint32(i))
					}
				}
			}
		}
	}
}

// addressRRsets goes through the RRsets of addresses in a section.
func addressRRsets(section []dns.RR) func(yield func([]dns.RR) bool) {
	return func(yield func([]dns.RR) bool) {
		for len(section) > 0 {
			n := 1
			for h := section[0].Header(); n < len(section) && sameRRset(h, section[n].Header()); n++ {
			}
			if isAddress(section[0]) && !yield(section[:n:n]) {
				return
			}
			section = section[n:]
		}
	}
}

func sameRRset(a, b *dns.RR_Header) bool { return a.Rrtype == b.Rrtype && a.Name == b.Name }

func isAddress(rr dns.RR) bool {
	t := rr.Header().Rrtype
	return t == dns.TypeA || t == dns.TypeAAAA
}

// addressOf returns the address in a record, if it is one of addresses.
func addressOf(rr dns.RR) (addr netip.Addr) {
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		addr, _ = netip.AddrFromSlice(rr.AAAA)
	}
	return addr.Unmap()
}
