package lint

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A target is a name that a declaration points to.
type target struct {
	pos         definition.Pos
	kind        string // as messages call it
	owner, host definition.Name
}

func (t target) names() []definition.Name { return []definition.Name{t.owner, t.host} }

// isHost reports whether a target must be a host. Those of aliases and of PTR records may be any name, and those of SVCB
// and HTTPS records an alias (RFC 9460 §2.4.2).
func (t target) isHost() bool { return t.kind != ofBinding && !t.mayDangle() }

// mayDangle reports whether a target is no error where it does not exist: the answers of aliases say so (RFC 2308 §2.1),
// and those of PTR records need nothing of it.
func (t target) mayDangle() bool { return t.kind == ofAlias || t.kind == ofPointer }

// The kinds of targets.
const (
	ofMail    = "exchange"
	ofService = "target"
	ofZone    = "name server"
	ofAlias   = "alias"
	ofBinding = "SVCB or HTTPS target"
	ofPointer = "PTR target" // of an address, as it is written: PTR records of others may have a zone as target
)

// eachTarget calls f for every target.
func eachTarget(set *definition.Set, f func(target)) {
	for _, m := range set.Mails {
		for _, e := range m.Exchanges {
			f(target{e.Pos, ofMail, m.Owner, e.Host})
		}
	}
	for _, s := range set.Services {
		for _, t := range s.Targets {
			f(target{t.Pos, ofService, s.Owner, t.Host})
		}
	}
	for _, a := range set.Apexes {
		for _, s := range a.Servers {
			f(target{s.Pos, ofZone, a.Zone, s.Host})
		}
	}
	for _, a := range set.Aliases {
		f(target{a.Pos, ofAlias, a.Owner, a.Host})
	}
	for i := range set.Records {
		switch r := &set.Records[i]; {
		case r.Type == dns.TypePTR && !r.Derived && r.Owner.IsReverse():
			f(target{r.Pos, ofPointer, r.Owner, r.Host()})
		case r.Target() != "":
			f(target{r.Pos, kindOf(r), r.Owner, r.Target()})
		}
	}
}

func kindOf(r *definition.Record) string {
	if r.Type == dns.TypeNS {
		return ofZone
	}
	return ofBinding
}

// targetAlias returns the function of a rule that targets of one kind must not be aliases.
func targetAlias(kind string) func(*pass) {
	return func(p *pass) {
		eachTarget(p.set, func(t target) {
			if t.kind != kind {
				return
			}
			if o := p.index.At(t.host); len(o.Aliases()) > 0 {
				p.report(t.pos, t.names(),
					"%s %s of %s is an alias: write %s", t.kind, t.host, t.owner, o.Aliases()[0].Host)
			}
		})
	}
}

func targetUndefined(p *pass) {
	eachTarget(p.set, func(t target) {
		if p.isDefined(t) || p.isElsewhere(t) {
			return
		}
		switch once, twice := p.zoneTwice(t.host); {
		case !t.isHost() && t.host[0] == '_': // it has other records than addresses
		case twice: // final-dot-missing says more
		case p.requiresTarget(t):
			severity := Error
			if t.mayDangle() {
				severity = Warning
			}
			p.reportAs(severity, t.pos, t.names(), "%s of %s is %s, which does not exist: %s", t.kind, t.owner, t.host, declare(t.host, once))
		case p.endsInZones(once) || strings.Contains(firstLabel(t.host), "_"): // other rules warn of these
		default:
			p.report(t.pos, t.names(), "%s of %s is %s, which has no addresses here: %s; "+
				"right only if the next plugin has them", t.kind, t.owner, t.host, declare(t.host, once))
		}
	})
}

// declare says how to write a host that is not declared. If it has several labels before its zone, which are once, its
// final dot was forgotten more often than its declaration.
func declare(host, once definition.Name) string {
	if strings.Count(string(once), ".") > 1 {
		return fmt.Sprintf("write %q with its final dot if it is elsewhere, or \"host %s ADDRESS...\"", once, host)
	}
	return fmt.Sprintf("write \"host %s ADDRESS...\", or a final dot if it is elsewhere", host)
}

// isElsewhere reports whether others have the addresses of a target: it is outside the zones, or in a delegated one. A
// delegation needs those of its own name servers.
func (p *pass) isElsewhere(t target) bool {
	cut := p.cut(t.host)
	return p.zones.Of(t.host) == "" || cut != "" && (t.kind != ofZone || t.owner != cut)
}

// isDefined reports whether a target is declared. That of an alias may be any
// name. Where another target is an alias another rule says so.
func (p *pass) isDefined(t target) bool {
	o := p.index.At(t.host)
	if o.Name() == "" {
		o = p.wildcardFor(t.host)
	}
	return len(o.Hosts()) > 0 || len(o.Aliases()) > 0 || !t.isHost() && o.Name() != ""
}

// wildcardFor returns the closest wildcard that a name may get its records from. That a name between exists, so that
// the wildcard is not for this one, is no matter here.
func (p *pass) wildcardFor(name definition.Name) (o definition.Owner) {
	for zone := p.zones.Of(name); zone != "" && name != zone && o.Name() == ""; {
		name = name.Parent()
		o = p.index.At(name.Wildcard())
	}
	return o
}

// requiresTarget reports whether nobody but us can declare a target, and no fragment may do so later.
func (p *pass) requiresTarget(t target) bool {
	return !p.opt.OptionalTargets && (p.opt.OnlySource || p.authoritative(t.host))
}

// authoritative reports whether nobody but us can declare a name.
func (p *pass) authoritative(name definition.Name) bool {
	return p.index.At(p.zones.Of(name)).Apex() != nil && p.fallsThrough.Of(name) == ""
}
