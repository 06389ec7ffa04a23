package mxsrv

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/mxsrv/mxsrv/plugin/answer"
	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/publish"
)

var log = clog.NewWithPlugin(pluginName)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	server := dnsserver.GetConfig(c)
	b := parse(c, server.Root)
	instance := instanceOf(c)
	m, err := newHandler(b, answer.ServerLabel(server), instance.handlers)
	if err == nil {
		m.instance = instance // which knows verdicts from before
		err = m.publisher.Load()
	}
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	instance.add(m)
	m.responder.Join(server)
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		m.Next, m.responder.Next = next, next
		return m
	})
	c.OnStartup(func() error { // the other plugins are known only now
		m.observer.secondaries = newNotifier(server)
		m.responder.Inspect()
		if err := m.publisher.SetPlugins(pluginsOf(server, b)); err != nil {
			return plugin.Error(pluginName, err)
		}
		return nil
	})
	return nil
}

// parse reads all mxsrv stanzas of a server block. It has no side effects.
func parse(c *caddy.Controller, root string) *corefile.Block {
	return corefile.Read(&c.Dispenser, corefile.Env{
		Root: root, Keys: c.ServerBlockKeys, Origins: plugin.OriginsFromArgsOrServerBlock,
	})
}

// pluginsOf returns the other plugins of a server block in their order.
func pluginsOf(server *dnsserver.Config, b *corefile.Block) lint.Plugins {
	p := lint.Plugins{Known: true, Signed: answer.SignedAs(server, slices.Concat(b.Zones, b.Keys))}
	list := &p.Before
	for _, h := range server.Handlers() {
		if h.Name() == pluginName {
			list = &p.After
		} else {
			*list = append(*list, h.Name())
		}
	}
	return p
}

// newHandler returns the handler of a block, whose publisher has loaded nothing yet. Others are the handlers of the
// blocks before it.
func newHandler(b *corefile.Block, server string, others []*MXSRV) (*MXSRV, error) {
	o := &observer{server: server, etcds: b.Etcds}
	for _, f := range b.Files {
		f.Doing = (&publish.Progress{Log: o.Info}).Doing
	}
	for _, e := range b.Etcds {
		e.Info, e.Warn = o.Info, o.Warning
	}
	o.countResponses()
	o.Excluded(0) // which makes the counter appear
	path, pos := b.SerialsFile()
	m := &MXSRV{observer: o, checks: b.Checks}
	p, err := publish.New(publish.Config{
		Pos: b.Pos, Zones: b.Zones, ZonePos: b.ZonePos, BlockZones: b.Keys, Fallthrough: b.Fallthrough, Ignore: b.Ignore,
		Sources: b.Sources(), Fragments: len(b.Etcds) > 0, Allow: b.Allow,
		View: viewOf(server, b.Zones, others), Serials: path, SerialsPos: pos, Unasked: b.Serials == "",
		Accepted: accepted, Prober: m.newProber, ProbeNetworks: b.Checks.Networks, Detection: b.Checks.Detection(),
	}, o)
	var apexes definition.Zones
	for i := range b.Inline.Apexes {
		apexes = append(apexes, b.Inline.Apexes[i].Zone)
	}
	r := answer.New(answer.Config{
		Zones: b.Zones, Authoritative: apexes, Fallthrough: b.Fallthrough,
		TrimmedGlue: trimmedGlue, RepairedNXDOMAIN: repairedNXDOMAIN, RepairedAlias: repairedAlias, Warn: o.Warning,
	})
	m.publisher, m.responder = p, r
	return m, cmp.Or(err, sameState(m, others))
}

// sameState returns the error that two server blocks keep their verdicts in one file, or nil.
func sameState(m *MXSRV, others []*MXSRV) error {
	for _, before := range others {
		if errs := m.checks.SameState(&before.checks); len(errs) > 0 {
			return errs
		}
	}
	return nil
}

// viewOf names a server block among those that serve the same zone: by its server and, of several blocks on one, by the
// place among them. The name that the view plugin gives is not known yet.
func viewOf(server string, zones definition.Zones, others []*MXSRV) string {
	place := 1
	for _, m := range others {
		if m.observer.server == server && slices.ContainsFunc(zones, m.publisher.HasZone) {
			place++
		}
	}
	if place == 1 {
		return server
	}
	return fmt.Sprintf("%s #%d", server, place)
}
