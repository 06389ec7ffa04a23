package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
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
		return p.probe != (definition.Probe{}) && slices.Contains(names, p.Target) && slices.Contains(ports, p.probe.Addr.Port())
	})
	if len(targets) == 0 {
		return hint.Add(errors.New("--live: no target of "+plainName(name)+" is checked here"), "check smtp, or another kind, in its block")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	block.probeAll(ctx, u, targets)
	for _, p := range targets {
		u.note("%s is %s", p.Target+" "+p.Address+" ("+p.Check+")", joinWords(p.State, p.Why))
	}
	down.add(targets)
	return nil
}

// add adds the hosts that are down at all addresses and ports that were probed.
func (o outage) add(targets []probed) {
	isDown := make(map[string]bool)
	for _, p := range targets {
		before, seen := isDown[p.Target]
		isDown[p.Target] = p.isDown() && (before || !seen)
	}
	for host, down := range isDown {
		o[host] = o[host] || down
	}
}
