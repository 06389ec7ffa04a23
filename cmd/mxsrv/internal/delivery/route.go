// Package delivery says where mail and clients go: the two algorithms by which
// MX and SRV records are used, without sending or connecting anything.
//
// [Route] plans the delivery of mail to a domain (RFC 5321 §5.1): which hosts a
// sender tries, in which order, which it must not try because it is one of them,
// and where the mail ends. [Order] is the selection of RFC 2782 by which a client
// orders the targets of a service; [Pick] plays it many times, and [Shares] is
// what the weights promise.
//
// All of it is a function of its arguments: DNS is asked by a [Lookup] that the
// caller brings, and chance comes from the caller's random numbers.
//
// # Limitations
//
// A host is up or down; greylisting, full disks and the like are not planned
// for. Routes that a sender is configured with, and address literals
// (user@[192.0.2.1]), do not go by DNS and are not known here.
package delivery

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A Sender is the mail server that has the mail.
type Sender struct {
	Host string          // its name; empty: one that is no exchange of the domain
	Down func(Host) bool // whether it cannot reach a host
}

// An Exchange is a host that takes mail for a domain.
type Exchange struct {
	Host
	Preference uint16
	Down       bool
}

// A Drop is an exchange that is not tried, and why.
type Drop struct {
	Exchange
	Why string
}

// A Result is where mail ends.
type Result int

const (
	Unknown   Result = iota // who was asked does not know the domain
	Delivered               // an exchange takes it
	Waits                   // it stays in the queue of the sender, which tries again
	Bounces                 // it goes back to its author
)

// A Plan is what a sender does with mail to a domain, and why.
type Plan struct {
	Domain   string
	Aliases  []string   // what the domain is an alias of, one after the other; the last has the MX records
	Implicit bool       // there are no MX records, and the domain itself is the exchange
	MX       []Exchange // by preference, then name
	Dropped  []Drop     // in the same order
	Attempts []Exchange // what is left, in the same order; those of equal preference in random order

	Result      Result
	To          []Exchange // if it is delivered: one of these gets it, which one is chance
	Code        string     // if it bounces: the enhanced status code, RFC 3463
	Explanation string     // the result in plain words
}

// Route plans the delivery of mail to a domain as RFC 5321 §5.1 says:
//
//   - a domain that is an alias stands for the domain that it is an alias of;
//   - without MX records the domain is its own exchange, of preference 0;
//   - a single MX record with "." says that the domain takes no mail (RFC 7505);
//   - exchanges are sorted by preference, and those of equal preference tried
//     in random order;
//   - if the sender is an exchange itself, by name or by address, then it and
//     all exchanges of its preference and above are dropped, which keeps mail
//     from going in circles. If nothing is left, that is an error;
//   - mail waits while what is left is down, and bounces if there is nothing
//     that could come up.
func Route(domain string, look Lookup, from Sender) *Plan {
	p := &planner{Plan: &Plan{Domain: plain(domain)}, look: look, from: from}
	p.route()
	return p.Plan
}

type planner struct {
	*Plan
	look Lookup
	from Sender
}

func (p *planner) route() {
	mx, aliases := p.look.Follow(p.Domain, dns.TypeMX)
	p.Aliases = aliases
	domain := p.Domain
	if len(aliases) > 0 {
		domain = aliases[len(aliases)-1]
	}
	switch {
	case len(aliases) > maxAliases:
		p.bounce("5.4.4", "%s is an alias of an alias and so on, without end", p.Domain)
	case mx.Status == Failed:
		p.wait("DNS has no answer for %s now: the mail stays in the queue, and DNS is asked again (RFC 5321 §5.1)", domain)
	case mx.Status == Elsewhere:
		p.Explanation = fmt.Sprintf("%s is not for this source of answers to know", domain)
	case mx.Status == NoName:
		p.bounce("5.1.2", "there is no domain %s (RFC 5321 §5.1)", domain)
	case mx.Status == NoData:
		p.implicit(domain)
	case isNull(mx.RRs):
		p.MX = []Exchange{p.exchange(mx.RRs[0].(*dns.MX))}
		p.bounce("5.1.10", "%s takes no mail: it has a null MX, which is there to say so (RFC 7505)", domain)
	default:
		p.explicit(mx.RRs)
	}
}

func isNull(mx []dns.RR) bool { return len(mx) == 1 && mx[0].(*dns.MX).Mx == "." }

func (p *planner) exchange(mx *dns.MX) Exchange {
	return p.withState(Exchange{Host: p.look.Host(mx.Mx), Preference: mx.Preference})
}

func (p *planner) withState(e Exchange) Exchange {
	e.Down = e.Status == Failed || p.from.Down != nil && p.from.Down(e.Host)
	return e
}

// implicit goes on where there are no MX records: "the address is treated as
// if it was associated with an implicit MX RR, with a preference of 0, pointing
// to that host" (RFC 5321 §5.1).
func (p *planner) implicit(domain string) {
	e := p.withState(Exchange{Host: p.look.Host(domain)})
	if len(e.Addrs) == 0 && e.Status != Failed {
		p.bounce("5.4.4", "%s has neither MX records nor an address (RFC 5321 §5.1)", domain)
		return
	}
	p.Implicit = true
	p.MX = []Exchange{e}
	p.plan()
}

func (p *planner) explicit(mx []dns.RR) {
	for _, rr := range mx {
		p.MX = append(p.MX, p.exchange(rr.(*dns.MX)))
	}
	slices.SortStableFunc(p.MX, func(a, b Exchange) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), strings.Compare(a.Name, b.Name))
	})
	p.plan()
}

// plan decides what is tried of the exchanges, and where that ends.
func (p *planner) plan() {
	self := p.self()
	for _, e := range p.MX {
		if why := p.why(e, self); why != "" {
			p.Dropped = append(p.Dropped, Drop{e, why})
		} else {
			p.Attempts = append(p.Attempts, e)
		}
	}
	switch reached := p.reached(); {
	case reached != nil:
		p.deliver(reached)
	case len(p.Attempts) > 0:
		p.wait("%s: the mail stays in the queue and is tried again, for 4 to 5 days (RFC 5321 §4.5.4.1)", p.allDown())
	case self != nil:
		p.onlyMe(self)
	default:
		p.bounce("5.4.4", "no exchange of %s has an address (RFC 5321 §5.1)", p.Domain)
	}
}

// self returns the first exchange that the sender itself is, "by any of the
// names or addresses by which it might be known" (RFC 5321 §5.1).
func (p *planner) self() *Exchange {
	if p.from.Host == "" {
		return nil
	}
	me := p.look.Host(p.from.Host)
	i := slices.IndexFunc(p.MX, func(e Exchange) bool {
		return e.Name == me.Name || slices.ContainsFunc(e.Addrs, func(a netip.Addr) bool { return slices.Contains(me.Addrs, a) })
	})
	if i < 0 {
		return nil
	}
	return &p.MX[i]
}

// why says why an exchange is not tried; it is empty if it is.
func (p *planner) why(e Exchange, self *Exchange) string {
	switch {
	case self != nil && e.Name == self.Name && e.Preference == self.Preference:
		if e.Name == plain(p.from.Host) {
			return "it is the sender itself"
		}
		return "it has an address of the sender, and so is the sender itself"
	case self != nil && e.Preference == self.Preference:
		return fmt.Sprintf("its preference is that of the sender, %d", self.Preference)
	case self != nil && e.Preference > self.Preference:
		return fmt.Sprintf("its preference is above that of the sender, %d", self.Preference)
	case e.Name == ".":
		return "a null MX is no host, and must be alone (RFC 7505 §3)"
	case e.Status == NoName:
		return "there is no such host"
	case e.Status == NoData:
		return "it has no address"
	}
	return ""
}

// Groups returns the parts of equal preference of sorted exchanges.
func Groups(exchanges []Exchange) [][]Exchange {
	return groups(exchanges, func(a, b Exchange) bool { return a.Preference == b.Preference })
}

// groups cuts sorted values where one differs from the first of its part.
func groups[T any](sorted []T, same func(a, b T) bool) [][]T {
	var parts [][]T
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && same(sorted[0], sorted[n]) {
			n++
		}
		parts = append(parts, sorted[:n:n])
		sorted = sorted[n:]
	}
	return parts
}

// reached returns the exchanges that are up among the first ones tried of which
// any is.
func (p *planner) reached() []Exchange {
	for _, group := range Groups(p.Attempts) {
		up := slices.DeleteFunc(slices.Clone(group), func(e Exchange) bool { return e.Down })
		if len(up) > 0 {
			return up
		}
	}
	return nil
}
