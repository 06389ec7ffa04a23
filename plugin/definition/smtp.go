package definition

import "slices"

const smtpPort = 25

// SMTPName returns the name of the service that srv in a mail domain publishes. Its
// error is that the name of the domain is too long.
func SMTPName(domain Name) (Name, error) { return ParseName("_smtp._tcp", domain) }

// smtp makes the services of the mail domains that ask for one, from all their
// exchanges, wherever these were declared.
func (x *Index) smtp() []Service {
	var services []Service
	made := make(map[*Exchange][]Target) // domains share exchanges, mostly
	for n := range x.names {
		mails := x.mails.of(uint32(n))
		i := slices.IndexFunc(mails, func(m *Mail) bool { return m.SRV })
		if i < 0 {
			continue
		}
		name, err := SMTPName(x.names[n])
		if err != nil {
			continue // the reader has refused it
		}
		seconds, _ := common(mails)
		ttl := TTL{seconds, slices.ContainsFunc(mails, func(m *Mail) bool { return m.TTL.Own })}
		targets := smtpTargets(made, exchanges(mails))
		services = append(services, Service{Head{mails[i].Pos, name, ttl}, targets})
	}
	return services
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

// publishes reports whether srv in a mail domain would mean what a service does.
func publishes(domain, service Owner) bool {
	ttl, _ := domain.MailTTL()
	serviceTTL, _ := service.ServiceTTL()
	none := len(domain.Exchanges()) == 0
	return len(service.Services()) > 0 && serviceTTL == ttl && hasNone(service.Services()) == none &&
		slices.EqualFunc(service.Targets(), domain.Exchanges(), func(t Target, e Exchange) bool {
			return t.Priority == e.Preference && t.Weight == 0 && t.Port == smtpPort && t.Host == e.Host
		})
}
