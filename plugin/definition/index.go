package definition

import (
	"cmp"
	"net/netip"
	"slices"
)

// An Owner is all that is declared of one name.
type Owner struct {
	Name     Name
	Hosts    []*Host
	Mails    []*Mail
	Services []*Service
	Aliases  []*Alias
}

// An Index shows a set owner by owner.
type Index struct {
	Owners []*Owner // in the order of their first declaration
	byName map[Name]*Owner
}

// At returns what is declared of a name, or nil.
func (x *Index) At(n Name) *Owner { return x.byName[n] }

// Index brings the declarations of each owner together. It adds the services
// that mail domains with SRV publish: the same exchanges as _smtp._tcp, weight
// 0, port 25.
func (s *Set) Index() *Index {
	x := &Index{byName: make(map[Name]*Owner, len(s.Hosts)+len(s.Mails)+len(s.Services)+len(s.Aliases))}
	for i := range s.Hosts {
		o := x.owner(s.Hosts[i].Owner)
		o.Hosts = append(o.Hosts, &s.Hosts[i])
	}
	for i := range s.Mails {
		o := x.owner(s.Mails[i].Owner)
		o.Mails = append(o.Mails, &s.Mails[i])
	}
	for i := range s.Services {
		o := x.owner(s.Services[i].Owner)
		o.Services = append(o.Services, &s.Services[i])
	}
	for i := range s.Aliases {
		o := x.owner(s.Aliases[i].Owner)
		o.Aliases = append(o.Aliases, &s.Aliases[i])
	}
	for _, o := range x.Owners {
		x.addSMTP(o)
	}
	return x
}

func (x *Index) owner(n Name) *Owner {
	o := x.byName[n]
	if o == nil {
		o = &Owner{Name: n}
		x.byName[n] = o
		x.Owners = append(x.Owners, o)
	}
	return o
}

const smtpPort = 25

// addSMTP declares the service of a mail domain that asks for it, from all its
// exchanges, wherever they were declared.
func (x *Index) addSMTP(o *Owner) {
	i := slices.IndexFunc(o.Mails, func(m *Mail) bool { return m.SRV })
	if i < 0 {
		return
	}
	name, err := ParseName("_smtp._tcp", o.Name)
	if err != nil {
		return // the reader has refused it
	}
	v := &Service{Pos: o.Mails[i].Pos, Owner: name, TTL: o.Mails[i].TTL}
	for _, e := range o.Exchanges() {
		v.Targets = append(v.Targets, Target{e.Pos, e.Preference, 0, smtpPort, e.Host})
	}
	s := x.owner(name)
	s.Services = append(s.Services, v)
}

// Addrs returns the addresses of a host, sorted, each once.
func (o *Owner) Addrs() []netip.Addr {
	var all []netip.Addr
	for _, h := range o.Hosts {
		all = append(all, h.Addrs...)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// Exchanges returns the exchanges of a mail domain, each once, by ascending
// preference, then name.
func (o *Owner) Exchanges() []Exchange {
	var all []Exchange
	for _, m := range o.Mails {
		all = append(all, m.Exchanges...)
	}
	byPreference := func(a, b Exchange) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(a.Host, b.Host))
	}
	slices.SortStableFunc(all, byPreference)
	return slices.CompactFunc(all, func(a, b Exchange) bool { return byPreference(a, b) == 0 })
}

// Targets returns the targets of a service, each once, by ascending priority,
// then descending weight, then name.
func (o *Owner) Targets() []Target {
	var all []Target
	for _, v := range o.Services {
		all = append(all, v.Targets...)
	}
	byPriority := func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
			cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
	}
	slices.SortStableFunc(all, byPriority)
	return slices.CompactFunc(all, func(a, b Target) bool { return byPriority(a, b) == 0 })
}

// HostTTL, MailTTL, ServiceTTL and AliasTTL return the TTL in seconds of the
// records that the declarations of a kind mean, and whether these agree on it.
func (o *Owner) HostTTL() (uint32, bool) { return common(o.Hosts, func(h *Host) TTL { return h.TTL }) }
func (o *Owner) MailTTL() (uint32, bool) { return common(o.Mails, func(m *Mail) TTL { return m.TTL }) }
func (o *Owner) ServiceTTL() (uint32, bool) {
	return common(o.Services, func(v *Service) TTL { return v.TTL })
}
func (o *Owner) AliasTTL() (uint32, bool) {
	return common(o.Aliases, func(a *Alias) TTL { return a.TTL })
}

// common returns the one TTL that declarations of the same records mean, and
// whether they agree on it: an own TTL goes before defaults. If they do not
// agree it is the lowest (RFC 2181 §5.2).
func common[D any](declared []D, ttl func(D) TTL) (seconds uint32, agree bool) {
	var chosen TTL
	agree = true
	for i, d := range declared {
		t := ttl(d)
		switch {
		case i == 0, t.Own && !chosen.Own:
			chosen, agree = t, true
		case t.Own == chosen.Own && t.Seconds != chosen.Seconds:
			chosen.Seconds, agree = min(t.Seconds, chosen.Seconds), false
		}
	}
	return chosen.Seconds, agree
}
