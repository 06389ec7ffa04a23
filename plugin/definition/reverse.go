package definition

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// IsReverse reports whether a name is one of an address or a network (RFC 1035 §3.5, RFC 3596 §2.5).
func (n Name) IsReverse() bool { return n.Below(arpa4) || n.Below(arpa6) }

const (
	arpa4 Name = "in-addr.arpa."
	arpa6 Name = "ip6.arpa."
)

// Forward returns the zones that are not reverse zones. It shares memory with z if these are all.
func (z Zones) Forward() Zones {
	if !slices.ContainsFunc(z, Name.IsReverse) {
		return z
	}
	return slices.DeleteFunc(slices.Clone(z), Name.IsReverse)
}

// Reverse returns the reverse zones.
func (z Zones) Reverse() (reverse Zones) {
	for _, zone := range z {
		if zone.IsReverse() {
			reverse = append(reverse, zone)
		}
	}
	return reverse
}

// A reverse finds the names of addresses in reverse zones.
type reverse struct {
	zones     ZoneSet
	classless map[Name][]classless // by the name of the /24 that they are in
}

// A classless zone has the names of a part of a /24 (RFC 2317): 130.128/26.2.0.192.in-addr.arpa is that of 192.0.2.130.
type classless struct {
	zone    Name
	network netip.Prefix
}

// newReverse returns what finds names in the reverse zones among some, nil if there is none.
func newReverse(zones Zones) *reverse {
	zones = zones.Reverse()
	if len(zones) == 0 {
		return nil
	}
	r := &reverse{zones.Set(), make(map[Name][]classless)}
	for _, zone := range zones {
		if network, ok := classlessNetwork(zone); ok {
			r.classless[zone.Parent()] = append(r.classless[zone.Parent()], classless{zone, network})
		}
	}
	return r
}

// classlessNetwork returns the network of a zone whose first label is FIRST/BITS as in RFC 2317 §4, FIRST-BITS or
// FIRST-LAST, below the name of a /24.
func classlessNetwork(zone Name) (network netip.Prefix, ok bool) {
	label, parent, _ := strings.Cut(string(zone), ".")
	labels := strings.Split(strings.TrimSuffix(parent, "."+string(arpa4)), ".")
	i := strings.IndexAny(label, "/-")
	if i < 0 || len(labels) != 3 {
		return network, false
	}
	slices.Reverse(labels)
	addr, err := netip.ParseAddr(strings.Join(append(labels, label[:i]), "."))
	n, err2 := strconv.ParseUint(label[i+1:], 10, 8)
	if err != nil || err2 != nil {
		return network, false
	}
	first := int(addr.As4()[3])
	for bits := 25; bits <= 32; bits++ {
		network = netip.PrefixFrom(addr, bits)
		isLast := label[i] == '-' && int(n) == first+1<<(32-bits)-1 && int(n) > first
		if (isLast || int(n) == bits) && network == network.Masked() {
			return network, true
		}
	}
	return network, false
}

// names returns the names of an address in the zones.
func (r *reverse) names(addr netip.Addr) (names []Name) {
	name := reverseName(addr)
	if r.zones.Of(name) != "" {
		names = append(names, name)
	}
	for _, c := range r.classless[name.Parent()] {
		if c.network.Contains(addr) {
			last, _, _ := strings.Cut(string(name), ".")
			names = append(names, Name(last+"."+string(c.zone)))
		}
	}
	return names
}

// reverseName returns the name of an address: 10.2.0.192.in-addr.arpa, or a label for each nibble below ip6.arpa.
func reverseName(addr netip.Addr) Name {
	const digits = "0123456789abcdef"
	b, octets := make([]byte, 0, 2*32+len(arpa6)), addr.AsSlice()
	for _, octet := range slices.Backward(octets) {
		if addr.Is4() {
			b = append(strconv.AppendUint(b, uint64(octet), 10), '.')
		} else {
			b = append(b, digits[octet&15], '.', digits[octet>>4], '.')
		}
	}
	if addr.Is4() {
		return Name(append(b, arpa4...))
	}
	return Name(append(b, arpa6...))
}

// OfNetwork returns the names in reverse zones at and below which the addresses of a network have their names: one for
// each octet or nibble that the network has a part of, at most 128.
func (z Zones) OfNetwork(network netip.Prefix) (names []Name) {
	r := newReverse(z)
	if r == nil {
		return nil
	}
	step := 8 // bits of a label
	if network.Addr().Is6() {
		step = 4
	}
	bits := (network.Bits() + step - 1) / step * step
	labels := (network.Addr().BitLen() - bits) / step // of an address, below each of the names
	for addr := network.Masked().Addr(); network.Contains(addr); {
		part := netip.PrefixFrom(addr, bits)
		name := reverseName(addr)
		for range labels {
			name = name.Parent()
		}
		names = append(names, name)
		for zone, all := range r.classless {
			for _, c := range all {
				if labels == 0 && c.network.Contains(addr) {
					first, _, _ := strings.Cut(string(name), ".")
					names = append(names, Name(first+"."+string(c.zone)))
				} else if labels > 0 && zone.Below(name) {
					names = append(names, c.zone)
				}
			}
		}
		if addr = after(part); !addr.IsValid() {
			break
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// after returns the first address after a network.
func after(network netip.Prefix) netip.Addr {
	octets := network.Masked().Addr().AsSlice()
	for i := len(octets) - 1; i >= 0; i-- {
		free := min(max(8*(i+1)-network.Bits(), 0), 8) // bits of the octet that vary in the network
		if sum := int(octets[i]|byte(1<<free-1)) + 1; sum < 256 {
			octets[i] = byte(sum)
			addr, _ := netip.AddrFromSlice(octets)
			return addr
		}
		octets[i] = 0
	}
	return netip.Addr{}
}

// Singles returns the zones that are of one IPv4 address each.
func (z Zones) Singles() (single Zones) {
	for _, zone := range z {
		if zone.Below(arpa4) && strings.Count(string(zone), ".") == 4+strings.Count(string(arpa4), ".") {
			single = append(single, zone)
		}
	}
	return single
}

// pointers declares PTR records of the addresses of a host, where they have names in reverse zones: in the order of the
// addresses. A wildcard is no name of a host.
func (r *Reader) pointers(h Host) {
	if r.reverse == nil || strings.Contains(string(h.Owner), "*") {
		return
	}
	if len(r.set.Records) == cap(r.set.Records) { // about as many as hosts will follow
		r.set.Records = slices.Grow(r.set.Records, 1+cap(r.set.Hosts)-len(r.set.Hosts))
	}
	var data string // shared
	for _, addr := range h.Addrs {
		for _, name := range r.reverse.names(addr) {
			if data == "" {
				data = wireOf(h.Owner)
			}
			head := Head{h.Pos, name, h.TTL}
			r.set.Records = append(r.set.Records, Record{Head: head, Type: dns.TypePTR, Data: data, Derived: true, Preferred: h.PTR})
		}
	}
}

// rank orders the PTR records of a name: of those only the highest count.
func (d *Record) rank() int {
	switch {
	case !d.Derived:
		return 2
	case d.Preferred:
		return 1
	}
	return 0
}

// settlePointers drops PTR records that were made of addresses and do not count: beside one that a record statement
// declares, beside that of a host with ptr, beside an alias, as those of RFC 2317, and in a delegated zone.
func (x *Index) settlePointers() {
	isDerived, cuts := false, Names{}
	for i := range x.Set.Records {
		d := &x.Set.Records[i]
		isDerived = isDerived || d.Derived
		if d.Type == dns.TypeNS {
			cuts[d.Owner] = true
		}
	}
	if !isDerived {
		return
	}
	x.records.filter(func(owner uint32, all []*Record) []*Record {
		least := 0
		if len(x.aliases.of(owner)) > 0 || x.isCut(x.names[owner], cuts) {
			least = 2
		}
		for _, d := range all {
			if d.Type == dns.TypePTR {
				least = max(least, d.rank())
			}
		}
		return slices.DeleteFunc(all, func(d *Record) bool { return d.rank() < least })
	})
}

// isCut reports whether a name is at or below one of some names, and no apex is between.
func (x *Index) isCut(name Name, cuts Names) bool {
	if len(cuts) == 0 {
		return false
	}
	for ; name != "."; name = name.Parent() {
		if n, ok := x.numbers[name]; ok && x.apexes[n] != nil {
			return false
		}
		if cuts[name] {
			return true
		}
	}
	return false
}

// Host returns the name that a PTR or NS record points to.
func (d *Record) Host() Name {
	host, _, _ := dns.UnpackDomainName([]byte(d.Data), 0)
	return Name(host)
}
