package mxsrv

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

var log = clog.NewWithPlugin(pluginName)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	server := dnsserver.GetConfig(c)
	conf := parse(c, server.Root)
	m := new(MXSRV)
	m.configure(conf)
	if err := m.load(); err != nil {
		return plugin.Error(pluginName, err)
	}
	instanceOf(c).add(m)
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		m.Next = next
		return m
	})
	c.OnStartup(func() error { // the other plugins are known only now
		m.neighbors, m.plugins = meet(server, conf.zones)
		m.server = serverLabel(server)
		m.warn()
		return nil
	})
	return nil
}

// config is what the mxsrv stanzas of a server block say, all together.
type config struct {
	root   string // directory of relative paths
	zones  definition.Zones
	inline []*definition.Set // what the stanzas themselves declare
	errs   definition.Errors
	files  []*source.File
	pos    definition.Pos // of the first stanza
}

// sources returns all sources of definitions.
func (conf *config) sources() []source.Source {
	sources := []source.Source{source.Static(conf.pos.Source, definition.Merge(conf.inline...), conf.errs)}
	for _, f := range conf.files {
		sources = append(sources, f)
	}
	return sources
}

func (conf *config) errorf(pos definition.Pos, id, text string) {
	conf.errs = append(conf.errs, definition.Error{Pos: pos, ID: id, Text: text})
}

// parse reads all mxsrv stanzas of a server block. It has no side effects;
// mistakes are collected in the config.
func parse(c *caddy.Controller, root string) *config {
	conf := &config{root: root}
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
var options = map[string]func(*config, *source.File, definition.Line){
	"fallthrough": (*config).fallthroughs,
	"file":        (*config).file,
	"reload":      (*config).reload,
}

// stanza reads: mxsrv [ZONES...] { ... }
func (conf *config) stanza(l definition.Line, keys []string) {
	zones, ok := conf.origins(l, keys)
	if !ok {
		return
	}
	conf.zones = append(conf.zones, zones...)
	r := definition.NewReader(zones)
	files := &source.File{Zones: zones, Interval: defaultReload, Doing: new(progress).doing}
	for _, b := range l.Block {
		option := options[b.Words[0]]
		switch {
		case option != nil:
			option(conf, files, b)
		case !r.Line(b):
			conf.errorf(b.Pos, definition.Syntax, definition.Unknown(b, slices.Collect(maps.Keys(options))...))
		}
	}
	set, errs := r.Set()
	conf.inline = append(conf.inline, set)
	conf.errs = append(conf.errs, errs...)
	if len(files.Patterns) > 0 {
		conf.files = append(conf.files, files)
	}
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
func (conf *config) fallthroughs(*source.File, definition.Line) {}

// file reads: file PATH...
func (conf *config) file(files *source.File, l definition.Line) {
	if len(l.Words) == 1 || l.Block != nil {
		conf.errorf(l.Pos, definition.Syntax, "usage: file PATH...")
	}
	for _, path := range l.Words[1:] {
		if !filepath.IsAbs(path) {
			path = filepath.Join(conf.root, path)
		}
		files.Patterns = append(files.Patterns, source.Pattern{Pos: l.Pos, Path: path})
	}
}

const (
	defaultReload = 2 * time.Second

	// A file that is written takes milliseconds; the interval is to be longer.
	shortestReload = 100 * time.Millisecond
)

// reload reads: reload DURATION
func (conf *config) reload(files *source.File, l definition.Line) {
	if len(l.Words) != 2 || l.Block != nil {
		conf.errorf(l.Pos, definition.Syntax, "usage: reload DURATION")
		return
	}
	d, err := time.ParseDuration(l.Words[1])
	if err != nil || d != 0 && d < shortestReload {
		conf.errorf(l.Pos, definition.Syntax,
			fmt.Sprintf("duration %q: write one of at least %v, like 2s or 1m30s, or 0 for never", l.Words[1], shortestReload))
		return
	}
	files.Interval = d
}
