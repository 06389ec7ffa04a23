package main

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const routeExamples = `  mxsrv route user@example.com                    by ./Corefile, or else by the resolver of this machine
  mxsrv route user@example.com --down mx1         while mx1.example.com is down
  mxsrv route user@example.com --from mx2         what mx2.example.com does, an exchange itself
  mxsrv route user@example.com --config Corefile  by definitions, before they are served
  mxsrv route user@example.com --server 192.0.2.53  by what a DNS server answers
  mxsrv route user@example.com --json | jq -r .result

Exit code: 0 if the mail is delivered, 1 if it waits, bounces or its way is not known, 2 if it cannot be told.`

// routing is what the command line says of a route.
type routing struct {
	choice
	from string
	down []string
	json bool
}

func routeCommand(u *ui) *cobra.Command {
	r := new(routing)
	c := &cobra.Command{
		Use:     "route USER@DOMAIN",
		Short:   "Plan the delivery of mail, step by step (RFC 5321 §5.1)",
		Long:    "Plan the delivery of mail, step by step (RFC 5321 §5.1): which hosts are tried, in\nwhich order, what is left out and why, and where the mail ends.",
		Example: routeExamples,
		Args:    one("recipient", "user@example.com"),
		RunE:    func(_ *cobra.Command, args []string) error { return r.run(u, args[0]) },
	}
	c.Flags().StringVar(&r.from, "from", "", "the `HOST` that has the mail; one that is no exchange of the domain if left out")
	c.Flags().StringArrayVar(&r.down, "down", nil, "a `HOST` or address that is down; several with several --down. A HOST without a dot is below the domain")
	c.Flags().BoolVar(&r.json, "json", false, "print JSON")
	r.choice.flags(c)
	return c
}

func (r *routing) run(u *ui, recipient string) error {
	_, domain, ok := cutLast(recipient, "@")
	name, err := definition.ParseName(strings.TrimSuffix(domain, ".")+".", ".")
	if !ok || err != nil {
		return withHint(fmt.Errorf("recipient %q: write USER@DOMAIN, the domain in ASCII", recipient), "mxsrv route user@example.com")
	}
	from, err := r.open(u)
	if err != nil {
		return err
	}
	if d, ok := from.(*declared); ok {
		if err := d.knows(string(name)); err != nil {
			return withHint(err, "mxsrv route %s --server ADDR", recipient)
		}
	}
	down := newDown(r.down, string(name))
	plan := delivery.Route(string(name), from.lookup, delivery.Sender{Host: down.full(r.from), Down: down.host})
	if err := from.failed(); err != nil {
		return err
	}
	r.caveat(from, plan)
	down.unused(u)
	if r.json {
		err = u.json(routeJSON(recipient, plan))
	} else {
		r.print(u, recipient, from, plan)
	}
	if err == nil && plan.Result != delivery.Delivered {
		err = errNotFine
	}
	return err
}

// cutLast cuts around the last sep: a local part may have one in quotes.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 1 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// caveat says in the explanation that the definitions may not be all, where the
// server would ask the plugin behind.
func (r *routing) caveat(from answers, plan *delivery.Plan) {
	if d, ok := from.(*declared); ok && d.passedOn(dns.Fqdn(mailDomain(plan)), dns.TypeMX) {
		plan.Explanation += "; but a plugin behind mxsrv may know more than these definitions: ask the server with --server"
	}
}
