package definition

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// dmarc reads: dmarc POLICY [TAG=VALUE...] It is the DMARC record of the domain (RFC 9989 §4.7) and, where reports go
// to another domain in the zones, the record there that allows it (RFC 9990).
func (p *policies) dmarc(s Statement) {
	choices := []string{"none", "quarantine", "reject"}
	if !slices.Contains(choices, s.Words[1]) {
		p.errs.add(s.Pos, Syntax, "dmarc: %s", UnknownWord(s.Words[1], choices))
		return
	}
	tags := []string{"v=DMARC1", "p=" + s.Words[1]}
	var receivers []Name
	for _, word := range s.Words[2:] {
		tag, value, _ := strings.Cut(word, "=")
		tag = strings.ToLower(tag) // receivers may know no other form (RFC 6376 §3.2)
		if !p.isTag(s, word, tag, value) {
			return
		}
		if tag == "rua" || tag == "ruf" {
			uris, domains, ok := p.uris(s, value)
			if !ok {
				return
			}
			value, receivers = uris, append(receivers, domains...)
		}
		tags = append(tags, tag+"="+value)
	}
	p.text(s, "_dmarc", strings.Join(tags, "; "))
	slices.Sort(receivers)
	for _, domain := range slices.Compact(receivers) {
		p.reports(s, domain)
	}
}

// isTag reports whether a word is a tag of DMARC, in lower case, with its value.
func (p *policies) isTag(s Statement, word, tag, value string) bool {
	switch {
	case strings.Contains(word, ";"):
		p.errs.add(s.Pos, Syntax, "%q: write blanks, and no semicolons, between tags", word)
	case tag == "" || value == "":
		p.errs.add(s.Pos, Syntax, "%q: write TAG=VALUE, like rua=postmaster@example.org", word)
	case tag == "v" || tag == "p":
		p.errs.add(s.Pos, Syntax, "%q: dmarc and the policy after it say so: delete it", word)
	default:
		return true
	}
	return false
}

// reports adds the record with which a domain allows others to have their reports sent to it, if it is in the zones. No
// receiver asks for it where one of the two is below the other.
func (p *policies) reports(s Statement, to Name) {
	if p.zoneSet.Of(to) == "" {
		return
	}
	pos, data := s.Pos, string(appendStrings(nil, "v=DMARC1"))
	p.room.records++
	p.derive = append(p.derive, func(o owner, ttl TTL) {
		if strings.Contains(string(o.name), "*") || o.name.Below(to) || to.Below(o.name) {
			return
		}
		name, err := to.under(string(o.name) + "_report._dmarc")
		if err != nil {
			p.errs.add(pos, NameInvalid, "dmarc: %v", err)
			return
		}
		p.set.Records = append(p.set.Records, Record{Head: Head{pos, name, ttl}, Type: dns.TypeTXT, Data: data})
	})
}

// tlsRPT reads: tls-rpt ADDRESS... It is where reports of failed TLS go (RFC 8460 §3).
func (p *policies) tlsRPT(s Statement) {
	uris, _, ok := p.uris(s, strings.Join(s.Words[1:], ","))
	if ok {
		p.text(s, "_smtp._tls", "v=TLSRPTv1; rua="+uris)
	}
}

// uris returns addresses, with commas between them, as URIs: those of mailboxes get mailto:. It returns the domains of
// the mailboxes, too.
func (p *policies) uris(s Statement, addresses string) (uris string, domains []Name, ok bool) {
	all := strings.Split(addresses, ",")
	for i, address := range all {
		if scheme, _, hasScheme := strings.Cut(address, ":"); hasScheme && !strings.EqualFold(scheme, "mailto") {
			if strings.Contains(address, ";") {
				p.errs.add(s.Pos, Syntax, "%q: write %%3B for a semicolon", address)
				return "", nil, false
			}
			continue
		} else if hasScheme {
			address = address[len(scheme)+1:]
		}
		domain, isMailbox := domainOf(address)
		switch {
		case address == "":
			p.errs.add(s.Pos, Syntax, "a comma without an address: write one comma, and no blank, between addresses")
			return "", nil, false
		case !isMailbox:
			p.errs.add(s.Pos, Syntax, "%q is no address: write one like postmaster@example.org", address)
			return "", nil, false
		}
		all[i], domains = "mailto:"+address, append(domains, domain)
	}
	return strings.Join(all, ","), domains, true
}

// domainOf returns the domain of a mailbox, after which "!" and a size may follow.
func domainOf(address string) (Name, bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || strings.Contains(address, ";") {
		return "", false
	}
	domain, _, _ := strings.Cut(address[at+1:], "!")
	name, err := ParseName(domain, ".")
	return name, err == nil && name != "." && domain != "@"
}
