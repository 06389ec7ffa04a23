package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const pickExamples = `  mxsrv pick _ldap._tcp.example.com                 how the load is shared
  mxsrv pick _ldap._tcp.example.com --down ldap1    and while ldap1.example.com is down
  mxsrv pick _ldap._tcp.example.com -n 1000000      with more clients
  mxsrv pick _sip._udp.example.com --server 192.0.2.53  by what a DNS server answers

Exit code: 0 if a client finds a target, 1 if it does not, 2 if it cannot be told.`

// picking is what the command line says of a selection.
type picking struct {
	choice
	n    int
	down []string
	seed uint64
	json bool
}

func pickCommand(u *ui) *cobra.Command {
	p := new(picking)
	c := &cobra.Command{
		Use:     "pick _SERVICE._PROTO.DOMAIN",
		Short:   "Let many clients choose a target of a service, and count (RFC 2782)",
		Long:    "Let many clients choose a target of a service by priority and weight as RFC 2782\nsays, and show the share of each beside the share that the weights promise.",
		Example: pickExamples,
		Args:    one("service", "_ldap._tcp.example.com"),
		RunE:    func(_ *cobra.Command, args []string) error { return p.run(u, args[0]) },
	}
	c.Flags().IntVarP(&p.n, "number", "n", 10000, "how many `CLIENTS` choose")
	c.Flags().StringArrayVar(&p.down, "down", nil, "a `HOST` or address that is down; several with several --down. A HOST without a dot is below the domain")
	c.Flags().Uint64Var(&p.seed, "seed", 0, "a `NUMBER` that makes chance the same each time; 0 is none")
	c.Flags().BoolVar(&p.json, "json", false, "print JSON")
	p.choice.flags(c)
	return c
}

func (p *picking) run(u *ui, service string) error {
	name, err := definition.ParseName(strings.TrimSuffix(service, ".")+".", ".")
	if err != nil || !isService(name) {
		return withHint(fmt.Errorf("service %q: write _SERVICE._PROTO.DOMAIN", service), "mxsrv pick _ldap._tcp.example.com")
	}
	if p.n < 1 {
		return withHint(fmt.Errorf("%d clients: write 1 or more", p.n), "mxsrv pick %s -n 10000", service)
	}
	from, err := p.open(u)
	if err != nil {
		return err
	}
	if d, ok := from.(*declared); ok {
		if err := d.knows(string(name)); err != nil {
			return withHint(err, "mxsrv pick %s --server ADDR", service)
		}
	}
	g := p.play(string(name), from)
	if err := from.failed(); err != nil {
		return err
	}
	g.down.unused(u)
	if p.json {
		err = u.json(g)
	} else {
		g.print(u, from)
	}
	if err == nil && !g.found() {
		err = errNotFine
	}
	return err
}

func isService(name definition.Name) bool {
	labels := name.Labels()
	return len(labels) > 2 && strings.HasPrefix(labels[0], "_") && strings.HasPrefix(labels[1], "_")
}

// play asks for a service and lets clients choose.
func (p *picking) play(service string, from answers) *game {
	look := delivery.Lookup(from.lookup)
	a, aliases := look.Follow(service, dns.TypeSRV)
	g := &game{Service: service, Aliases: aliases, Clients: p.n, Priorities: []priority{}}
	_, domain, _ := strings.Cut(service, ".")
	_, domain, _ = strings.Cut(domain, ".")
	g.down = newDown(p.down, domain)
	srv := records(a)
	switch {
	case len(srv) == 0:
		g.Explanation = absent(strings.TrimSuffix(service, "."), a.Status)
		return g
	case len(srv) == 1 && srv[0].Target == ".":
		g.Explanation = fmt.Sprintf("%s is decidedly not offered: its target is \".\", which is there to say so (RFC 2782)", strings.TrimSuffix(service, "."))
		return g
	}
	g.count(srv, look, p.random())
	g.explain()
	return g
}

func (p *picking) random() *rand.Rand {
	if p.seed != 0 {
		return rand.New(rand.NewPCG(p.seed, 0))
	}
	return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
}

// records returns SRV records by priority, descending weight, then target.
func records(a delivery.Answer) []*dns.SRV {
	var srv []*dns.SRV
	for _, rr := range a.RRs {
		srv = append(srv, rr.(*dns.SRV))
	}
	slices.SortStableFunc(srv, func(a, b *dns.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight), strings.Compare(a.Target, b.Target))
	})
	return srv
}

func absent(service string, status delivery.Status) string {
	const fallback = "; clients may fall back to the address of the domain itself (RFC 2782)"
	switch status {
	case delivery.Failed:
		return "DNS has no answer for " + service + " now"
	case delivery.Elsewhere:
		return service + " is not for this source of answers to know"
	case delivery.NoData:
		return service + " exists, and has no SRV records" + fallback
	}
	return "there is no " + service + fallback
}
