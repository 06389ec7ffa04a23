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

// A simulation is what many clients have chosen. It is its own JSON.
type simulation struct {
	Service     string     `json:"service"`
	Aliases     []string   `json:"aliases,omitempty"`
	Clients     int        `json:"clients"`
	Priorities  []priority `json:"priorities"`
	Explanation string     `json:"explanation"`

	longest int // letters of the name of a target
}

// A priority is the targets of equal priority.
type priority struct {
	Priority uint16   `json:"priority"`
	Used     bool     `json:"used"` // it is the lowest of which a target is up
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

// run lets clients choose among targets, and counts.
func (s *simulation) run(srv []*dns.SRV, look delivery.Lookup, outage outage, rnd *rand.Rand) {
	hosts := map[*dns.SRV]delivery.Host{}
	up := map[*dns.SRV]bool{}
	for _, t := range srv {
		hosts[t] = look.Host(t.Target)
		up[t] = hasAddress(hosts[t]) && !outage.includes(hosts[t])
		s.longest = max(s.longest, len(hosts[t].Name))
	}
	isUp := func(t *dns.SRV) bool { return up[t] }
	picked := delivery.Pick(srv, s.Clients, isUp, rnd)
	shares := delivery.Shares(srv, isUp)
	used := slices.IndexFunc(srv, isUp)
	for i, t := range srv {
		if i == 0 || t.Priority != srv[i-1].Priority {
			s.Priorities = append(s.Priorities, priority{Priority: t.Priority, Used: used >= 0 && t.Priority == srv[used].Priority})
		}
		p := &s.Priorities[len(s.Priorities)-1]
		p.Targets = append(p.Targets, target{
			Host: hosts[t].Name, Port: t.Port, Weight: t.Weight, Addresses: addresses(hosts[t]), Down: !up[t],
			Picked: picked[i], Share: float64(picked[i]) / float64(s.Clients), Promised: shares[i], host: hosts[t],
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
		u.line("\npriority %d: %s", p.Priority, p.role(s.Clients))
		u.table("  ", p.rows(u, columns))
	}
	u.line("")
	u.text("", s.Explanation)
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
