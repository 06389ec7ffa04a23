package definition

import (
	"slices"
	"strings"
)

// A client is a service that programs of users look for.
type client struct {
	word    string // that names it
	service string
	port    uint16
	hasPath bool // it may have a path
}

// clientServices are those of RFC 6186, RFC 8314, RFC 5804, RFC 8620 and RFC 6764. Of the first six a domain that has
// clients says which it does not offer (RFC 6186 §3.4).
var clientServices = []client{
	{"imap", "_imap._tcp", 143, false},
	{"imaps", "_imaps._tcp", 993, false},
	{"pop3", "_pop3._tcp", 110, false},
	{"pop3s", "_pop3s._tcp", 995, false},
	{"submission", "_submission._tcp", 587, false},
	{"submissions", "_submissions._tcp", 465, false},
	{"sieve", "_sieve._tcp", 4190, false},
	{"jmap", "_jmap._tcp", 443, false},
	{"caldavs", "_caldavs._tcp", 443, true},
	{"carddavs", "_carddavs._tcp", 443, true},
}

const (
	deniedClients = 6

	autoconfig   = "autoconfig"   // Thunderbird asks for this name
	autodiscover = "autodiscover" // Outlook for this one, and for its service
)

// clients reads: clients HOST WORD... These are the services of the domain at a host.
func (p *policies) clients(s Statement) {
	host, named := s.Words[1], make(map[string]bool)
	if !p.isHost(s, host) {
		return
	}
	for _, word := range s.Words[2:] {
		name, _, _ := strings.Cut(word, "=")
		if named[name] {
			p.errs.add(s.Pos, Syntax, "clients: %q a second time: write it once", name)
			return
		}
		named[name] = true
		switch word {
		case autoconfig:
			p.alias(s, word, host)
		case autodiscover:
			p.alias(s, word, host)
			p.service(s, "_autodiscover._tcp", 443, host)
		default:
			p.client(s, word, host)
		}
	}
	for _, c := range clientServices[:deniedClients] {
		if !named[c.word] {
			p.noService(s, c.service)
		}
	}
}

// client reads a word for a service.
func (p *policies) client(s Statement, word, host string) {
	name, _, _ := strings.Cut(word, "=")
	i := slices.IndexFunc(clientServices, func(c client) bool { return c.word == name })
	switch {
	case name == autoconfig || name == autodiscover:
		p.errs.add(s.Pos, Syntax, "clients: %q: write %s alone", word, name)
	case i < 0:
		words := mapped(clientServices, func(c client) string { return c.word })
		p.errs.add(s.Pos, Syntax, "clients: %s", UnknownWord(name, append(words, autoconfig, autodiscover)))
	default:
		p.clientAt(s, clientServices[i], word, host)
	}
}

// clientAt reads WORD, WORD=PORT, WORD=/PATH or WORD=PORT/PATH.
func (p *policies) clientAt(s Statement, c client, word, host string) {
	name, value, hasValue := strings.Cut(word, "=")
	digits, path, hasPath := strings.Cut(value, "/")
	port, ok := c.port, true
	switch {
	case hasPath && !c.hasPath:
		p.errs.add(s.Pos, Syntax, "clients: %q: %s has no path: write %s=PORT", word, name, name)
		return
	case hasValue && (digits != "" || !hasPath):
		port, ok = p.port(s, digits)
	}
	if ok {
		p.service(s, c.service, port, host)
	}
	if ok && hasPath {
		p.text(s, c.service, "path=/"+path)
	}
}
