package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
)

// A probed is a target that is checked, at one of its addresses, and what came of probing it once. It is its own JSON.
type probed struct {
	Target  string        `json:"target"`
	Address string        `json:"address,omitempty"` // with the port
	Check   string        `json:"check"`
	State   string        `json:"state"` // up, down, unreachable or unknown
	Why     string        `json:"why,omitempty"`
	Seconds float64       `json:"seconds,omitempty"`
	Expires *time.Time    `json:"expires,omitempty"` // the certificate
	Since   *time.Time    `json:"since,omitempty"`
	took    time.Duration // 0: it was not probed

	probe definition.Probe // the zero value: it is not probed
}

// Why a target is not probed.
const (
	undeclared = "its addresses are not declared here"
	outside    = "fragments declare it, or it is special, and it is in no network of probe"
)

// targets returns what a server block checks, each target at each of its addresses, by name.
func (s *served) targets() (all []probed) {
	type place struct {
		host  definition.Name
		port  uint16
		check definition.Check
	}
	seen := make(map[place]bool)
	add := func(p place) {
		if !seen[p] && p.check != (definition.Check{}) {
			seen[p] = true
			all = append(all, s.target(p.host, p.port, p.check)...)
		}
	}
	for o := range s.index.Owners() {
		for _, e := range o.Exchanges() {
			add(place{e.Host, definition.SMTPPort, o.MailCheck()})
		}
		for _, t := range o.Targets() {
			add(place{t.Host, t.Port, o.ServiceCheck()})
		}
	}
	slices.SortStableFunc(all, func(a, b probed) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Address, b.Address))
	})
	return all
}

// target returns a target at each of its addresses.
func (s *served) target(host definition.Name, port uint16, check definition.Check) (all []probed) {
	base := probed{Target: plainName(host), Check: check.String(), State: health.Unknown.String()}
	o := s.index.At(host)
	if len(o.Addrs()) == 0 {
		base.Why = undeclared
		return []probed{base}
	}
	for _, addr := range o.Addrs() {
		p := base
		p.Address = netip.AddrPortFrom(addr, port).String()
		if s.mayProbe(o, addr) {
			p.probe = definition.NewProbe(netip.AddrPortFrom(addr, port), check, host)
		} else {
			p.Why = outside
		}
		all = append(all, p)
	}
	return all
}

// mayProbe reports whether servers probe an address.
func (s *served) mayProbe(host definition.Owner, addr netip.Addr) bool {
	return s.checks.MayProbe(host, addr, func(source string) bool { return s.fragments[source] })
}

// parallelProbes is how many probes run at once.
const parallelProbes = 64

// probeAll probes what is to be probed, each once, and notes what came of it. Names may share a probe.
func (s *served) probeAll(ctx context.Context, u *ui, all []probed) {
	config := s.checks.Config
	config.From = ownAddresses(u, config.From)
	results := make(map[definition.Probe]*health.Result)
	slots := make(chan bool, parallelProbes)
	var running sync.WaitGroup
	for _, p := range all {
		if results[p.probe] != nil || p.probe == (definition.Probe{}) {
			continue
		}
		r := new(health.Result)
		results[p.probe] = r
		slots <- true
		running.Go(func() {
			*r = config.Attempt(ctx, p.probe)
			<-slots
		})
	}
	running.Wait()
	for i := range all {
		if r := results[all[i].probe]; r != nil {
			all[i].note(*r)
		}
	}
}

func (p *probed) note(r health.Result) {
	p.took, p.Why = max(r.Took, 1), r.Why
	p.Seconds = r.Took.Seconds()
	switch r.Outcome {
	case health.Success:
		p.State = health.Up.String()
	case health.Failure:
		p.State = health.Down.String()
	case health.NoRoute:
		p.State = health.Unreachable.String()
	}
	if !r.Expires.IsZero() {
		p.Expires = &r.Expires
	}
}

// ownAddresses returns those of the source addresses of servers that this host has.
func ownAddresses(u *ui, from []netip.Addr) (own []netip.Addr) {
	here, err := net.InterfaceAddrs()
	if err != nil {
		return from
	}
	for _, addr := range from {
		has := func(a net.Addr) bool {
			network, err := netip.ParsePrefix(a.String())
			return err == nil && network.Addr() == addr
		}
		if slices.ContainsFunc(here, has) {
			own = append(own, addr)
		} else {
			u.note("this host has not %v: it probes from another address than the servers do", addr)
		}
	}
	return own
}

func (p probed) isDown() bool { return p.State == health.Down.String() }

var stateColor = map[string]color{"up": green, "down": red, "unknown": yellow, "unreachable": yellow}

// row returns what a table shows.
func (p probed) row(u *ui) []string {
	why := p.Why
	if p.took > 0 && p.Since == nil {
		took := p.took.Round(time.Millisecond / 10).String()
		why = joinWords(why, took)
	}
	if p.Expires != nil {
		why = joinWords(why, "certificate until "+p.Expires.Format(time.DateOnly))
	}
	if p.Since != nil {
		why = joinWords(why, "since "+p.Since.Local().Format(time.DateTime))
	}
	return []string{p.Target, p.Address, p.Check, u.paint(stateColor[p.State], p.State), why}
}

func joinWords(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// stateSummary counts targets by what they are.
func stateSummary(all []probed) string {
	counts := make(map[string]int)
	for _, p := range all {
		counts[p.State]++
	}
	text := fmt.Sprintf("%d up, %d down, %d unknown", counts["up"], counts["down"], counts["unknown"])
	if n := counts[health.Unreachable.String()]; n > 0 {
		text += fmt.Sprintf(", %d unreachable from here", n)
	}
	return text
}
