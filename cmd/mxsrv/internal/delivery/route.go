// Package delivery simulates what mail servers do with MX records and clients with SRV records, without connections to
// any of them.
//
// [Route] plans the delivery of mail to a domain (RFC 5321 §5.1): which hosts a sender tries, in which order, which it
// must not try because it is one of them, and where the mail ends. [Order] is the selection of RFC 2782 by which a
// client orders the targets of a service; [Pick] repeats it many times, and [Shares] is what the weights promise.
//
// Results depend on arguments only: the caller brings a [Lookup], and random numbers.
//
// # Limitations
//
// A host is up or down: there is no greylisting, no full disk. Routes that a sender is configured with, and address
// literals (user@[192.0.2.1]), do not use DNS and are not supported.
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
	Host string          // its name; "": one that is no exchange of the domain
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
	Unknown   Result = iota // the domain is in none of the zones that the answers are about
	Delivered               // an exchange takes it
	Waits                   // it stays in the queue of the sender, which tries again
	Bounces                 // it goes back to its author
)

// A Plan is what a sender does with mail to a domain, and why.
type Plan struct {
	Domain   string
	Aliases  []string   // what the domain is an alias of, one after the other; the last one has the MX records
	Implicit bool       // there are no MX records, and the domain itself is the exchange
	MX       []Exchange // by preference, then name
	Dropped  []Drop     // in the same order
	Attempts []Exchange // the others, in the same order; those of equal preference are tried in random order

	Result      Result
	To          []Exchange // if it is delivered: one of these gets it, by chance
	Code        string     // if it bounces: the enhanced status code (RFC 3463)
	Explanation string     // why
}

// Route plans the delivery of mail to a domain as RFC 5321 §5.1 says:
//
//   - a domain that is an alias stands for the domain that it is an alias of;
//   - without MX records the domain is its own exchange, of preference 0;
//   - a single MX record with "." says that the domain takes no mail (RFC 7505);
//   - exchanges are sorted by preference, and those of equal preference tried in random order;
//   - if the sender is an exchange itself, by name or by address, then it and all exchanges of its preference and above
//     are dropped, which keeps mail from going in circles. If nothing is left, that is an error;
//   - mail waits while what is left is down, and bounces if there is nothing that could come up.
func Route(domain string, look Lookup, from Sender) *Plan {
	p := &planner{Plan: &Plan{Domain: plain(domain)}, look: look, from: from}
	p.route()
	return p.Plan
}

// MailDomain returns the name that the MX records belong to.
func (p *Plan) MailDomain() string {
	if n := len(p.Aliases); n > 0 {
		return p.Aliases[n-1]
	}
	return p.Domain
}

type planner struct {
	*Plan
	look Lookup
	from Sender
}

func (p *planner) route() {
	mx, aliases := p.look.Follow(p.Domain, dns.TypeMX)
	p.Aliases = aliases
	domain := p.MailDomain()
	switch {
	case len(aliases) > maxAliases:
		p.bounce("5.4.4", "%s is an alias of an alias and so on, without end", p.Domain)
	case mx.Status == Failed:
		p.wait("DNS has no answer for %s now: the mail stays in the queue, and DNS is asked again (RFC 5321 §5.1)", domain)
	case mx.Status == Elsewhere:
		p.Explanation = domain + " is in none of the zones that these answers are about"
	case mx.Status == NoName:
		p.bounce("5.1.2", "there is no domain %s (RFC 5321 §5.1)", domain)
	case mx.Status == NoData:
		p.implicit(domain)
	case isNull(mx.RRs):
		p.MX = []Exchange{p.exchange(mx.RRs[0].(*dns.MX))}
		p.bounce("5.1.10", "%s takes no mail: it has a null MX (RFC 7505)", domain)
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

// implicit plans without MX records: "the address is treated as if it was associated with an implicit MX RR, with a
// preference of 0, pointing to that host" (RFC 5321 §5.1).
func (p *planner) implicit(domain string) {
	e := p.withState(Exchange{Host: p.look.Host(domain)})
	if len(e.Addrs) == 0 && e.Status != Failed {
		p.bounce("5.4.4", "%s has neither MX records nor an address (RFC 5321 §5.1)", domain)
		return
	}
	p.Implicit, p.MX = true, []Exchange{e}
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
		p.wait("%s: the mail stays in the queue and is tried again, for 4 to 5 days (RFC 5321 §4.5.4.1)", p.allDown(self))
	case self != nil:
		p.bounceSelf(self)
	default:
		p.bounce("5.4.4", "no exchange of %s has an address (RFC 5321 §5.1)", p.Domain)
	}
}

// self returns the first exchange that the sender itself is, "by any of the names or addresses by which it might be
// known" (RFC 5321 §5.1).
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

// why returns why an exchange is not tried, or "".
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
func Groups(exchanges []Exchange) (groups [][]Exchange) {
	start := 0
	for i := range exchanges {
		if next := i + 1; next == len(exchanges) || exchanges[next].Preference != exchanges[start].Preference {
			groups, start = append(groups, exchanges[start:next:next]), next
		}
	}
	return groups
}

// reached returns the exchanges that are up of the lowest preference of which any is.
func (p *planner) reached() (up []Exchange) {
	for _, e := range p.Attempts {
		if !e.Down && (up == nil || e.Preference == up[0].Preference) {
			up = append(up, e)
		}
	}
	return up
}
