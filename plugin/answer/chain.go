package answer

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// chain is what must be known of the other plugins in the server block.
type chain struct {
	caches    bool               // cache keeps our messages,
	bypassed  definition.ZoneSet // but not in these zones
	signature int                // octets by which dnssec makes an RRset of ours longer; 0: it does not sign
	signer    signer
	signed    definition.ZoneSet // zones of ours that it signs
	packing   packing
	deep      bool // a plugin before mxsrv needs more than 4 KB of stack
}

// packing says whether replies may be packed: nothing sees the message that a plugin before mxsrv would want to see.
type packing int

const (
	never    packing = iota
	asFirst          // mxsrv is the first handler: the writer shows who asks
	asMarked         // the context says who asks
)

// blind are the plugins that neither look at messages of the plugins after them nor change them. dnssec and cache are
// so for some queries.
var blind = []string{
	"acl", "any", "bufsize", "cache", "cancel", "chaos", "dnssec", "errors", "geoip", "local", "metadata", "prometheus", "template", "transfer",
}

// signs reports whether dnssec may sign the reply to a query.
func (c *chain) signs(r *dns.Msg) bool { return c.signer != nil && wantsSignatures(r) }

// signer is the dnssec plugin.
type signer interface {
	Sign(state request.Request, now time.Time, server string) *dns.Msg
}

// Join makes the responder part of a chain that is being set up. If there are handlers before mxsrv, one is put before
// all of them, which sees the writer that the server gives to the chain, and one around dnssec.
func (m *Responder) Join(server *dnsserver.Config) {
	m.server = server
	for i, p := range server.Plugin {
		server.Plugin[i] = aroundSigner(p)
	}
	if m.marks = len(server.Plugin) > 0; m.marks {
		server.Plugin = slices.Insert(server.Plugin, 0, m.mark)
	}
}

// mark returns the first handler of a chain, all others of which are known: a marker, or the next one if nothing will ask
// the marker. Where cache answers most queries, one frame more on the stack may be one too many.
func (m *Responder) mark(next plugin.Handler) plugin.Handler {
	if m.server.Handler(self) != nil { // it may be the chain of another key of the block
		m.Inspect()
		c := &m.chain
		if packs := c.packing == asMarked && (!c.caches || len(c.bypassed) > 0); !packs && !c.deep && c.signer == nil {
			return next
		}
	}
	return &marker{next, &m.chain}
}

// Inspect looks, the first time, at all that matters of the other plugins of the block. They are known once CoreDNS has
// made its servers, before they start.
func (m *Responder) Inspect() {
	m.inspected.Do(func() { m.inspect(m.server.Handlers()) })
}

// CacheBypassZones implements cache.ZoneBypasser: cache need not keep what the table answers, and a change is seen at once.
// Where a next plugin or dnssec has a part in answers, it keeps them.
func (m *Responder) CacheBypassZones() (zones []string) {
	m.Inspect()
	for zone := range m.chain.bypassed {
		zones = append(zones, string(zone))
	}
	slices.Sort(zones)
	return zones
}

// inspect looks at the handlers, which come in the order of plugin.cfg.
func (m *Responder) inspect(handlers []plugin.Handler) {
	c := &m.chain
	c.signed = definition.ZoneSet{}
	var names []string
	for _, h := range handlers {
		names = append(names, h.Name())
		if s, ok := h.(signer); ok {
			c.signer = s
			for _, zone := range m.config.Zones {
				all := signatures(s, zone, ServerLabel(m.server))
				c.signature, c.signed[zone] = max(c.signature, lenOf(all, zone)), len(all) > 0
			}
		}
	}
	c.caches = slices.Contains(names, "cache")
	c.bypassed = m.config.bypassed(c.signed)
	before := names[:max(slices.Index(names, self), 0)]
	c.deep = slices.Contains(before, "prometheus") || slices.Contains(before, "log")
	chained := len(m.server.Plugin)
	if m.marks {
		chained--
	}
	if chained == len(names) && !slices.ContainsFunc(before, func(name string) bool { return !slices.Contains(blind, name) }) {
		c.packing = asFirst
		if m.marks {
			c.packing = asMarked
		}
	}
}

// bypassed returns the zones that cache need not keep: authoritative ones, in which no name is for a next plugin or
// another zone, and which are not signed.
func (c *Config) bypassed(signed definition.ZoneSet) definition.ZoneSet {
	zones := definition.ZoneSet{}
	for _, zone := range c.Authoritative {
		below := func(n definition.Name) bool { return n != zone && n.Below(zone) }
		related := func(n definition.Name) bool { return n.Below(zone) || zone.Below(n) }
		if !signed[zone] && !slices.ContainsFunc(c.Zones, below) && !slices.ContainsFunc(c.Fallthrough, related) {
			zones[zone] = true
		}
	}
	return zones
}

// A marker is the first handler of a chain. It notes in the context whether the writer is a client's: a plugin that
// asks the server itself may do so with the context of its own client.
type marker struct {
	next  plugin.Handler
	chain *chain
}

type markerKey struct{}

func (*marker) Name() string { return self + "_marker" }

func (m *marker) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if m.chain.deep || m.chain.signs(r) {
		growStack(false)
	}
	if m.chain.packing == asMarked {
		ctx = context.WithValue(ctx, markerKey{}, isClient(w))
	}
	return m.next.ServeDNS(ctx, w, r)
}

// growStack gives the goroutine of a query a stack of 8 KB. It begins with 2 KB, and is copied to one of twice the size
// whenever it is full, frame by frame: 4 KB are full deep down in what prometheus or log call.
//
//go:noinline
func growStack(use bool) (n int) {
	if use {
		var room [4 << 10]byte
		for i := range room {
			n += int(room[i])
			room[n&4095]++
		}
	}
	return n
}

// ServerLabel is the server as it stands in metrics, which Sign counts in.
func ServerLabel(config *dnsserver.Config) string {
	host := ""
	if len(config.ListenHosts) > 0 {
		host = config.ListenHosts[0]
	}
	return config.Transport + "://" + net.JoinHostPort(host, config.Port)
}
