package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

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

// printPlan prints a plan step by step.
func printPlan(u *ui, recipient, sender string, from answers, plan *delivery.Plan) {
	if sender != "" {
		sender = " from " + sender
	}
	u.line("mail to %s%s, by %s", u.paint(bold, recipient), sender, from)
	if len(plan.Aliases) > 0 {
		u.line("\n%s is an alias, and stands for:", plan.Domain)
	}
	for _, alias := range plan.Aliases {
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
		rows = append(rows, []string{strconv.Itoa(int(e.Preference)), e.Name, hostState(e.Host)})
	}
	u.table("  ", rows)
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

func printDropped(u *ui, plan *delivery.Plan) {
	if len(plan.Dropped) == 0 {
		return
	}
	u.line("\nexcluded")
	var rows [][]string
	for _, d := range plan.Dropped {
		rows = append(rows, []string{strconv.Itoa(int(d.Preference)), d.Name, d.Why})
	}
	u.table("  ", rows)
}

func printAttempts(u *ui, plan *delivery.Plan) {
	if len(plan.Attempts) == 0 {
		return
	}
	u.line("\ntried in this order, until one takes the mail")
	var rows [][]string
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
	u.table("  ", rows)
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
