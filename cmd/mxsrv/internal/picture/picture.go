// Package picture shows who gets what, and what is backed up by whom: mail
// domains, services and aliases on one side, hosts by network on the other, and
// between them what is tried first, then, and in which shares.
//
// [New] makes one model of an index. [Picture.SVG], [Picture.Dot] and
// [Picture.Mermaid] draw it, up to a limit, and say what they leave out;
// [Picture.JSON] writes all of it. The same index gives the same octets.
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
// Names are absolute. A share is in percent of what the rank gets, to two places. A
// host is in the network of its lowest IPv4 address, or of its lowest IPv6 address
// if it has no other; one whose addresses are not declared is elsewhere. Fields may
// be added.
package picture

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Options are how to draw.
type Options struct {
	Title string           // or empty, for one that names the zones
	Zones definition.Zones // with one, names in it are drawn relative to it
	Limit int              // sets to draw; 25 if it is 0
}

const defaultLimit = 25

// A Picture is what is drawn.
type Picture struct {
	Title    string    `json:"title"`
	Sets     []Set     `json:"sets"`     // mail, services, aliases; of each by first name, and last what gets nothing
	Networks []Network `json:"networks"` // by prefix; elsewhere comes last

	zones definition.Zones
	zone  definition.Name // the only one, or empty
	limit int
	left  left
}

// The kinds of sets.
const (
	Mail    = "mail"
	Service = "service"
	Alias   = "alias"
)

// A Set is names that get the same.
type Set struct {
	ID    string            `json:"id"`
	Kind  string            `json:"kind"`
	Names []definition.Name `json:"names"` // those with few labels first
	Ranks []Rank            `json:"ranks"` // in the order of trying; none: takes no mail, or is not offered

	more int // ranks that are not drawn
}

// A Rank is targets that are equally good.
type Rank struct {
	Number  int      `json:"number"` // preference or priority
	Targets []Target `json:"targets"`

	more int // targets that are not drawn
}

// A Target is a host, and what it gets of its rank.
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

// A Host is a machine.
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

// New makes the picture of an index.
func New(index *definition.Index, opt Options) *Picture {
	b := builder{index: index, sets: make(map[string]*Set), hosts: make(map[definition.Name]*Host)}
	for o := range index.Owners() {
		b.mail(o)
		b.service(o)
		b.alias(o)
		if len(o.Hosts()) > 0 {
			b.host(o.Name())
		}
	}
	p := &Picture{limit: cmp.Or(opt.Limit, defaultLimit), zones: opt.Zones}
	if len(opt.Zones) == 1 {
		p.zone = opt.Zones[0]
	}
	p.Title = cmp.Or(opt.Title, p.title())
	p.Networks = b.networks()
	p.Sets = b.sorted()
	return p
}

// A builder brings together what is the same.
type builder struct {
	index *definition.Index
	sets  map[string]*Set // by what the names get
	hosts map[definition.Name]*Host
}

// An end is a target before its host has an ID.
type end struct {
	rank, weight, port int
	host               definition.Name
}

func (b *builder) mail(o definition.Owner) {
	if len(o.Mails()) == 0 {
		return
	}
	var ends []end
	for _, e := range o.Exchanges() {
		ends = append(ends, end{rank: int(e.Preference), host: e.Host})
	}
	b.add(Mail, o.Name(), ends)
}

func (b *builder) service(o definition.Owner) {
	if len(o.Services()) == 0 {
		return
	}
	var ends []end
	for _, t := range o.Targets() {
		ends = append(ends, end{int(t.Priority), int(t.Weight), int(t.Port), t.Host})
	}
	b.add(Service, o.Name(), ends)
}

func (b *builder) alias(o definition.Owner) {
	for _, a := range o.Aliases() {
		b.add(Alias, o.Name(), []end{{host: a.Host}})
	}
}

// add gives a name to the set of its kind that has these ends.
func (b *builder) add(kind string, name definition.Name, ends []end) {
	key := kind + fmt.Sprint(ends)
	s := b.sets[key]
	if s == nil {
		s = &Set{Kind: kind, Ranks: b.ranks(ends)}
		b.sets[key] = s
	}
	if !slices.Contains(s.Names[max(0, len(s.Names)-1):], name) { // an alias may be said twice
		s.Names = append(s.Names, name)
	}
}

// ranks groups ends, which are sorted, by rank. Hosts stand in for their IDs as
// names until all are known.
func (b *builder) ranks(ends []end) []Rank {
	ranks := []Rank{}
	for i, e := range ends {
		if i == 0 || e.rank != ends[i-1].rank {
			ranks = append(ranks, Rank{Number: e.rank})
		}
		r := &ranks[len(ranks)-1]
		r.Targets = append(r.Targets, Target{Host: string(b.host(e.host).Name), Port: e.port, Weight: e.weight})
	}
	for _, r := range ranks {
		share(r.Targets)
	}
	return ranks
}

// share gives each target what its weight promises (RFC 2782): in equal parts if
// all weights are 0, as exchanges of the same preference share (RFC 5321 §5.1).
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

func (b *builder) host(n definition.Name) *Host {
	h := b.hosts[n]
	if h == nil {
		h = &Host{Name: n, Addresses: slices.Concat([]netip.Addr{}, b.index.At(n).Addrs())}
		b.hosts[n] = h
	}
	return h
}

// network returns where a host is. The zero Prefix is elsewhere.
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

// networks sorts the hosts into networks and gives them their IDs.
func (b *builder) networks() []Network {
	in := make(map[netip.Prefix][]*Host)
	var prefixes []netip.Prefix
	for _, h := range b.hosts {
		prefix := h.network()
		if in[prefix] == nil {
			prefixes = append(prefixes, prefix)
		}
		in[prefix] = append(in[prefix], h)
	}
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int {
		if a.IsValid() != b.IsValid() { // elsewhere comes last
			return cmp.Compare(b.Bits(), a.Bits())
		}
		return a.Addr().Compare(b.Addr())
	})
	networks := []Network{}
	n := 0
	for _, prefix := range prefixes {
		network := Network{Prefix: elsewhere}
		if prefix.IsValid() {
			network.Prefix = prefix.String()
		}
		slices.SortFunc(in[prefix], func(a, b *Host) int { return a.Name.Compare(b.Name) })
		for _, h := range in[prefix] {
			n++
			h.ID = fmt.Sprint("h", n)
			network.Hosts = append(network.Hosts, *h)
		}
		networks = append(networks, network)
	}
	return networks
}

// sorted returns the sets with the IDs of their hosts.
func (b *builder) sorted() []Set {
	sets := []Set{}
	for _, s := range b.sets {
		slices.SortFunc(s.Names, byLabels)
		for _, r := range s.Ranks {
			for i, t := range r.Targets {
				r.Targets[i].Host = b.hosts[definition.Name(t.Host)].ID
			}
		}
		sets = append(sets, *s)
	}
	kinds := []string{Mail, Service, Alias}
	slices.SortFunc(sets, func(x, y Set) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)),
			cmp.Compare(min(1, len(y.Ranks)), min(1, len(x.Ranks))), byLabels(x.Names[0], y.Names[0]), slices.Compare(hostIDs(x), hostIDs(y)))
	})
	for i := range sets {
		sets[i].ID = fmt.Sprint("s", i+1)
	}
	return sets
}

// byLabels orders names by the number of their labels: of the names of a domain
// controller, _ldap._tcp says more than _ldap._tcp.NAME._sites.dc._msdcs.
func byLabels(a, b definition.Name) int {
	return cmp.Or(cmp.Compare(strings.Count(string(a), "."), strings.Count(string(b), ".")), a.Compare(b))
}

func hostIDs(s Set) []string {
	var ids []string
	for _, r := range s.Ranks {
		for _, t := range r.Targets {
			ids = append(ids, t.Host)
		}
	}
	return ids
}
