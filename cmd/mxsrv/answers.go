package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// answers are those of definitions or of a DNS server.
type answers interface {
	lookup(name string, qtype uint16) delivery.Answer
	covers(name definition.Name, commandLine string) error // why there are no answers about a name, or nil
	failed() error                                         // why there was no answer to any question, or nil
	String() string
}

// answerFlags say where answers come from.
type answerFlags struct {
	readFlags
	config, server string
	down           []string
	live           bool
}

const resolvConf = "/etc/resolv.conf"

func (f *answerFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.config, "config", "", "use the answers of a `Corefile` or definitions file (default ./Corefile, if there is one)")
	c.Flags().StringVar(&f.server, "server", "", "use the answers of the DNS server at `ADDR`, like 192.0.2.53 or [2001:db8::53]:5353 (default, without ./Corefile, that in "+resolvConf+")")
	c.Flags().StringArrayVar(&f.down, "down", nil, "a `HOST` or address that is down; repeat it for several. A HOST without a dot is below the domain")
	c.Flags().BoolVar(&f.live, "live", false, "probe the targets that the definitions check, once, from here: those that fail are down")
	f.readFlags.add(c)
	f.addBlock(c)
}

// open returns the answers that the flags choose, if these cover a name. The command line is for a hint.
func (f *answerFlags) open(u *ui, name definition.Name, commandLine string) (answers, error) {
	from, err := f.source(u)
	if err != nil {
		return nil, err
	}
	if _, ok := from.(*declared); f.live && !ok {
		return nil, hint.Add(errors.New("--live probes what definitions check, and a server does not say that"), "%s --live --config Corefile", commandLine)
	}
	return from, from.covers(name, commandLine)
}

func (f *answerFlags) source(u *ui) (answers, error) {
	switch _, missing := os.Stat(defaultCorefile); {
	case f.config != "" && f.server != "":
		return nil, errors.New("--config and --server: write one of them")
	case f.server != "":
		return parseServer(f.server)
	case f.config == "" && missing != nil:
		s, err := systemResolver()
		if err != nil {
			err = hint.Add(fmt.Errorf("no %s here, and %v", defaultCorefile, err), "--config Corefile, or --server ADDR")
		}
		return s, err
	}
	config := cmp.Or(f.config, defaultCorefile)
	blocks, err := f.readValid(u, []string{config}, nil)
	return &declared{name: config, blocks: blocks}, err
}

// declared are the answers of definitions.
type declared struct {
	name   string
	blocks []*served
	used   *served // the one of several server blocks for a zone, for String
}

func (d *declared) String() string {
	if d.used != nil {
		return "the definitions of " + d.used.block.String()
	}
	return "the definitions of " + d.name
}

func (d *declared) failed() error { return nil }

// find returns the block with the closest zone above a name, and the zone. Of several it is the first: CoreDNS asks
// their views in this order.
func (d *declared) find(name string) (block *served, zone definition.Name) {
	for _, s := range d.blocks {
		if z := s.zones.Set().Of(definition.Name(name)); len(z) > len(zone) {
			zone = z
		}
	}
	if zone == "" {
		return nil, ""
	}
	return serving(d.blocks, zone)[0], zone
}

// lookup answers as the server would. In a zone that is not authoritative, the next plugin may have more: a domain or
// service counts as missing as long as it is not declared, but a host may have its addresses elsewhere.
func (d *declared) lookup(name string, qtype uint16) delivery.Answer {
	block, zone := d.find(name)
	if zone == "" {
		return delivery.Answer{Status: delivery.Elsewhere}
	}
	match, a := block.compile().Lookup(name, qtype)
	isAddress := qtype == dns.TypeA || qtype == dns.TypeAAAA
	switch {
	case a.Referral: // the delegated zone has it, if anything
		return delivery.Answer{Status: delivery.Elsewhere}
	case len(a.RRs) > 0:
		return delivery.Answer{Status: delivery.Found, RRs: a.RRs, Fixed: a.Order == table.Canonical}
	case a.Rcode == dns.RcodeNameError:
		return delivery.Answer{Status: delivery.NoName}
	case match != table.Data && isAddress:
		return delivery.Answer{Status: delivery.Elsewhere}
	case match == table.None && name != string(zone):
		return delivery.Answer{Status: delivery.NoName}
	}
	return delivery.Answer{Status: delivery.NoData}
}

// fallsThrough reports whether the server would ask the next plugin.
func (d *declared) fallsThrough(name string, qtype uint16) bool {
	block, zone := d.find(name)
	if zone == "" {
		return false
	}
	match, _ := block.compile().Lookup(name, qtype)
	return match != table.Data
}

// covers implements answers. Server blocks for one zone that differ are an error: the answer depends on who asks.
func (d *declared) covers(name definition.Name, commandLine string) error {
	if block, zone := d.find(string(name)); zone != "" {
		several := serving(d.blocks, zone)
		if !alike(several, zone) {
			return ambiguous(several, zone)
		}
		if len(holding(d.blocks, zone)) > 1 {
			d.used = block
		}
		return nil
	}
	err := fmt.Errorf("%s is in none of the zones of %s: %s", name, d.name, listZones(allZones(d.blocks)))
	return hint.Add(err, "%s --server ADDR", commandLine)
}

// server are the answers of a DNS server. Each question is sent once. Several goroutines may ask. When a server has not
// answered many in a row, it is not asked any more: each would take all tries.
type server struct {
	addr     string
	cache    sync.Map // of delivery.Answer, by dns.Question
	answered atomic.Bool
	silent   atomic.Int64          // how many questions in a row it has not answered
	err      atomic.Pointer[error] // of the last question that was not answered
}

const (
	dnsPort = "53"
	timeout = 3 * time.Second // of each try
	tries   = 2

	mostSilent = 2 * parallel

	// udpSize fits all usual networks (RFC 9715).
	udpSize = 1232
)

// parseServer returns the server that a flag names.
func parseServer(addr string) (*server, error) {
	if host, port, ok := strings.Cut(addr, "#"); ok { // as BIND and dnsmasq write it
		return nil, hint.Add(fmt.Errorf("--server %q: write ADDR:PORT", addr), "--server %s",
			net.JoinHostPort(strings.Trim(strings.TrimPrefix(host, "@"), "[]"), port))
	}
	return newServer(addr), nil
}

func newServer(addr string) *server {
	addr = strings.TrimPrefix(addr, "@") // as for dig
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), dnsPort)
	}
	return &server{addr: addr}
}

func systemResolver() (*server, error) {
	conf, err := dns.ClientConfigFromFile(resolvConf)
	if err != nil || len(conf.Servers) == 0 {
		return nil, fmt.Errorf("no DNS server in %s", resolvConf)
	}
	return newServer(net.JoinHostPort(conf.Servers[0], cmp.Or(conf.Port, dnsPort))), nil
}

func (s *server) String() string                       { return "the answers of " + s.addr }
func (s *server) covers(definition.Name, string) error { return nil }

func (s *server) failed() error {
	if s.answered.Load() || s.err.Load() == nil {
		return nil
	}
	host, port, _ := net.SplitHostPort(s.addr)
	return hint.Add(fmt.Errorf("%s does not answer: %v", s.addr, cause(*s.err.Load())), "dig @%s -p %s", host, port)
}

func (s *server) lookup(name string, qtype uint16) delivery.Answer {
	q := dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}
	if a, ok := s.cache.Load(q); ok {
		return a.(delivery.Answer)
	}
	var a delivery.Answer
	if s.silent.Load() >= mostSilent {
		return a
	}
	if r, err := s.query(q); err != nil {
		s.err.Store(&err)
		s.silent.Add(1)
	} else {
		s.answered.Store(true)
		s.silent.Store(0)
		a = delivery.Answer{Status: statusOf(r), RRs: r.Answer}
	}
	s.cache.Store(q, a)
	return a
}

// query sends one question, and again over TCP if the answer is truncated.
func (s *server) query(q dns.Question) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(q.Name, q.Qtype)
	m.SetEdns0(udpSize, false)
	r, err := s.exchange("udp", m)
	if err == nil && r.Truncated {
		r, err = s.exchange("tcp", m)
	}
	return r, err
}

func statusOf(r *dns.Msg) delivery.Status {
	switch {
	case r.Rcode == dns.RcodeSuccess && len(r.Answer) > 0:
		return delivery.Found
	case r.Rcode == dns.RcodeSuccess && isReferral(r):
		return delivery.Elsewhere
	case r.Rcode == dns.RcodeSuccess:
		return delivery.NoData
	case r.Rcode == dns.RcodeNameError: // of the last name, if there are aliases
		return delivery.NoName
	case r.Rcode == dns.RcodeRefused:
		return delivery.Elsewhere
	}
	return delivery.Failed
}

// isReferral reports whether a reply without answers leads to the name servers of a delegated zone (RFC 2308 §2.2).
func isReferral(r *dns.Msg) bool {
	has := func(rrtype uint16) bool {
		return slices.ContainsFunc(r.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == rrtype })
	}
	return has(dns.TypeNS) && !has(dns.TypeSOA)
}

func (s *server) exchange(network string, m *dns.Msg) (r *dns.Msg, err error) {
	c := dns.Client{Net: network, Timeout: timeout, UDPSize: udpSize}
	for range tries {
		if r, _, err = c.Exchange(m, s.addr); err == nil {
			return r, nil
		}
	}
	return nil, err
}

// cause returns an error of a connection without the addresses of both ends.
func cause(err error) error {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return fmt.Errorf("no answer in %v", tries*timeout)
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return err
}
