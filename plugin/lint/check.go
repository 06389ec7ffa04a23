package lint

import (
	"net/netip"
	"slices"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func checkConflict(p *pass) {
	for o := range p.index.Owners() {
		checks(p, o, "mail domain", o.Mails(), func(m *definition.Mail) *definition.Check { return m.Check })
		checks(p, o, "service", o.Services(), func(s *definition.Service) *definition.Check { return s.Check })
	}
}

// checks reports that declarations of one kind do not agree on the check of the targets of an owner. Those that say
// none agree with all.
func checks[D declaration](p *pass, o definition.Owner, kind string, declared []D, of func(D) *definition.Check) {
	level := func(d D) int {
		if of(d) != nil {
			return 1
		}
		return 0
	}
	value := func(d D) definition.Check {
		if c := of(d); c != nil {
			return *c
		}
		return definition.Check{}
	}
	if c, ok := contradict(p, declared, level, value); ok {
		p.reportAs(c.severity, c.last.Header().Pos, []definition.Name{o.Name()}, "%s %s has check %v here and %v at %s: "+
			"write one check, in one place", kind, o.Name(), value(c.last), value(c.first), c.first.Header().Pos)
	}
}

// A pointedSet is the MX or SRV records of a name.
type pointedSet struct {
	owner   definition.Owner
	pos     definition.Pos // of the first declaration that says a check, else of the first
	kind    string         // of its targets, as messages call it
	mail    bool           // it is hidden of as of mail
	check   definition.Check
	ttl     uint32
	targets []definition.Target // by priority
}

// pointed goes through the MX and SRV records of all names that match, and have targets.
func (p *pass) pointed(match func(definition.Check) bool) func(func(pointedSet) bool) {
	made := make(map[*definition.Exchange][]definition.Target) // names share exchanges, mostly
	return func(yield func(pointedSet) bool) {
		for o := range p.index.Owners() {
			if c := o.MailCheck(); len(o.Mails()) > 0 && match(c) && len(o.Exchanges()) > 0 {
				s := pointedSet{o, posOf(o.Mails()), ofMail, true, c, o.MailTTL(), targetsOf(made, o.Exchanges())}
				if !yield(s) {
					return
				}
			}
			if c := o.ServiceCheck(); len(o.Services()) > 0 && match(c) && len(o.Targets()) > 0 {
				_, isSMTP := definition.SMTPDomain(o.Name())
				s := pointedSet{o, posOf(o.Services()), ofService, isSMTP, c, o.ServiceTTL(), o.Targets()}
				if !yield(s) {
					return
				}
			}
		}
	}
}

// checked goes through the records whose targets are checked, each set of exchanges once: not again as srv publishes it.
func (p *pass) checked(yield func(pointedSet) bool) {
	isChecked := func(m definition.Mail) bool { return m.Check != nil }
	if !slices.ContainsFunc(p.set.Mails, isChecked) &&
		!slices.ContainsFunc(p.set.Services, func(s definition.Service) bool { return s.Check != nil }) {
		return
	}
	for s := range p.pointed(func(c definition.Check) bool { return c != definition.Check{} }) {
		if p.isPublished(s) {
			continue
		}
		if !yield(s) {
			return
		}
	}
}

// isPublished reports whether srv in a mail domain says a service.
func (p *pass) isPublished(s pointedSet) bool {
	domain, ok := definition.SMTPDomain(s.owner.Name())
	if !ok || s.kind != ofService {
		return false
	}
	mails := p.index.At(domain).Mails()
	return slices.ContainsFunc(mails, func(m *definition.Mail) bool { return m.SRV })
}

// posOf returns where the check of a name is said, or where that is declared.
func posOf[D interface {
	declaration
	*definition.Mail | *definition.Service
}](declared []D) definition.Pos {
	says := func(d D) bool {
		switch d := any(d).(type) {
		case *definition.Mail:
			return d.Check != nil
		case *definition.Service:
			return d.Check != nil
		}
		return false
	}
	return declared[max(0, slices.IndexFunc(declared, says))].Header().Pos
}

func targetsOf(made map[*definition.Exchange][]definition.Target, exchanges []definition.Exchange) []definition.Target {
	targets, ok := made[&exchanges[0]]
	if !ok {
		for _, e := range exchanges {
			targets = append(targets, definition.Target{Pos: e.Pos, Priority: e.Preference, Port: definition.SMTPPort, Host: e.Host})
		}
		made[&exchanges[0]] = targets
	}
	return targets
}

// slowest returns the TTL above which clients learn what a check finds much later than it is found. A minute is soon
// enough for all: below that, the queries cost more than they gain.
func (o *Options) slowest() time.Duration {
	detection := o.Detection
	if detection == 0 {
		detection = 30 * time.Second
	}
	return max(time.Minute, 6*detection)
}

func checkTTLLong(p *pass) {
	for s := range p.checked {
		if ttl := time.Duration(s.ttl) * time.Second; ttl > p.opt.slowest() && p.mayHide(s) {
			p.report(s.pos, []definition.Name{s.owner.Name()}, "%ss of %s are checked, and have ttl %d, for which resolvers "+
				"keep what is down: write ttl %.0f into the block, or less", s.kind, s.owner.Name(), s.ttl, p.opt.slowest().Seconds())
		}
	}
}

func checkSingle(p *pass) {
	for s := range p.checked {
		if p.mayHide(s) {
			continue
		}
		why := "there is no other that is probed"
		if s.mail {
			why = "none has another of its preference that is probed, and only such a one takes its place, so that no mail is lost"
		}
		p.report(s.pos, []definition.Name{s.owner.Name()}, "%ss of %s are checked, and none is ever left out: %s: "+
			"add one, or delete the check if it is not for its metrics", s.kind, s.owner.Name(), why)
	}
}

func checkAlonePrimary(p *pass) {
	for s := range p.checked {
		first := s.targets[0]
		isAlone := len(s.targets) == 1 || s.targets[1].Priority != first.Priority
		if s.mail && isAlone && p.mayHide(s) && p.isProbed(first) {
			p.report(first.Pos, []definition.Name{s.owner.Name(), first.Host}, "exchange %s of %s is the only one of the lowest "+
				"preference, and stays in the answers while it is down, as otherwise the next one would return mail: "+
				"add another with preference %d", first.Host, s.owner.Name(), first.Priority)
		}
	}
}

func checkTargetUnknown(p *pass) {
	for s := range p.checked {
		for _, t := range s.targets {
			at := target{t.Pos, s.kind, s.owner.Name(), t.Host}
			if addrs := p.unprobed(t.Host); len(addrs) > 0 {
				p.report(t.Pos, at.names(), "%s %s of %s is never found down, for its address %v is not probed: it is special, or "+
					"only fragments declare it: write \"probe %v\" into the block of checks, if that is meant",
					s.kind, t.Host, s.owner.Name(), addrs[0], netip.PrefixFrom(addrs[0], addrs[0].BitLen()))
			} else if !p.isProbed(t) && p.isElsewhere(at) { // else target-undefined says it
				p.report(t.Pos, at.names(), "%s %s of %s is not probed, for its addresses are not declared here: "+
					"declare it, or check names that have hosts of these zones alone", s.kind, t.Host, s.owner.Name())
			}
		}
	}
}

// isProbed reports whether an address of a target is probed.
func (p *pass) isProbed(t definition.Target) bool {
	return len(p.index.At(t.Host).Addrs()) > len(p.unprobed(t.Host))
}

// unprobed returns the addresses of a host that may not be probed.
func (p *pass) unprobed(host definition.Name) []netip.Addr {
	if p.opt.Probed == nil {
		return nil
	}
	addrs, ok := p.notProbed[host]
	if !ok {
		o := p.index.At(host)
		for _, addr := range o.Addrs() {
			if !p.opt.Probed(o, addr, p.opt.Fragment) {
				addrs = append(addrs, addr)
			}
		}
		if p.notProbed == nil {
			p.notProbed = make(map[definition.Name][]netip.Addr)
		}
		p.notProbed[host] = addrs
	}
	return addrs
}

// mayHide reports whether a verdict can leave anything out: a target of which another takes the place, or an address of
// a host that has more.
func (p *pass) mayHide(s pointedSet) bool {
	probed := slices.DeleteFunc(slices.Clone(s.targets), func(t definition.Target) bool { return !p.isProbed(t) })
	for i, t := range probed {
		if i > 0 && (!s.mail || t.Priority == probed[i-1].Priority) || p.hasSpareAddress(t.Host) {
			return true
		}
	}
	return false
}

// hasSpareAddress reports whether a host has several addresses of a family that are probed.
func (p *pass) hasSpareAddress(host definition.Name) bool {
	isUnprobed := func(a netip.Addr) bool { return slices.Contains(p.unprobed(host), a) }
	addrs := slices.DeleteFunc(slices.Clone(p.index.At(host).Addrs()), isUnprobed)
	for i := 1; i < len(addrs); i++ { // which are sorted
		if addrs[i].Is4() == addrs[i-1].Is4() {
			return true
		}
	}
	return false
}

func drainUseless(p *pass) {
	if len(p.set.Drains) == 0 {
		return
	}
	pointed, hidden := definition.Names{}, definition.Names{}
	for s := range p.pointed(func(definition.Check) bool { return true }) {
		for _, t := range s.targets {
			if p.index.Drained(t.Host) {
				pointed[t.Host] = true
				hidden[t.Host] = hidden[t.Host] || p.takesPlace(s, t)
			}
		}
	}
	for i := range p.set.Drains {
		d := &p.set.Drains[i]
		switch names := []definition.Name{d.Owner}; {
		case !pointed[d.Owner]:
			p.report(d.Pos, names, "drain %s: no mail domain and no service has it: correct the name, or delete it", d.Owner)
		case !hidden[d.Owner]:
			p.report(d.Pos, names, "drain %s: it stays in all answers, for no other target of its priority takes its place: "+
				"add one, or delete the line", d.Owner)
		}
	}
}

// takesPlace reports whether others take the place of a target that is drained.
func (p *pass) takesPlace(s pointedSet, drained definition.Target) bool {
	return slices.ContainsFunc(s.targets, func(t definition.Target) bool {
		isChecked := s.check != definition.Check{} && p.isProbed(t)
		return !p.index.Drained(t.Host) && (t.Priority == drained.Priority || !s.mail && isChecked)
	})
}
