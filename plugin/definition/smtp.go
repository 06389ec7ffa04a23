package definition

import (
	"cmp"
	"slices"
	"strings"
)

// SMTPPort is where exchanges take mail.
const SMTPPort = 25

const smtpLabels = "_smtp._tcp"

// SMTPName returns the name of the service that srv in a mail domain publishes. Its
// error is that the name of the domain is too long.
func SMTPName(domain Name) (Name, error) { return ParseName(smtpLabels, domain) }

// SMTPDomain returns the mail domain whose exchanges the service of a name has, if it is one by which mail is delivered.
// What is hidden of it is hidden as of MX: who delivers mail by it has the same loops.
func SMTPDomain(service Name) (domain Name, ok bool) {
	rest, ok := strings.CutPrefix(string(service), smtpLabels+".")
	return Name(cmp.Or(rest, ".")), ok
}

// smtp makes the services of the mail domains that ask for one, from all their
// exchanges, wherever these were declared.
func (x *Index) smtp() []Service {
	var services []Service
	made := make(map[*Exchange][]Target) // domains share exchanges, mostly
	for n := range x.names {
		if s, ok := published(x.mails.of(uint32(n)), made); ok {
			services = append(services, s)
		}
	}
	return services
}

// published returns the service that the declarations of a mail domain publish together, if they do.
func published(mails []*Mail, made map[*Exchange][]Target) (Service, bool) {
	i := slices.IndexFunc(mails, func(m *Mail) bool { return m.SRV })
	if i < 0 {
		return Service{}, false
	}
	name, err := SMTPName(mails[i].Owner)
	if err != nil {
		return Service{}, false // the reader has refused it
	}
	return Service{
		Head: Head{mails[i].Pos, name, commonTTL(mails)}, Targets: smtpTargets(made, exchanges(mails)), Order: commonOrder(mails),
		Check: firstCheck(mails),
	}, true
}

// Explicit returns a set in which services are declared that srv publishes, those of each source by itself. It may share
// memory with s.
func (s *Set) Explicit() *Set {
	type place struct {
		owner  Name
		source string
	}
	groups := make(map[place][]*Mail)
	for i := range s.Mails {
		if m := &s.Mails[i]; m.SRV {
			groups[place{m.Owner, m.Source}] = nil
		}
	}
	if len(groups) == 0 {
		return s
	}
	explicit := *s
	explicit.Mails, explicit.Services = slices.Clone(s.Mails), slices.Clip(s.Services)
	for i := range s.Mails {
		m := &s.Mails[i]
		at := place{m.Owner, m.Source}
		if of, ok := groups[at]; ok {
			groups[at] = append(of, m)
		}
		explicit.Mails[i].SRV = false
	}
	made := make(map[*Exchange][]Target)
	for i := range s.Mails {
		at := place{s.Mails[i].Owner, s.Mails[i].Source}
		if service, ok := published(groups[at], made); ok {
			explicit.Services = append(explicit.Services, service)
		}
		delete(groups, at)
	}
	return &explicit
}

func smtpTargets(made map[*Exchange][]Target, exchanges []Exchange) []Target {
	if len(exchanges) == 0 {
		return nil
	}
	targets, ok := made[&exchanges[0]]
	if !ok {
		for _, e := range exchanges {
			targets = append(targets, Target{e.Pos, e.Preference, 0, SMTPPort, e.Host})
		}
		made[&exchanges[0]] = targets
	}
	return targets
}

// publishes reports whether srv in a mail domain would mean what a service does.
func publishes(domain, service Owner) bool {
	none := len(domain.Exchanges()) == 0
	return len(service.Services()) > 0 && hasNone(service.Services()) == none &&
		service.ServiceTTL() == domain.MailTTL() && service.ServiceOrder() == domain.MailOrder() &&
		service.ServiceCheck() == domain.MailCheck() &&
		slices.EqualFunc(service.Targets(), domain.Exchanges(), func(t Target, e Exchange) bool {
			return t.Priority == e.Preference && t.Weight == 0 && t.Port == SMTPPort && t.Host == e.Host
		})
}
