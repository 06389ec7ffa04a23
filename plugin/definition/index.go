package definition

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
)

// An Index shows a set owner by owner. The set may not change any more.
type Index struct {
	Set *Set

	numbers map[Name]uint32 // of the owners
	apexes  map[uint32]*Apex
	owners  []owned // by number, which is in the order of declaration; and one after the last

	// What is declared, owner after owner.
	hosts    []*Host
	mails    []*Mail
	services []*Service
	aliases  []*Alias
}

// owned is an owner, and where its declarations start: they go on to where
// those of the next owner do.
type owned struct {
	name                       Name
	host, mail, service, alias uint32
}

// An Owner is all that is declared of one name. Of the zero Owner nothing is.
type Owner struct {
	index  *Index
	number uint32
}

// Index brings the declarations of each owner together. It adds the services
// that mail domains with SRV publish: the same exchanges as _smtp._tcp, weight
// 0, port 25.
func (s *Set) Index() *Index {
	n := len(s.Hosts) + len(s.Mails) + len(s.Services) + len(s.Aliases)
	x := &Index{Set: s, numbers: make(map[Name]uint32, n), owners: make([]owned, 0, n+1)}
	x.addApexes()
	hosts := make([]uint32, len(s.Hosts))
	for i := range s.Hosts {
		hosts[i] = x.number(s.Hosts[i].Owner)
	}
	mails := make([]uint32, len(s.Mails))
	for i := range s.Mails {
		mails[i] = x.number(s.Mails[i].Owner)
	}
	services := make([]uint32, len(s.Services))
	for i := range s.Services {
		services[i] = x.number(s.Services[i].Owner)
	}
	aliases := make([]uint32, len(s.Aliases))
	for i := range s.Aliases {
		aliases[i] = x.number(s.Aliases[i].Owner)
	}

	x.mails = group(x, mails, func(i int) *Mail { return &s.Mails[i] }, func(o *owned) *uint32 { return &o.mail })
	smtp := x.smtp()
	for i := range smtp {
		services = append(services, x.number(smtp[i].Owner))
	}
	x.hosts = group(x, hosts, func(i int) *Host { return &s.Hosts[i] }, func(o *owned) *uint32 { return &o.host })
	x.aliases = group(x, aliases, func(i int) *Alias { return &s.Aliases[i] }, func(o *owned) *uint32 { return &o.alias })
	x.services = group(x, services, func(i int) *Service {
		if i < len(s.Services) {
			return &s.Services[i]
		}
		return &smtp[i-len(s.Services)]
	}, func(o *owned) *uint32 { return &o.service })
	x.owners = append(x.owners, owned{"",
		uint32(len(x.hosts)), uint32(len(x.mails)), uint32(len(x.services)), uint32(len(x.aliases))})
	return x
}

// addApexes makes the tops of zones owners. Of several for one zone the first
// counts.
func (x *Index) addApexes() {
	x.apexes = make(map[uint32]*Apex, len(x.Set.Apexes))
	for i := range x.Set.Apexes {
		n := x.number(x.Set.Apexes[i].Zone)
		if x.apexes[n] == nil {
			x.apexes[n] = &x.Set.Apexes[i]
		}
	}
}

// number returns the number of an owner, a new one if it has none.
func (x *Index) number(n Name) uint32 {
	i, ok := x.numbers[n]
	if !ok {
		i = uint32(len(x.owners))
		x.numbers[n] = i
		x.owners = append(x.owners, owned{name: n, mail: uint32(len(x.mails))})
	}
	return i
}

// group puts the declarations of one kind in the order of their owners and
// notes where those of each start.
func group[D any](x *Index, owners []uint32, declared func(i int) *D, start func(*owned) *uint32) []*D {
	if len(owners) == 0 {
		return nil
	}
	for _, o := range owners { // count, one owner later: the sums are the starts
		if int(o)+1 < len(x.owners) {
			*start(&x.owners[o+1])++
		}
	}
	for i := 1; i < len(x.owners); i++ {
		*start(&x.owners[i]) += *start(&x.owners[i-1])
	}
	all := make([]*D, len(owners))
	filled := make([]uint32, len(x.owners))
	for i, o := range owners {
		all[*start(&x.owners[o])+filled[o]] = declared(i)
		filled[o]++
	}
	return all
}

const smtpPort = 25

// smtp makes the services of the mail domains that ask for one, from all their
// exchanges, wherever these were declared.
func (x *Index) smtp() []Service {
	var services []Service
	made := make(map[*Exchange][]Target) // domains share exchanges, mostly
	for n := range uint32(len(x.owners)) {
		mails := x.mailsOf(n)
		i := slices.IndexFunc(mails, func(m *Mail) bool { return m.SRV })
		if i < 0 {
			continue
		}
		name, err := ParseName("_smtp._tcp", x.owners[n].name)
		if err != nil {
			continue // the reader has refused it
		}
		services = append(services, Service{
			Pos: mails[i].Pos, Owner: name, Targets: smtpTargets(made, exchanges(mails)), TTL: mailTTL(mails)})
	}
	return services
}

// mailTTL is MailTTL for what stands for a mail domain.
func mailTTL(mails []*Mail) TTL {
	seconds, _ := common(mails, func(m *Mail) TTL { return m.TTL })
	own := slices.ContainsFunc(mails, func(m *Mail) bool { return m.TTL.Own })
	return TTL{seconds, own}
}

// mailsOf is Mails before the index is complete.
func (x *Index) mailsOf(number uint32) []*Mail {
	end := uint32(len(x.mails))
	if int(number)+1 < len(x.owners) {
		end = x.owners[number+1].mail
	}
	return x.mails[x.owners[number].mail:end]
}

func smtpTargets(made map[*Exchange][]Target, exchanges []Exchange) []Target {
	if len(exchanges) == 0 {
		return nil
	}
	targets, ok := made[&exchanges[0]]
	if !ok {
		for _, e := range exchanges {
			targets = append(targets, Target{e.Pos, e.Preference, 0, smtpPort, e.Host})
		}
		made[&exchanges[0]] = targets
	}
	return targets
}

// Len returns the number of owners.
func (x *Index) Len() int { return len(x.owners) - 1 }

// Numbers returns the number of each owner: 0 to Len-1 in the order of [Index.Owners].
// It is the index's own map, which is large: whoever serves the owners may go on
// with it, and may add names under numbers from Len on, unseen by the index.
func (x *Index) Numbers() map[Name]uint32 { return x.numbers }

// Number returns the number of o.
func (o Owner) Number() uint32 { return o.number }

// Owners goes through all owners by number.
func (x *Index) Owners() iter.Seq[Owner] {
	return func(yield func(Owner) bool) {
		for i := range uint32(x.Len()) {
			if !yield(Owner{x, i}) {
				return
			}
		}
	}
}

// At returns what is declared of a name.
func (x *Index) At(n Name) Owner {
	if i, ok := x.numbers[n]; ok && int(i) < x.Len() {
		return Owner{x, i}
	}
	return Owner{}
}

// Name returns the name.
func (o Owner) Name() Name {
	if o.index == nil {
		return ""
	}
	return o.index.owners[o.number].name
}

// bounds returns where the declarations of o start and end.
func (o Owner) bounds() (start, end owned) {
	if o.index == nil {
		return owned{}, owned{}
	}
	return o.index.owners[o.number], o.index.owners[o.number+1]
}

// Apex returns the top of the zone that is served whole under this name, or nil.
func (o Owner) Apex() *Apex {
	if o.index == nil {
		return nil
	}
	return o.index.apexes[o.number]
}

// Hosts, Mails, Services and Aliases return what the name is declared as, in
// the order of declaration.
func (o Owner) Hosts() []*Host {
	if o.index == nil {
		return nil
	}
	start, end := o.bounds()
	return o.index.hosts[start.host:end.host]
}
func (o Owner) Mails() []*Mail {
	if o.index == nil {
		return nil
	}
	start, end := o.bounds()
	return o.index.mails[start.mail:end.mail]
}
func (o Owner) Services() []*Service {
	if o.index == nil {
		return nil
	}
	start, end := o.bounds()
	return o.index.services[start.service:end.service]
}
func (o Owner) Aliases() []*Alias {
	if o.index == nil {
		return nil
	}
	start, end := o.bounds()
	return o.index.aliases[start.alias:end.alias]
}

// Addrs returns the addresses of a host, sorted, each once.
func (o Owner) Addrs() []netip.Addr {
	hosts := o.Hosts()
	if len(hosts) == 1 {
		return hosts[0].Addrs
	}
	var all []netip.Addr
	for _, h := range hosts {
		all = append(all, h.Addrs...)
	}
	return distinct(all, netip.Addr.Compare)
}

// Exchanges returns the exchanges of a mail domain, each once, by ascending
// preference, then name.
func (o Owner) Exchanges() []Exchange { return exchanges(o.Mails()) }

func exchanges(mails []*Mail) []Exchange {
	if len(mails) == 1 {
		return mails[0].Exchanges
	}
	var all []Exchange
	for _, m := range mails {
		all = append(all, m.Exchanges...)
	}
	return distinct(all, byPreference)
}

func byPreference(a, b Exchange) int {
	return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(a.Host, b.Host))
}

// Targets returns the targets of a service, each once, by ascending priority,
// then descending weight, then name.
func (o Owner) Targets() []Target {
	services := o.Services()
	if len(services) == 1 {
		return services[0].Targets
	}
	var all []Target
	for _, v := range services {
		all = append(all, v.Targets...)
	}
	return distinct(all, byPriority)
}

func byPriority(a, b Target) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
}

// distinct sorts and drops repetitions, of which the first stays.
func distinct[T any](all []T, compare func(a, b T) int) []T {
	slices.SortStableFunc(all, compare)
	return slices.Clip(slices.CompactFunc(all, func(a, b T) bool { return compare(a, b) == 0 }))
}

// HostTTL, MailTTL, ServiceTTL and AliasTTL return the TTL in seconds of the
// records that the declarations of a kind mean, and whether these agree on it.
func (o Owner) HostTTL() (uint32, bool) { return common(o.Hosts(), func(h *Host) TTL { return h.TTL }) }
func (o Owner) MailTTL() (uint32, bool) { return common(o.Mails(), func(m *Mail) TTL { return m.TTL }) }
func (o Owner) ServiceTTL() (uint32, bool) {
	return common(o.Services(), func(v *Service) TTL { return v.TTL })
}
func (o Owner) AliasTTL() (uint32, bool) {
	return common(o.Aliases(), func(a *Alias) TTL { return a.TTL })
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
