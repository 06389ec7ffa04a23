package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const pickExamples = `  mxsrv pick _ldap._tcp.example.com                 how the load is shared
  mxsrv pick _ldap._tcp.example.com --down ldap1    and while ldap1.example.com is down
  mxsrv pick _ldap._tcp.example.com --live          and while those are down that are, by a probe from here
  mxsrv pick _ldap._tcp.example.com -n 1000000      with more clients
  mxsrv pick _ldap._tcp.example.com --as haproxy    by clients that do not do as RFC 2782 says
  mxsrv pick _sip._udp.example.com --server 192.0.2.53  by what a DNS server answers

Exit status: 0 clients find a target; 1 they find none; 2 usage or I/O error.`

const (
	mostClients = 10_000_000 // some seconds

	// atOnce is how many clients choose before they are counted as done.
	atOnce = 250_000
)

type pickFlags struct {
	answerFlags
	clients int
	seed    uint64
	as      string
}

func pickCommand(u *ui) *cobra.Command {
	f := new(pickFlags)
	c := &cobra.Command{
		Use:     "pick _SERVICE._PROTO.DOMAIN",
		Short:   "Simulate how clients choose a target of a service (RFC 2782)",
		Long:    "Simulate how many clients choose a target of a service by priority and weight\n(RFC 2782), and show the share of each target beside the share that the weights promise.",
		Example: pickExamples,
		Args:    oneArg("service", "_ldap._tcp.example.com"),
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, args[0]) },
	}
	c.Flags().IntVarP(&f.clients, "number", "n", 10000, "the number of `CLIENTS`")
	c.Flags().Uint64Var(&f.seed, "seed", 0, "a `NUMBER` that makes the random choices the same each time (default none)")
	c.Flags().StringVar(&f.as, "as", clientNames()[0], "the kind of `CLIENT`: "+strings.Join(clientNames(), ", "))
	u.addJSON(c)
	f.answerFlags.add(c)
	f.completeNames(c)
	c.ValidArgsFunction = complete(f.services)
	completeFlag(c, "as", func([]string, string) []string { return clientNames() })
	return c
}

func clientNames() []string {
	return convert(delivery.Clients, func(c delivery.Client) string { return c.Name })
}

// client returns the kind of client that is chosen.
func (f *pickFlags) client() (delivery.Client, error) {
	i := slices.Index(clientNames(), f.as)
	if i < 0 {
		return delivery.Client{}, hint.Add(fmt.Errorf("client %q: write one of %s", f.as, strings.Join(clientNames(), ", ")), "--as haproxy")
	}
	return delivery.Clients[i], nil
}

func (f *pickFlags) run(u *ui, service string) error {
	name, err := definition.ParseName(strings.TrimSuffix(service, ".")+".", ".")
	if err != nil || !name.IsService() || len(name.Labels()) < 3 {
		return hint.Add(fmt.Errorf("service %q: write _SERVICE._PROTO.DOMAIN", service), "mxsrv pick _ldap._tcp.example.com")
	}
	if f.clients < 1 || f.clients > mostClients {
		return hint.Add(fmt.Errorf("%d clients: write a number from 1 to %d", f.clients, mostClients), "mxsrv pick %s -n 10000", service)
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	from, err := f.open(u, name, "mxsrv pick "+service)
	if err != nil {
		return err
	}
	if _, ok := from.(*declared); !ok && client.Name == "first" {
		return hint.Add(errors.New("--as first: one answer of a server has one order of many"), "--as first --config Corefile")
	}
	s, err := f.simulate(u, name, from, client)
	if err := cmp.Or(from.failed(), err); err != nil {
		return err
	}
	return u.result(s, s.inUse() >= 0, func() { s.print(u, from) })
}

// simulate asks for a service and lets clients choose.
func (f *pickFlags) simulate(u *ui, service definition.Name, from answers, client delivery.Client) (*simulation, error) {
	look := delivery.Lookup(from.lookup)
	a, aliases := look.Follow(string(service), dns.TypeSRV)
	s := &simulation{Service: string(service), Aliases: aliases, Clients: f.clients, Priorities: []priority{}, client: client}
	if client.Does != "" {
		s.As = client.Name
	}
	plain := strings.TrimSuffix(s.Service, ".")
	switch srv := sorted(a); {
	case len(srv) == 0:
		s.Explanation = fmt.Sprintf(whyMissing[a.Status], plain)
	case len(srv) == 1 && srv[0].Target == ".":
		s.Explanation = plain + ` is not offered: its target is "." (RFC 2782)`
	default:
		hosts := convert(srv, func(t *dns.SRV) delivery.Host { return look.Host(t.Target) })
		outage, err := newOutage(f.down, strings.Join(service.Labels()[2:], "."), hosts)
		if err != nil {
			return nil, err
		}
		ports := convert(srv, func(t *dns.SRV) uint16 { return t.Port })
		if err := f.probeLive(u, from, outage, service, hosts, ports); err != nil {
			return nil, err
		}
		if client.Name == "first" && a.Fixed {
			client.Order = func(srv []*dns.SRV, _ *rand.Rand) []*dns.SRV { return srv }
		}
		s.run(srv, hosts, outage, f.choices(u, client))
		s.explain()
	}
	return s, nil
}

// A chooser returns how many clients choose each target.
type chooser func(srv []*dns.SRV, up func(*dns.SRV) bool) []int

// choices returns what lets the clients choose.
func (f *pickFlags) choices(u *ui, client delivery.Client) chooser {
	rnd := rand.New(rand.NewPCG(cmp.Or(f.seed, rand.Uint64()), 0))
	return func(srv []*dns.SRV, up func(*dns.SRV) bool) []int {
		picked := make([]int, len(srv))
		var done atomic.Int64
		u.during(func() string { return fmt.Sprintf("%d of %d clients", done.Load(), f.clients) }, func() {
			for left := f.clients; left > 0; left -= atOnce {
				for i, more := range delivery.Pick(srv, min(left, atOnce), up, client.Order, rnd) {
					picked[i] += more
				}
				done.Add(atOnce)
			}
		})
		return picked
	}
}

// sorted returns SRV records by priority, descending weight, then target.
func sorted(a delivery.Answer) []*dns.SRV {
	srv := convert(a.RRs, func(rr dns.RR) *dns.SRV { return rr.(*dns.SRV) })
	slices.SortStableFunc(srv, func(a, b *dns.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight), strings.Compare(a.Target, b.Target))
	})
	return srv
}

const fallback = "; clients may fall back to the address of the domain itself (RFC 2782)"

// whyMissing holds why there are no SRV records.
var whyMissing = map[delivery.Status]string{
	delivery.Failed:    "DNS has no answer for %s now",
	delivery.Elsewhere: "%s is in none of the zones that these answers are about",
	delivery.NoData:    "%s exists, and has no SRV records" + fallback,
	delivery.NoName:    "there is no %s" + fallback,
}

// A simulation is what many clients have chosen. It is its own JSON.
type simulation struct {
	Service     string     `json:"service"`
	Aliases     []string   `json:"aliases,omitempty"`
	As          string     `json:"as,omitempty"` // the kind of clients, if not as RFC 2782 says
	Clients     int        `json:"clients"`
	Priorities  []priority `json:"priorities"`
	Explanation string     `json:"explanation"`

	longest int // letters of the name of a target
	client  delivery.Client
}

// A priority is the targets of equal priority.
type priority struct {
	Priority uint16   `json:"priority"`
	Used     bool     `json:"used"` // clients choose targets of it
	Targets  []target `json:"targets"`
}

type target struct {
	Host      string   `json:"target"`
	Port      uint16   `json:"port"`
	Weight    uint16   `json:"weight"`
	Addresses []string `json:"addresses"`
	Down      bool     `json:"down"`
	Picked    int      `json:"picked"`   // clients that choose it
	Share     float64  `json:"share"`    // of all clients, 0 to 1
	Promised  float64  `json:"promised"` // by the weights, of the clients that use its priority

	host delivery.Host
}

// run lets clients choose among targets, which are on hosts, and counts.
func (s *simulation) run(srv []*dns.SRV, hosts []delivery.Host, outage outage, choose chooser) {
	up := map[*dns.SRV]bool{}
	for i, t := range srv {
		up[t] = hasAddress(hosts[i]) && !outage.includes(hosts[i])
		s.longest = max(s.longest, len(hosts[i].Name))
	}
	isUp := func(t *dns.SRV) bool { return up[t] }
	picked := choose(srv, isUp)
	shares := delivery.Shares(srv, isUp)
	for i, t := range srv {
		if i == 0 || t.Priority != srv[i-1].Priority {
			s.Priorities = append(s.Priorities, priority{Priority: t.Priority})
		}
		p := &s.Priorities[len(s.Priorities)-1]
		p.Used = p.Used || picked[i] > 0
		p.Targets = append(p.Targets, target{
			Host: hosts[i].Name, Port: t.Port, Weight: t.Weight, Addresses: addresses(hosts[i]), Down: !up[t],
			Picked: picked[i], Share: float64(picked[i]) / float64(s.Clients), Promised: shares[i], host: hosts[i],
		})
	}
}

// hasAddress reports whether a host has an address, perhaps one that is not known here.
func hasAddress(h delivery.Host) bool {
	return h.Status == delivery.Found || h.Status == delivery.Elsewhere
}

// inUse returns the index of the priority that clients use, or -1.
func (s *simulation) inUse() int {
	return slices.IndexFunc(s.Priorities, func(p priority) bool { return p.Used })
}

func (s *simulation) explain() {
	switch i := s.inUse(); {
	case s.As != "":
		s.Explanation = s.As + " " + s.client.Does
	case i < 0:
		s.Explanation = "no target is up: clients find none"
	case i > 0:
		s.Explanation = fmt.Sprintf("clients use priority %d, as no target before it is up", s.Priorities[i].Priority)
	case len(s.Priorities) > 1:
		s.Explanation = fmt.Sprintf("clients use priority %d; later ones are for when all its targets are down", s.Priorities[0].Priority)
	default:
		s.Explanation = fmt.Sprintf("clients use priority %d, the only one", s.Priorities[0].Priority)
	}
}

// print prints a table for each priority, with a bar for each target.
func (s *simulation) print(u *ui, from answers) {
	u.line("%s, by %s", u.paint(bold, strings.TrimSuffix(s.Service, ".")), from)
	for _, alias := range s.Aliases {
		u.line("  is an alias of %s", alias)
	}
	const others = len("  " + "65535  " + "weight  " + "promised  " + "chosen  " + "  |")
	columns := max(10, min(u.width, 100)-others-s.longest) // of a bar
	for _, p := range s.Priorities {
		u.line("\npriority %d: %s", p.Priority, p.role(s.As))
		u.table("  ", p.rows(u, columns))
	}
	u.line("")
	u.text("", s.Explanation)
}

func (p *priority) role(as string) string {
	clients := 0
	for _, t := range p.Targets {
		clients += t.Picked
	}
	switch {
	case p.Used:
		return plural(clients, "client") + " choose"
	case as != "":
		return "no client chooses"
	case slices.ContainsFunc(p.Targets, func(t target) bool { return !t.Down }):
		return "not needed"
	}
	return "all down"
}

func (p *priority) rows(u *ui, columns int) [][]string {
	rows := [][]string{{"target", "port", "weight", "promised"}}
	if p.Used {
		rows[0] = append(rows[0], "chosen", "█ chosen  | promised")
	}
	for _, t := range p.Targets {
		row := []string{t.Host, strconv.Itoa(int(t.Port)), strconv.Itoa(int(t.Weight))}
		switch {
		case !hasAddress(t.host):
			row = append(row, u.paint(red, hostState(t.host)))
		case t.Down:
			row = append(row, u.paint(red, "down"))
		case p.Used:
			row = append(row, percent(t.Promised), percent(t.Share), u.bar(t.Share, t.Promised, columns))
		default:
			row = append(row, percent(t.Promised))
		}
		rows = append(rows, row)
	}
	return rows
}

func percent(share float64) string { return fmt.Sprintf("%5.1f %%", 100*share) }
