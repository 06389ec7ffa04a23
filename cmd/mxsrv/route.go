package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/delivery"
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

// mailDomain returns the name that the MX records of a plan belong to.
func mailDomain(plan *delivery.Plan) string {
	if len(plan.Aliases) > 0 {
		return plan.Aliases[len(plan.Aliases)-1]
	}
	return plan.Domain
}

// unreachable is what the command line says is down.
type unreachable struct {
	domain string
	hosts  map[string]bool // whether a host of this name was met
	addrs  map[netip.Addr]bool
}

func newDown(words []string, domain string) *unreachable {
	d := &unreachable{domain, map[string]bool{}, map[netip.Addr]bool{}}
	for _, word := range words {
		if addr, err := netip.ParseAddr(word); err == nil {
			d.addrs[addr] = false
		} else {
			d.hosts[d.full(word)] = false
		}
	}
	return d
}

// full returns the name of a host as plans have it; one without a dot is below
// the domain.
func (d *unreachable) full(host string) string {
	if host != "" && !strings.Contains(host, ".") {
		host += "." + d.domain
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// host reports whether a host is down: by its name, or with all its addresses.
func (d *unreachable) host(h delivery.Host) bool {
	left := 0
	for _, addr := range h.Addrs {
		if _, down := d.addrs[addr]; down {
			d.addrs[addr] = true
		} else {
			left++
		}
	}
	if _, down := d.hosts[h.Name]; down {
		d.hosts[h.Name] = true
		return true
	}
	return left == 0 && len(h.Addrs) > 0
}

// unused notes what was said to be down and met nothing: a slip, mostly.
func (d *unreachable) unused(u *ui) {
	var unused []string
	for host, met := range d.hosts {
		if !met {
			unused = append(unused, host)
		}
	}
	for addr, met := range d.addrs {
		if !met {
			unused = append(unused, addr.String())
		}
	}
	slices.Sort(unused)
	for _, word := range unused {
		u.note("--down %s: no host here has this name or address", word)
	}
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
	p := jsonPlan{recipient, plan.Domain, []jsonMX{}, []jsonDrop{}, []jsonAttempt{}, plan.String(), plan.Explanation}
	if !plan.Implicit {
		for _, e := range plan.MX {
			p.MX = append(p.MX, jsonMX{e.Preference, e.Name, addresses(e.Host)})
		}
	}
	for _, d := range plan.Dropped {
		p.Dropped = append(p.Dropped, jsonDrop{d.Name, d.Why})
	}
	for _, e := range plan.Attempts {
		p.Attempts = append(p.Attempts, jsonAttempt{e.Name, e.Preference, addresses(e.Host), e.Down})
	}
	return p
}

func addresses(h delivery.Host) []string {
	words := []string{}
	for _, addr := range h.Addrs {
		words = append(words, addr.String())
	}
	return words
}

// print prints a plan step by step.
func (r *routing) print(u *ui, recipient string, from answers, plan *delivery.Plan) {
	sender := ""
	if r.from != "" {
		sender = " from " + newDown(nil, plan.Domain).full(r.from)
	}
	u.line("mail to %s%s, by %s", u.paint(bold, recipient), sender, from)
	for i, alias := range plan.Aliases {
		if i == 0 {
			u.line("\n%s is an alias, and stands for:", plan.Domain)
		}
		u.line("  %s", alias)
	}
	printMX(u, plan)
	printDropped(u, plan)
	printAttempts(u, plan)
	u.line("\n%s", u.paint(resultColor[plan.Result], plan.String()))
	u.text("  ", plan.Explanation)
}

var resultColor = map[delivery.Result]color{
	delivery.Delivered: green, delivery.Waits: yellow, delivery.Bounces: red, delivery.Unknown: yellow,
}

func printMX(u *ui, plan *delivery.Plan) {
	switch {
	case len(plan.MX) == 0:
		return
	case plan.Implicit:
		u.line("\n%s has no MX records: its address is an implicit MX", mailDomain(plan))
	default:
		u.line("\nMX records of %s, by preference", mailDomain(plan))
	}
	var rows [][]string
	for _, e := range plan.MX {
		rows = append(rows, []string{strconv.Itoa(int(e.Preference)), e.Name, state(e.Host)})
	}
	u.table("  ", rows)
}

// state writes the addresses of a host, or why there are none.
func state(h delivery.Host) string {
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

func printDropped(u *ui, plan *delivery.Plan) {
	if len(plan.Dropped) == 0 {
		return
	}
	u.line("\nleft out")
	var rows [][]string
	for _, d := range plan.Dropped {
		rows = append(rows, []string{strconv.Itoa(int(d.Preference)), d.Name, d.Why})
	}
	u.table("  ", rows)
}

// printAttempts prints what is tried, in order, up to who takes the mail.
func printAttempts(u *ui, plan *delivery.Plan) {
	if len(plan.Attempts) == 0 {
		return
	}
	u.line("\ntried in this order, until one takes the mail")
	var rows [][]string
	reached := false
	for i, group := range delivery.Groups(plan.Attempts) {
		at := strconv.Itoa(i+1) + "."
		for j, e := range group {
			cells := []string{at, e.Name, tried(u, plan, e, reached)}
			if j == 0 && len(group) > 1 {
				cells = append(cells, fmt.Sprintf("these %d in random order", len(group)))
			}
			rows, at = append(rows, cells), ""
		}
		reached = reached || slices.ContainsFunc(group, func(e delivery.Exchange) bool { return !e.Down })
	}
	u.table("  ", rows)
}

// tried says what comes of trying an exchange, or that it does not come to that.
func tried(u *ui, plan *delivery.Plan, e delivery.Exchange, reached bool) string {
	switch {
	case reached:
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
