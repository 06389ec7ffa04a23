// Package picture draws who gets what, and what backs up what: mail domains, services and aliases on one side, hosts by
// network on the other, and between them what is tried first, what then, and in which shares.
//
// [New] makes one model of an index. [Picture.SVG], [Picture.Dot] and [Picture.Mermaid] draw it, up to a limit, and say
// what they omit; [Picture.JSON] writes all of it. The same index always gives the same output.
//
// # JSON
//
//	{
//	  "title": "example.com",
//	  "sets": [{
//	    "id": "s1",
//	    "kind": "mail",                           mail, service or alias
//	    "names": ["example.com.", "sub1.example.com."],
//	    "ranks": [{                               [] for null MX and SRV "."
//	      "number": 10,                           preference or priority; the lowest is tried first
//	      "targets": [{"host": "h1", "port": 0, "weight": 0, "share": 100}]
//	    }]
//	  }],
//	  "networks": [{
//	    "prefix": "192.0.2.0/24",                 /24 or /64, or "elsewhere"
//	    "hosts": [{"id": "h1", "name": "mx1.example.com.", "addresses": ["192.0.2.10", "2001:db8::10"]}]
//	  }]
//	}
//
// Names are absolute. A share is in percent of what the rank gets, to two places. A host is in the network of its
// lowest IPv4 address, or of its lowest IPv6 address if it has no other; one whose addresses are not declared is
// elsewhere. Fields may be added.
package picture

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// defaultLimit is how many sets are drawn.
const defaultLimit = 25

// A Picture is what can be drawn.
type Picture struct {
	Title    string    `json:"title"`
	Sets     []Set     `json:"sets"`     // mail, services, aliases, each by first name; those that get nothing come last
	Networks []Network `json:"networks"` // by prefix; elsewhere comes last

	// How many there are of what is not drawn.
	Delegations int `json:"delegations"`
	Pointers    int `json:"pointers"` // PTR records
	Records     int `json:"records"`  // of other types

	zone    definition.Name // if there is only one, else ""
	limit   int
	omitted omitted
}

// The kinds of sets.
const (
	Mail    = "mail"
	Service = "service"
	Alias   = "alias"
)

var kinds = []string{Mail, Service, Alias}

// A Set is names that get the same.
type Set struct {
	ID    string            `json:"id"`
	Kind  string            `json:"kind"`
	Names []definition.Name `json:"names"` // those with few labels first
	Ranks []Rank            `json:"ranks"` // in the order of trying; none: takes no mail, or is not offered

	more int // ranks that are not drawn
}

// A Rank is targets of equal preference or priority.
type Rank struct {
	Number  int      `json:"number"` // preference or priority
	Targets []Target `json:"targets"`

	more int // targets that are not drawn
	y    int // of the top where it is drawn
}

// A Target is a host, and its share of a rank.
type Target struct {
	Host   string  `json:"host"` // ID
	Port   int     `json:"port"` // 0 where there is none
	Weight int     `json:"weight"`
	Share  float64 `json:"share"` // percent
}

// A Network is hosts that may fail together.
type Network struct {
	Prefix string `json:"prefix"`
	Hosts  []Host `json:"hosts"` // by name
}

// A Host is a host with its addresses.
type Host struct {
	ID        string          `json:"id"`
	Name      definition.Name `json:"name"`
	Addresses []netip.Addr    `json:"addresses"`
}

// elsewhere is the network of hosts without addresses.
const elsewhere = "elsewhere"

// JSON writes the whole picture.
func (p *Picture) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// New makes the picture of an index. With one zone, names in it are drawn relative to it.
func New(index *definition.Index, zones definition.Zones) *Picture {
	b := builder{index: index, sets: make(map[string]*Set), hosts: make(map[definition.Name]*Host)}
	for o := range index.Owners() {
		if len(o.Hosts()) > 0 {
			b.host(o.Name())
		}
	}
	for host := range index.Set.EachTarget {
		b.host(host)
	}
	p := &Picture{Title: title(zones), limit: defaultLimit}
	if len(zones) == 1 {
		p.zone = zones[0]
	}
	p.Networks = b.networks()
	for o := range index.Owners() {
		b.owner(o)
		p.count(o)
	}
	p.Sets = b.sorted()
	return p
}

// count counts the records of an owner that are not drawn.
func (p *Picture) count(o definition.Owner) {
	for _, s := range o.RRsets() {
		switch s.Type {
		case dns.TypeNS:
			p.Delegations++
		case dns.TypeDS:
		case dns.TypePTR:
			p.Pointers += len(s.Records)
		default:
			p.Records += len(s.Records)
		}
	}
}

// A builder brings together names that get the same.
type builder struct {
	index *definition.Index
	sets  map[string]*Set // by what the names get
	hosts map[definition.Name]*Host
}

// An end is a target as it is declared.
type end struct {
	rank, weight, port int
	host               definition.Name
}

func (b *builder) owner(o definition.Owner) {
	var exchanges, targets []end
	for _, e := range o.Exchanges() {
		exchanges = append(exchanges, end{rank: int(e.Preference), host: e.Host})
	}
	for _, t := range o.Targets() {
		targets = append(targets, end{int(t.Priority), int(t.Weight), int(t.Port), t.Host})
	}
	if len(o.Mails()) > 0 {
		b.add(Mail, o.Name(), exchanges)
	}
	if len(o.Services()) > 0 {
		b.add(Service, o.Name(), targets)
	}
	for _, a := range o.Aliases() {
		b.add(Alias, o.Name(), []end{{host: a.Host}})
	}
}

// add adds a name to the set of its kind that has these ends.
func (b *builder) add(kind string, name definition.Name, ends []end) {
	key := kind + fmt.Sprint(ends)
	s := b.sets[key]
	if s == nil {
		s = &Set{Kind: kind, Ranks: b.ranks(ends)}
		b.sets[key] = s
	}
	if !slices.Contains(s.Names[max(0, len(s.Names)-1):], name) { // an alias may be declared twice
		s.Names = append(s.Names, name)
	}
}

func (b *builder) ranks(ends []end) []Rank {
	ranks := []Rank{}
	for i, e := range ends {
		if i == 0 || e.rank != ends[i-1].rank {
			ranks = append(ranks, Rank{Number: e.rank})
		}
		r := &ranks[len(ranks)-1]
		r.Targets = append(r.Targets, Target{Host: b.hosts[e.host].ID, Port: e.port, Weight: e.weight})
	}
	for _, r := range ranks {
		share(r.Targets)
	}
	return ranks
}

// share gives each target the share that its weight promises (RFC 2782): equal ones if all weights are 0, as exchanges
// of equal preference have (RFC 5321 §5.1).
func share(targets []Target) {
	sum := 0
	for _, t := range targets {
		sum += t.Weight
	}
	for i := range targets {
		t := &targets[i]
		t.Share = 100 * float64(t.Weight) / float64(max(1, sum))
		if sum == 0 {
			t.Share = 100 / float64(len(targets))
		}
		t.Share = math.Round(100*t.Share) / 100
	}
}

func (b *builder) host(n definition.Name) {
	if b.hosts[n] == nil {
		b.hosts[n] = &Host{Name: n, Addresses: slices.Concat([]netip.Addr{}, b.index.At(n).Addrs())}
	}
}

// network returns where a host is; the zero Prefix is elsewhere.
func (h *Host) network() netip.Prefix {
	if len(h.Addresses) == 0 {
		return netip.Prefix{}
	}
	bits := 64
	if h.Addresses[0].Is4() { // sorted: the lowest IPv4 address, if there is one
		bits = 24
	}
	return netip.PrefixFrom(h.Addresses[0], bits).Masked()
}

// networks sorts the hosts into networks, and gives them their IDs.
func (b *builder) networks() []Network {
	hosts := slices.SortedFunc(maps.Values(b.hosts), func(g, h *Host) int {
		return cmp.Or(byPrefix(g.network(), h.network()), g.Name.Compare(h.Name))
	})
	networks := []Network{}
	for i, h := range hosts {
		h.ID = fmt.Sprint("h", i+1)
		if prefix := h.network(); i == 0 || prefix != hosts[i-1].network() {
			name := elsewhere
			if prefix.IsValid() {
				name = prefix.String()
			}
			networks = append(networks, Network{Prefix: name})
		}
		n := &networks[len(networks)-1]
		n.Hosts = append(n.Hosts, *h)
	}
	return networks
}

// byPrefix sorts elsewhere last.
func byPrefix(a, b netip.Prefix) int {
	if a.IsValid() != b.IsValid() {
		return cmp.Compare(b.Bits(), a.Bits())
	}
	return a.Addr().Compare(b.Addr())
}

func (b *builder) sorted() []Set {
	sets := []Set{}
	for _, s := range b.sets {
		slices.SortFunc(s.Names, byLabels)
		sets = append(sets, *s)
	}
	slices.SortFunc(sets, func(x, y Set) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)),
			cmp.Compare(min(1, len(y.Ranks)), min(1, len(x.Ranks))), byLabels(x.Names[0], y.Names[0]), slices.Compare(x.hosts(), y.hosts()))
	})
	for i := range sets {
		sets[i].ID = fmt.Sprint("s", i+1)
	}
	return sets
}

// byLabels sorts names with few labels first: of the names of a domain controller, _ldap._tcp says more than
// _ldap._tcp.NAME._sites.dc._msdcs.
func byLabels(a, b definition.Name) int {
	return cmp.Or(cmp.Compare(strings.Count(string(a), "."), strings.Count(string(b), ".")), a.Compare(b))
}

func (s Set) hosts() []string {
	var ids []string
	for _, r := range s.Ranks {
		for _, t := range r.Targets {
			ids = append(ids, t.Host)
		}
	}
	return ids
}
