package mxsrv

import (
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/mxsrv/mxsrv/plugin/block"
)

var log = clog.NewWithPlugin(pluginName)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	server := dnsserver.GetConfig(c)
	b := parse(c, server.Root)
	m := new(MXSRV)
	if err := m.configure(b, serverLabel(server)); err != nil {
		return plugin.Error(pluginName, err)
	}
	if err := m.load(); err != nil {
		return plugin.Error(pluginName, err)
	}
	instanceOf(c).add(m)
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		m.Next = next
		return m
	})
	c.OnStartup(func() error { // the other plugins are known only now
		m.neighbors, m.plugins = meet(server, b.Zones)
		m.secondaries = newNotifier(server)
		m.warn()
		return nil
	})
	return nil
}

// parse reads all mxsrv stanzas of a server block. It has no side effects.
func parse(c *caddy.Controller, root string) *block.Block {
	b := block.Read(&c.Dispenser, block.Env{
		Root: root, Keys: c.ServerBlockKeys, Origins: plugin.OriginsFromArgsOrServerBlock,
	})
	for _, f := range b.Files {
		f.Doing = new(progress).doing
	}
	for _, e := range b.Etcds {
		e.Info = func(text string) { log.Info(text) }
		e.Warn = func(text string) { log.Warning(text) }
		e.Mark = len(b.Inline.Apexes) > 0 // whose serials are made of revisions
	}
	return b
}
