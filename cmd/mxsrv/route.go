package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const routeExamples = `  mxsrv route user@example.com                    by ./Corefile, or else by the resolver of this machine
  mxsrv route user@example.com --down mx1         while mx1.example.com is down
  mxsrv route user@example.com --live             while those are down that are, by a probe from here
  mxsrv route user@example.com --from mx2         what mx2.example.com does, which is an exchange itself
  mxsrv route user@example.com --config Corefile  by definitions, before they are served
  mxsrv route user@example.com --server 192.0.2.53  by what a DNS server answers
  mxsrv route user@example.com --json | jq -r .result

Exit status: 0 the mail is delivered; 1 it waits, bounces or has an unknown way; 2 usage or I/O error.`

type routeFlags struct {
	answerFlags
	from string
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
	u.addJSON(c)
	f.answerFlags.add(c)
	f.completeNames(c)
	c.ValidArgsFunction = complete(f.recipients)
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
	plan, err := f.plan(u, domain, from)
	if err != nil {
		return err
	}
	if d, ok := from.(*declared); ok && d.fallsThrough(dns.Fqdn(plan.MailDomain()), dns.TypeMX) {
		plan.Explanation += "; but a plugin after mxsrv may have records that are not declared: ask the server with --server"
	}
	return u.result(routeJSON(recipient, plan), plan.Result == delivery.Delivered, func() {
		printPlan(u, recipient, f.from, from, plan)
	})
}

// plan plans the delivery after it has asked for the exchanges, of which --down and --from may have the first label.
func (f *routeFlags) plan(u *ui, domain definition.Name, from answers) (*delivery.Plan, error) {
	exchanges := delivery.Route(string(domain), from.lookup, delivery.Sender{}).MX
	if err := from.failed(); err != nil {
		return nil, err
	}
	hosts := convert(exchanges, func(e delivery.Exchange) delivery.Host { return e.Host })
	short := strings.TrimSuffix(string(domain), ".")
	outage, err := newOutage(f.down, short, hosts)
	if err != nil {
		return nil, err
	}
	if err := f.probeLive(u, from, outage, domain, hosts, []uint16{definition.SMTPPort}); err != nil {
		return nil, err
	}
	if f.from, err = sender(f.from, short, hosts, from); err != nil {
		return nil, err
	}
	return delivery.Route(string(domain), from.lookup, delivery.Sender{Host: f.from, Down: outage.includes}), from.failed()
}

// sender returns the name of the host that --from means, as plans have it. It need be no exchange: one without a dot may
// be any host below the domain.
func sender(word, domain string, exchanges []delivery.Host, from answers) (string, error) {
	if strings.Contains(word, ".") || word == "" {
		return strings.ToLower(strings.TrimSuffix(word, ".")), nil
	}
	host, err := hostNamed(word, domain, exchanges)
	if err == nil {
		return host, nil
	}
	below := strings.ToLower(word + "." + domain)
	if delivery.Lookup(from.lookup).Host(dns.Fqdn(below)).Status == delivery.Found {
		return below, nil
	}
	return "", fmt.Errorf("--from %s: %v, or the whole name of another host", word, err)
}

// The JSON of a plan.
type (
	jsonPlan struct {
		Recipient   string        `json:"recipient"`
		Domain      string        `json:"domain"`
		MX          []jsonMX      `json:"mx"`
		Dropped     []jsonDrop    `json:"dropped"`
		Attempts    []jsonAttempt `json:"attempts"`
		Result      string        `json:"result"`
		Explanation string        `json:"explanation"`
	}
	jsonMX struct {
		Preference uint16   `json:"preference"`
		Host       string   `json:"host"`
		Addresses  []string `json:"addresses"`
	}
	jsonDrop struct {
		Host string `json:"host"`
		Why  string `json:"why"`
	}
	jsonAttempt struct {
		Host       string   `json:"host"`
		Preference uint16   `json:"preference"`
		Addresses  []string `json:"addresses"`
		Down       bool     `json:"down"`
	}
)

func routeJSON(recipient string, plan *delivery.Plan) jsonPlan {
	mx := plan.MX
	if plan.Implicit {
		mx = nil
	}
	return jsonPlan{
		recipient, plan.Domain,
		convert(mx, func(e delivery.Exchange) jsonMX { return jsonMX{e.Preference, e.Name, addresses(e.Host)} }),
		convert(plan.Dropped, func(d delivery.Drop) jsonDrop { return jsonDrop{d.Name, d.Why} }),
		convert(plan.Attempts, func(e delivery.Exchange) jsonAttempt {
			return jsonAttempt{e.Name, e.Preference, addresses(e.Host), e.Down}
		}),
		plan.String(), plan.Explanation,
	}
}

func addresses(h delivery.Host) []string { return convert(h.Addrs, netip.Addr.String) }

func printPlan(u *ui, recipient, sender string, from answers, plan *delivery.Plan) {
	if sender != "" {
		sender = " from " + sender
	}
	u.line("mail to %s%s, by %s", u.paint(bold, recipient), sender, from)
	u.section(plan.Domain+" is an alias, and stands for:", convert(plan.Aliases, func(alias string) []string { return []string{alias} }))
	u.section(mxHead(plan), convert(plan.MX, func(e delivery.Exchange) []string {
		return []string{strconv.Itoa(int(e.Preference)), e.Name, hostState(e.Host)}
	}))
	u.section("excluded", convert(plan.Dropped, func(d delivery.Drop) []string {
		return []string{strconv.Itoa(int(d.Preference)), d.Name, d.Why}
	}))
	u.section("tried in this order, until one takes the mail", attemptRows(u, plan))
	u.line("\n%s", u.paint(resultColor[plan.Result], plan.String()))
	u.text("  ", plan.Explanation)
}

var resultColor = map[delivery.Result]color{
	delivery.Delivered: green, delivery.Waits: yellow, delivery.Bounces: red, delivery.Unknown: yellow,
}

func mxHead(plan *delivery.Plan) string {
	if plan.Implicit {
		return plan.MailDomain() + " has no MX records: its address is an implicit MX"
	}
	return "MX records of " + plan.MailDomain() + ", by preference"
}

// hostState returns the addresses of a host, or why there are none.
func hostState(h delivery.Host) string {
	switch {
	case len(h.Addrs) > 0:
		return strings.Join(addresses(h), " ")
	case h.Name == ".":
		return "no host: no mail is taken"
	case h.Status == delivery.Elsewhere:
		return "addresses not known here"
	case h.Status == delivery.Failed:
		return "no answer for its addresses"
	case h.Status == delivery.NoName:
		return "no such host"
	}
	return "no address"
}

func attemptRows(u *ui, plan *delivery.Plan) (rows [][]string) {
	delivered := false
	for i, group := range delivery.Groups(plan.Attempts) {
		number := strconv.Itoa(i+1) + "."
		for j, e := range group {
			row := []string{number, e.Name, hostState(e.Host), attemptResult(u, plan, e, delivered)}
			if j == 0 && len(group) > 1 {
				row = append(row, fmt.Sprintf("these %d in random order", len(group)))
			}
			rows, number = append(rows, row), ""
		}
		delivered = delivered || slices.ContainsFunc(group, func(e delivery.Exchange) bool { return !e.Down })
	}
	return rows
}

// attemptResult says what becomes of trying an exchange, or that an exchange before it has the mail already.
func attemptResult(u *ui, plan *delivery.Plan, e delivery.Exchange, delivered bool) string {
	switch {
	case delivered:
		return u.paint(dim, "not needed")
	case e.Down && e.Status == delivery.Failed:
		return u.paint(red, "no answer from DNS")
	case e.Down:
		return u.paint(red, "down")
	case len(plan.To) > 1:
		return u.paint(green, "takes it if tried first")
	}
	return u.paint(green, "takes it")
}
