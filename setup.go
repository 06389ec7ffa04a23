package mxsrv

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

var log = clog.NewWithPlugin(pluginName)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	conf := parse(c)
	if err := lint.Err(conf.check(nil)); err != nil {
		return plugin.Error(pluginName, err)
	}
	m := new(MXSRV)
	m.table.Store(table.Compile(&conf.set, table.Options{
		Zones:  conf.zones,
		Serial: uint32(time.Now().Unix()),
	}))
	config := dnsserver.GetConfig(c)
	config.AddPlugin(func(next plugin.Handler) plugin.Handler {
		m.Next = next
		return m
	})
	c.OnStartup(func() error {
		// Some warnings are about other plugins, which are known only now.
		var names []string
		m.neighbors, names = meet(config, conf.zones)
		for _, f := range conf.check(names) {
			log.Warning(f)
		}
		return nil
	})
	return nil
}

// config is what the mxsrv stanzas of a server block say, all together.
type config struct {
	zones definition.Zones
	set   definition.Set
	errs  definition.Errors
	pos   definition.Pos // of the first stanza
}

func (conf *config) check(plugins []string) []lint.Finding {
	return lint.Check(&conf.set, conf.errs, lint.Options{Zones: conf.zones, Plugins: plugins, Pos: conf.pos})
}

func (conf *config) errorf(pos definition.Pos, id, text string) {
	conf.errs = append(conf.errs, definition.Error{Pos: pos, ID: id, Text: text})
}

// parse reads all mxsrv stanzas of a server block. It has no side effects;
// mistakes are collected in the config.
func parse(c *caddy.Controller) *config {
	conf := new(config)
	stanzas, errs := definition.Lines(&c.Dispenser)
	conf.errs = errs
	for i, stanza := range stanzas {
		if i == 0 {
			conf.pos = stanza.Pos
		}
		conf.stanza(stanza, c.ServerBlockKeys)
	}
	return conf
}

// options are the words of the block that are not of the definition language.
var options = map[string]func(*config, definition.Line){
	"fallthrough": (*config).fallthroughs,
}

// stanza reads: mxsrv [ZONES...] { ... }
func (conf *config) stanza(l definition.Line, keys []string) {
	zones, ok := conf.origins(l, keys)
	if !ok {
		return
	}
	conf.zones = append(conf.zones, zones...)
	r := definition.NewReader(zones)
	for _, b := range l.Block {
		option := options[b.Words[0]]
		switch {
		case option != nil:
			option(conf, b)
		case !r.Line(b):
			conf.errorf(b.Pos, definition.Syntax, definition.Unknown(b, slices.Collect(maps.Keys(options))...))
		}
	}
	set, errs := r.Set()
	conf.set.Add(set)
	conf.errs = append(conf.errs, errs...)
}

// origins reads the zones of a stanza, or takes those of the server block.
func (conf *config) origins(l definition.Line, keys []string) (definition.Zones, bool) {
	before := len(conf.errs)
	for _, arg := range l.Words[1:] {
		if len(plugin.OriginsFromArgsOrServerBlock([]string{arg}, nil)) == 0 {
			conf.errorf(l.Pos, definition.Syntax, "zone "+strings.TrimSpace(arg)+": write a domain name like example.org, or a network like 192.0.2.0/24")
		}
	}
	var zones definition.Zones
	for _, origin := range plugin.OriginsFromArgsOrServerBlock(l.Words[1:], keys) {
		zone, err := definition.ParseName(origin, ".")
		if err != nil {
			conf.errorf(l.Pos, definition.NameInvalid, "zone "+err.Error())
			continue
		}
		zones = append(zones, zone)
	}
	return zones, len(conf.errs) == before
}

// fallthroughs accepts: fallthrough [ZONES...]. Everything that is not declared
// is passed on anyway.
func (conf *config) fallthroughs(definition.Line) {}
