package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
)

// probeLive probes some hosts at some ports as the definitions of a name check them, and adds those that are down to an
// outage, if --live asks for that.
func (f *answerFlags) probeLive(
	u *ui, from answers, down outage, name definition.Name, hosts []delivery.Host, ports []uint16,
) error {
	d, ok := from.(*declared)
	if !f.live || !ok {
		return nil
	}
	block, _ := d.find(string(name))
	names := convert(hosts, func(h delivery.Host) string { return h.Name })
	targets := filter(block.targets(), func(p probed) bool {
		at, _ := netip.ParseAddrPort(p.Address)
		return slices.Contains(names, p.Target) && slices.Contains(ports, at.Port())
	})
	if !slices.ContainsFunc(targets, func(p probed) bool { return p.probe != (definition.Probe{}) }) {
		return hint.Add(errors.New("--live: no target of "+plainName(name)+" is checked here"), "check smtp, or another kind, in its block")
	}
	block.probeAll(context.Background(), u, targets)
	for _, p := range targets {
		u.note("%s is %s", p.Target+" "+p.Address+" ("+p.Check+")", joinWords(p.State, p.Why))
	}
	down.add(targets)
	return nil
}

// add adds the hosts that are down at all addresses and ports, but for those that cannot be reached from here.
func (o outage) add(targets []probed) {
	isDown := make(map[string]bool)
	for _, p := range targets {
		if p.State != health.Unreachable.String() {
			before, seen := isDown[p.Target]
			isDown[p.Target] = p.isDown() && (before || !seen)
		}
	}
	for host, down := range isDown {
		o[host] = o[host] || down
	}
}
