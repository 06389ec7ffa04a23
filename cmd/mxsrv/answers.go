package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// answers is where the answers come from that a command reasons about.
type answers interface {
	lookup(name string, qtype uint16) delivery.Answer
	// failed returns why there are no answers at all, or nil.
	failed() error
	// String names the answers after "by".
	String() string
}

// choice is what the flags say of where answers come from.
type choice struct {
	reading
	config, server string
}

func (o *choice) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.config, "config", "", "answers are those of a `Corefile` or definitions file; of ./Corefile if there is one and nothing is said")
	c.Flags().StringVar(&o.server, "server", "", "answers are those of the DNS server at `ADDR`, like 192.0.2.53 or [2001:db8::53]:5353; else of that in "+resolvConf)
	o.reading.flags(c)
}

const resolvConf = "/etc/resolv.conf"

// open returns the answers that the flags choose.
func (o *choice) open(u *ui) (answers, error) {
	if o.config != "" && o.server != "" {
		return nil, errors.New("--config and --server: write one of them")
	}
	if o.server != "" {
		return newLive(o.server), nil
	}
	config := o.config
	if config == "" {
		if _, err := os.Stat(defaultCorefile); err != nil {
			l, err := system()
			if err != nil {
				return nil, withHint(fmt.Errorf("no %s here, and %v", defaultCorefile, err), "--config Corefile, or --server ADDR")
			}
			return l, nil
		}
		config = defaultCorefile
	}
	all, err := o.read(u, []string{config})
	if err == nil {
		err = faultless(all)
	}
	if err != nil {
		return nil, err
	}
	return newDeclared(config, all), nil
}

// declared are the answers of definitions.
type declared struct {
	name   string
	blocks []*served
	tables []*table.Table // parallel to blocks
}

func newDeclared(name string, blocks []*served) *declared {
	d := &declared{name: name, blocks: blocks}
	for _, s := range blocks {
		d.tables = append(d.tables, s.compile())
	}
	return d
}

func (d *declared) String() string { return "the definitions of " + d.name }
func (d *declared) failed() error  { return nil }

// find returns the block that has the closest zone above a name, and the zone.
func (d *declared) find(name string) (block int, zone definition.Name) {
	for i, s := range d.blocks {
		if z := s.zones.Set().Of(definition.Name(name)); len(z) > len(zone) {
			block, zone = i, z
		}
	}
	return block, zone
}

// lookup answers as the server would. Where the zone is not served whole, there
// may be more of it behind the plugin: a domain or service is not there as long
// as it is not declared, but a host may have its addresses elsewhere.
func (d *declared) lookup(name string, qtype uint16) delivery.Answer {
	block, zone := d.find(name)
	if zone == "" {
		return delivery.Answer{Status: delivery.Elsewhere}
	}
	match, a := d.tables[block].Lookup(name, qtype)
	switch {
	case len(a.RRs) > 0:
		return delivery.Answer{Status: delivery.Found, RRs: a.RRs}
	case a.Rcode == dns.RcodeNameError:
		return delivery.Answer{Status: delivery.NoName}
	case match != table.Data && isAddress(qtype):
		return delivery.Answer{Status: delivery.Elsewhere}
	case match == table.None && name != string(zone):
		return delivery.Answer{Status: delivery.NoName}
	}
	return delivery.Answer{Status: delivery.NoData}
}

func isAddress(qtype uint16) bool { return qtype == dns.TypeA || qtype == dns.TypeAAAA }

// passedOn reports whether the server would ask the plugin behind.
func (d *declared) passedOn(name string, qtype uint16) bool {
	block, zone := d.find(name)
	match, _ := d.tables[block].Lookup(name, qtype)
	return zone != "" && match != table.Data
}

// knows returns an error if a name is in none of the zones.
func (d *declared) knows(name string) error {
	if _, zone := d.find(name); zone != "" {
		return nil
	}
	var zones definition.Zones
	for _, s := range d.blocks {
		zones = append(zones, s.zones...)
	}
	return fmt.Errorf("%s is in none of the zones of %s: %s", name, d.name, listZones(zones))
}

// live are the answers of a DNS server.
type live struct {
	addr string

	mu      sync.Mutex
	known   map[dns.Question]delivery.Answer
	answers bool  // it has answered once
	err     error // of the last question that it did not
}

const (
	dnsPort  = "53"
	patience = 3 * time.Second
	tries    = 2

	// udpSize is what fits all usual networks (RFC 9715).
	udpSize = 1232
)

func newLive(addr string) *live {
	addr = strings.TrimPrefix(addr, "@") // as dig has it
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), dnsPort)
	}
	return &live{addr: addr, known: map[dns.Question]delivery.Answer{}}
}

// system returns the resolver of this machine.
func system() (*live, error) {
	conf, err := dns.ClientConfigFromFile(resolvConf)
	if err != nil || len(conf.Servers) == 0 {
		return nil, fmt.Errorf("no DNS server in %s", resolvConf)
	}
	return newLive(net.JoinHostPort(conf.Servers[0], cmp.Or(conf.Port, dnsPort))), nil
}

func (l *live) String() string { return "the answers of " + l.addr }

func (l *live) failed() error {
	if l.answers || l.err == nil {
		return nil
	}
	host, port, _ := net.SplitHostPort(l.addr)
	return withHint(fmt.Errorf("%s does not answer: %v", l.addr, cause(l.err)), "dig @%s -p %s", host, port)
}

func (l *live) lookup(name string, qtype uint16) delivery.Answer {
	q := dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}
	l.mu.Lock()
	a, ok := l.known[q]
	l.mu.Unlock()
	if ok {
		return a
	}
	a, err := l.ask(q)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[q] = a
	if err != nil {
		l.err = err
	} else {
		l.answers = true
	}
	return a
}

// ask sends one question, again over TCP if the answer is truncated.
func (l *live) ask(q dns.Question) (delivery.Answer, error) {
	m := new(dns.Msg).SetQuestion(q.Name, q.Qtype)
	m.SetEdns0(udpSize, false)
	r, err := l.exchange("udp", m)
	if err == nil && r.Truncated {
		r, err = l.exchange("tcp", m)
	}
	switch {
	case err != nil:
		return delivery.Answer{Status: delivery.Failed}, err
	case r.Rcode == dns.RcodeSuccess && len(r.Answer) > 0:
		return delivery.Answer{Status: delivery.Found, RRs: r.Answer}, nil
	case r.Rcode == dns.RcodeSuccess:
		return delivery.Answer{Status: delivery.NoData}, nil
	case r.Rcode == dns.RcodeNameError: // of the last name, if there are aliases
		return delivery.Answer{Status: delivery.NoName, RRs: r.Answer}, nil
	case r.Rcode == dns.RcodeRefused:
		return delivery.Answer{Status: delivery.Elsewhere}, nil
	}
	return delivery.Answer{Status: delivery.Failed}, nil
}

func (l *live) exchange(network string, m *dns.Msg) (r *dns.Msg, err error) {
	c := dns.Client{Net: network, Timeout: patience, UDPSize: udpSize}
	for range tries {
		if r, _, err = c.Exchange(m, l.addr); err == nil {
			return r, nil
		}
	}
	return nil, err
}

// cause returns an error of a connection without its two ends.
func cause(err error) error {
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		return fmt.Errorf("nothing came in %v", tries*patience)
	}
	if e := syscall.Errno(0); errors.As(err, &e) {
		return e
	}
	return err
}
