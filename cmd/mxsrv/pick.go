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
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const pickExamples = `  mxsrv pick _ldap._tcp.example.com                 how the load is shared
  mxsrv pick _ldap._tcp.example.com --down ldap1    and while ldap1.example.com is down
  mxsrv pick _ldap._tcp.example.com -n 1000000      with more clients
  mxsrv pick _sip._udp.example.com --server 192.0.2.53  by what a DNS server answers

Exit status: 0 clients find a target; 1 they find none; 2 usage or I/O error.`

type pickFlags struct {
	answerFlags
	clients int
	down    []string
	seed    uint64
	json    bool
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
	c.Flags().StringArrayVar(&f.down, "down", nil, downUsage)
	c.Flags().Uint64Var(&f.seed, "seed", 0, "a `NUMBER` that makes the random choices the same each time (default none)")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	f.answerFlags.add(c)
	return c
}

func (f *pickFlags) run(u *ui, service string) error {
	name, err := definition.ParseName(strings.TrimSuffix(service, ".")+".", ".")
	if err != nil || !name.IsService() || len(name.Labels()) < 3 {
		return hint.Add(fmt.Errorf("service %q: write _SERVICE._PROTO.DOMAIN", service), "mxsrv pick _ldap._tcp.example.com")
	}
	if f.clients < 1 {
		return hint.Add(fmt.Errorf("%d clients: write 1 or more", f.clients), "mxsrv pick %s -n 10000", service)
	}
	from, err := f.open(u, name, "mxsrv pick "+service)
	if err != nil {
		return err
	}
	outage := newOutage(f.down, strings.Join(name.Labels()[2:], "."))
	s := f.simulate(name, from, outage)
	if err := from.failed(); err != nil {
		return err
	}
	outage.noteUnused(u)
	return u.result(f.json, s, s.inUse() >= 0, func() { s.print(u, from) })
}

// simulate asks for a service and lets clients choose.
func (f *pickFlags) simulate(service definition.Name, from answers, outage outage) *simulation {
	look := delivery.Lookup(from.lookup)
	a, aliases := look.Follow(string(service), dns.TypeSRV)
	s := &simulation{Service: string(service), Aliases: aliases, Clients: f.clients, Priorities: []priority{}}
	plain := strings.TrimSuffix(s.Service, ".")
	switch srv := sorted(a); {
	case len(srv) == 0:
		s.Explanation = fmt.Sprintf(whyMissing[a.Status], plain)
	case len(srv) == 1 && srv[0].Target == ".":
		s.Explanation = plain + ` is not offered: its target is "." (RFC 2782)`
	default:
		s.run(srv, look, outage, f.random())
		s.explain()
	}
	return s
}

func (f *pickFlags) random() *rand.Rand {
	if f.seed != 0 {
		return rand.New(rand.NewPCG(f.seed, 0))
	}
	return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
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
