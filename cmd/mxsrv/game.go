package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

// A game is a selection that was played many times. It is its own JSON.
type game struct {
	Service     string     `json:"service"`
	Aliases     []string   `json:"aliases,omitempty"`
	Clients     int        `json:"clients"`
	Priorities  []priority `json:"priorities"`
	Explanation string     `json:"explanation"`

	down *unreachable
}

// A priority are the targets of equal priority.
type priority struct {
	Priority uint16   `json:"priority"`
	Used     bool     `json:"used"` // clients go by it: it is the lowest of which a target is up
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
	Promised  float64  `json:"promised"` // by the weights, of the clients that go by its priority

	host delivery.Host
}

// count has clients choose, and counts.
func (g *game) count(srv []*dns.SRV, look delivery.Lookup, rnd *rand.Rand) {
	hosts := map[*dns.SRV]delivery.Host{}
	up := map[*dns.SRV]bool{}
	for _, s := range srv {
		hosts[s] = look.Host(s.Target)
		up[s] = reachable(hosts[s]) && !g.down.host(hosts[s])
	}
	isUp := func(s *dns.SRV) bool { return up[s] }
	picked := delivery.Pick(srv, g.Clients, isUp, rnd)
	shares := delivery.Shares(srv, isUp)
	used := false
	for i, s := range srv {
		if i == 0 || s.Priority != srv[i-1].Priority {
			g.Priorities = append(g.Priorities, priority{Priority: s.Priority})
		}
		last := &g.Priorities[len(g.Priorities)-1]
		last.Used = last.Used || up[s] && !used
		last.Targets = append(last.Targets, target{
			Host: hosts[s].Name, Port: s.Port, Weight: s.Weight, Addresses: addresses(hosts[s]), Down: !up[s],
			Picked: picked[i], Share: float64(picked[i]) / float64(g.Clients), Promised: shares[i], host: hosts[s],
		})
		used = used || last.Used && (i+1 == len(srv) || srv[i+1].Priority != s.Priority)
	}
}

// reachable reports whether a host may have an address.
func reachable(h delivery.Host) bool {
	return h.Status == delivery.Found || h.Status == delivery.Elsewhere
}

func (g *game) found() bool {
	return slices.ContainsFunc(g.Priorities, func(p priority) bool { return p.Used })
}

func (g *game) explain() {
	i := slices.IndexFunc(g.Priorities, func(p priority) bool { return p.Used })
	switch {
	case i < 0:
		g.Explanation = "no target is up: clients find none"
	case i > 0:
		g.Explanation = fmt.Sprintf("clients go by priority %d, as nothing before it is up", g.Priorities[i].Priority)
	case len(g.Priorities) > 1:
		g.Explanation = fmt.Sprintf("clients go by priority %d; what is after it is for when all of it is down", g.Priorities[0].Priority)
	default:
		g.Explanation = fmt.Sprintf("clients go by priority %d, and there is no other", g.Priorities[0].Priority)
	}
}

// print prints a table and a bar for each target.
func (g *game) print(u *ui, from answers) {
	u.line("%s, by %s", u.paint(bold, strings.TrimSuffix(g.Service, ".")), from)
	for _, alias := range g.Aliases {
		u.line("  is an alias of %s", alias)
	}
	columns := max(10, min(u.width, 100)-g.tableWidth())
	for _, p := range g.Priorities {
		u.line("\npriority %d: %s", p.Priority, p.role(g.Clients))
		u.table("  ", p.rows(u, columns))
	}
	u.line("")
	u.text("", g.Explanation)
}

// tableWidth is the columns that a row takes beside its bar.
func (g *game) tableWidth() int {
	const others = len("  " + "65535  " + "weight  " + "promised  " + "chosen  " + "  |")
	longest := 0
	for _, p := range g.Priorities {
		for _, t := range p.Targets {
			longest = max(longest, len(t.Host))
		}
	}
	return others + longest
}

func (p *priority) role(clients int) string {
	switch {
	case p.Used:
		return plural(clients, "client") + " choose"
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
		case !reachable(t.host):
			row = append(row, u.paint(red, state(t.host)))
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
