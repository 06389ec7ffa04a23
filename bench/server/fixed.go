package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

func init() { plugin.Register("fixed", setup) }

// setup reads "fixed MESSAGE [asked]".
func setup(c *caddy.Controller) error {
	c.Next()
	args := c.RemainingArgs()
	if len(args) == 0 || len(args) > 2 {
		return plugin.Error("fixed", c.Errf("usage: fixed MESSAGE [asked]"))
	}
	path := args[0]
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(c.File()), path)
	}
	wire, err := os.ReadFile(path)
	if err != nil {
		return plugin.Error("fixed", err)
	}
	f := new(fixed)
	if err := f.message.Unpack(wire); err != nil {
		return plugin.Error("fixed", err)
	}
	m := &f.message
	m.Answer, m.Ns, m.Extra = slices.Clip(m.Answer), slices.Clip(m.Ns), slices.Clip(m.Extra)
	if len(args) == 2 {
		f.asked = exchanges(m.Answer)
	}
	dnsserver.GetConfig(c).AddPlugin(func(plugin.Handler) plugin.Handler { return f })
	return nil
}

// fixed gives every query the same message and looks at nothing. No plugin that
// answers with these records through this server can cost less.
//
// With asked, the exchanges are those of the asked name, whatever that is: they
// are made for each query, and so is the least that an answer costs that nobody can
// have ready.
type fixed struct {
	message dns.Msg // its sections full to their capacity: the server may append
	asked   []*dns.MX
}

func (*fixed) Name() string { return "fixed" }

func (f *fixed) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := f.message
	m.Id, m.RecursionDesired, m.CheckingDisabled = r.Id, r.RecursionDesired, r.CheckingDisabled
	m.Question = r.Question
	if f.asked != nil {
		m.Answer = of(f.asked, r.Question[0].Name)
	}
	rcode := m.Rcode // which a plugin before may change in place
	return rcode, w.WriteMsg(&m)
}

// of makes the same records for another owner, in two allocations.
func of(records []*dns.MX, owner string) []dns.RR {
	made, answer := make([]dns.MX, len(records)), make([]dns.RR, len(records))
	for i, mx := range records {
		made[i] = *mx
		made[i].Hdr.Name = owner
		answer[i] = &made[i]
	}
	return answer
}

func exchanges(answer []dns.RR) []*dns.MX {
	var all []*dns.MX
	for _, rr := range answer {
		if mx, ok := rr.(*dns.MX); ok {
			all = append(all, mx)
		}
	}
	return all
}
