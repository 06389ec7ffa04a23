package main

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const routeExamples = `  mxsrv route user@example.com                    by ./Corefile, or else by the resolver of this machine
  mxsrv route user@example.com --down mx1         while mx1.example.com is down
  mxsrv route user@example.com --from mx2         what mx2.example.com does, which is an exchange itself
  mxsrv route user@example.com --config Corefile  by definitions, before they are served
  mxsrv route user@example.com --server 192.0.2.53  by what a DNS server answers
  mxsrv route user@example.com --json | jq -r .result

Exit status: 0 the mail is delivered; 1 it waits, bounces or has an unknown way; 2 usage or I/O error.`

type routeFlags struct {
	answerFlags
	from string
	down []string
	json bool
}

func routeCommand(u *ui) *cobra.Command {
	f := new(routeFlags)
	c := &cobra.Command{
		Use:     "route USER@DOMAIN",
		Short:   "Plan the delivery of mail, step by step (RFC 5321 §5.1)",
		Long:    "Plan the delivery of mail, step by step (RFC 5321 §5.1): which hosts are tried, in\nwhich order, which are excluded and why, and where the mail ends.",
		Example: routeExamples,
		Args:    oneArg("recipient", "user@example.com"),
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, args[0]) },
	}
	c.Flags().StringVar(&f.from, "from", "", "the `HOST` that has the mail (default one that is no exchange of the domain)")
	c.Flags().StringArrayVar(&f.down, "down", nil, downUsage)
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	f.answerFlags.add(c)
	return c
}

func (f *routeFlags) run(u *ui, recipient string) error {
	at := strings.LastIndex(recipient, "@") // a local part in quotes may have one, too
	domain, err := definition.ParseName(strings.TrimSuffix(recipient[at+1:], ".")+".", ".")
	if at < 1 || err != nil {
		return hint.Add(fmt.Errorf("recipient %q: write USER@DOMAIN, the domain in ASCII", recipient), "mxsrv route user@example.com")
	}
	from, err := f.open(u, domain, "mxsrv route "+recipient)
	if err != nil {
		return err
	}
	outage := newOutage(f.down, string(domain))
	f.from = hostBelow(string(domain), f.from)
	plan := delivery.Route(string(domain), from.lookup, delivery.Sender{Host: f.from, Down: outage.includes})
	if err := from.failed(); err != nil {
		return err
	}
	if d, ok := from.(*declared); ok && d.fallsThrough(dns.Fqdn(mailDomain(plan)), dns.TypeMX) {
		plan.Explanation += "; but a plugin after mxsrv may have records that are not declared: ask the server with --server"
	}
	outage.noteUnused(u)
	return u.result(f.json, routeJSON(recipient, plan), plan.Result == delivery.Delivered, func() {
		printPlan(u, recipient, f.from, from, plan)
	})
}

// mailDomain returns the name that the MX records of a plan belong to.
func mailDomain(plan *delivery.Plan) string {
	if len(plan.Aliases) > 0 {
		return plan.Aliases[len(plan.Aliases)-1]
	}
	return plan.Domain
}
