package definition

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A line is one in the block of a mail domain or host that says what hangs on each name of its statement.
type line struct {
	usage     string // what stands after its first word
	min, max  int    // how many words that is
	several   bool   // there may be one for each first of these words
	takesMail bool   // it is for domains that take mail
	read      func(*policies, Statement)
}

// mailLines and hostLines are those in the block of a mail domain and of a host, by their first words.
var (
	mailLines = map[string]line{
		"clients": {usage: "HOST WORD...", min: 2, max: more, takesMail: true, read: (*policies).clients},
		"dkim":    {usage: "SELECTOR KEY", min: 2, max: 2, several: true, read: (*policies).dkim},
		"dmarc":   {usage: "POLICY [TAG=VALUE...]", min: 1, max: more, read: (*policies).dmarc},
		"mta-sts": {usage: "FILE [HOST], or mta-sts id=ID [HOST]", min: 1, max: 2, takesMail: true, read: (*policies).mtaSTS},
		"spf":     {usage: "TERM...", min: 1, max: more, read: (*policies).spf},
		"tls-rpt": {usage: "ADDRESS...", min: 1, max: more, takesMail: true, read: (*policies).tlsRPT},
	}
	hostLines = map[string]line{
		"spf":  {usage: "TERM...", min: 1, max: more, read: (*policies).spf},
		"tlsa": {usage: "PORT KEY...", min: 2, max: more, several: true, read: (*policies).tlsa},
	}
)

// Lines returns the first words of the lines in the blocks of mail domains and of hosts that say what hangs on them.
func Lines() (mail, host []string) { return wordsOfLines(mailLines), wordsOfLines(hostLines) }

func wordsOfLines(lines map[string]line) []string { return slices.Sorted(maps.Keys(lines)) }

// policies are what the lines of one block say. All names of the statement share what they can.
type policies struct {
	*Reader
	derive []func(owner, TTL) // adds a declaration to the set, for one name of the statement; one for each record
	room   struct{ records, services, aliases int }
	said   map[string]bool
	taking []Statement // lines that are for domains that take mail
	sts    *Policy
	isMail bool // it is the block of a mail domain, of which a wildcard has MX alone
}

// line reads a line into the policies of its block, which are made if there are none.
func (r *Reader) line(to **policies, isMail bool, s Statement, l line) {
	n := len(s.Words) - 1
	if n < l.min || n > l.max || s.braced {
		r.usage(s, l.usage)
		return
	}
	if *to == nil {
		*to = &policies{Reader: r, isMail: isMail, said: make(map[string]bool)}
	}
	p, which := *to, s.Words[0]
	if l.several {
		which += " " + strings.ToLower(s.Words[1])
	}
	if p.said[which] {
		r.errs.add(s.Pos, Syntax, "a second line %q in one block: write one", which)
		return
	}
	p.said[which] = true
	if l.takesMail {
		p.taking = append(p.taking, s)
	}
	l.read(p, s)
}

// records returns how many records the policies are of each name. There may be none.
func (p *policies) records() int {
	if p == nil {
		return 0
	}
	return len(p.derive)
}

// refuseNone reports lines that are for domains that take mail.
func (p *policies) refuseNone() {
	if p == nil {
		return
	}
	for _, s := range p.taking {
		p.errs.add(s.Pos, Syntax, "%s is for domains that take mail: delete it, or write exchanges instead of none",
			s.Words[0])
	}
}

// policy returns that of the MTA-STS file, or nil.
func (p *policies) policy() *Policy {
	if p == nil {
		return nil
	}
	return p.sts
}

// grow makes room for what so many names get.
func (p *policies) grow(names int) {
	if p == nil {
		return
	}
	p.set.Records = slices.Grow(p.set.Records, names*p.room.records)
	p.set.Services = slices.Grow(p.set.Services, names*p.room.services)
	p.set.Aliases = slices.Grow(p.set.Aliases, names*p.room.aliases)
}

// declare adds to the set what hangs on a name, but for one outside the zones, which is an error as it is.
func (p *policies) declare(o owner, ttl TTL) {
	if p == nil || p.zoneSet.Of(o.name) == "" {
		return
	}
	for _, derive := range p.derive {
		derive(o, ttl)
	}
}

// add adds what a line declares of a name below each name of the statement, or of that itself if below is "".
func (p *policies) add(s Statement, below string, declare func(Head, owner)) {
	pos, word := s.Pos, s.Words[0]
	p.derive = append(p.derive, func(o owner, ttl TTL) {
		if strings.Contains(string(o.name), "*") && (p.isMail || below != "") {
			p.errs.add(pos, NameInvalid, "%s of %s: no wildcard has this record: "+
				"write the names that have it, or delete the line", word, o.name)
			return
		}
		name, err := o.name.under(below)
		if err != nil {
			p.errs.add(pos, NameInvalid, "%s: %v", word, err)
			return
		}
		declare(Head{pos, name, ttl}, o)
	})
}

// under returns the name with some labels before it, or an error if that is too long.
func (n Name) under(labels string) (Name, error) {
	switch {
	case labels == "":
		return n, nil
	case n == ".":
		return Name(labels + "."), nil
	case len(labels)+1+len(n) >= maxName:
		return "", explain(labels, n)
	}
	return Name(labels + "." + string(n)), nil
}

// record adds a record.
func (p *policies) record(s Statement, below string, rrtype uint16, data string) {
	p.room.records++
	p.add(s, below, func(h Head, _ owner) {
		p.set.Records = append(p.set.Records, Record{Head: h, Type: rrtype, Data: data})
	})
}

// text adds a TXT record.
func (p *policies) text(s Statement, below, text string) {
	const most = 65279 // which has 256 strings of 255 octets, but one
	if len(text) > most {
		p.errs.add(s.Pos, RecordData, "%s of %d octets: write at most %d", s.Words[0], len(text), most)
		return
	}
	p.record(s, below, dns.TypeTXT, string(appendStrings(nil, text)))
}

// service adds a service with one target, which has a port.
func (p *policies) service(s Statement, below string, port uint16, host string) {
	targets := perZone[Target]{reader: p.Reader, entries: entryOf(s, port, host), of: target, compare: byPriority}
	p.room.services++
	p.add(s, below, func(h Head, o owner) {
		if list := targets.in(o.zone); len(list) > 0 {
			p.set.Services = append(p.set.Services, Service{Head: h, Targets: list})
		}
	})
}

// noService adds a service that is not offered.
func (p *policies) noService(s Statement, below string) {
	p.room.services++
	p.add(s, below, func(h Head, _ owner) { p.set.Services = append(p.set.Services, Service{Head: h}) })
}

// alias adds an alias of a host.
func (p *policies) alias(s Statement, below, host string) {
	hosts := perZone[Name]{reader: p.Reader, entries: entryOf(s, 0, host), compare: Name.Compare,
		of: func(_ *entry, host Name) Name { return host }}
	p.room.aliases++
	p.add(s, below, func(h Head, o owner) {
		if list := hosts.in(o.zone); len(list) > 0 {
			p.set.Aliases = append(p.set.Aliases, Alias{h, list[0]})
		}
	})
}

// entryOf returns a host of a line with the numbers that its service has.
func entryOf(s Statement, port uint16, host string) []entry {
	return []entry{{Pos: s.Pos, numbers: [3]uint16{0, 1, port}, hosts: []string{host}}}
}

// isHost reports whether the word of a line may be a host.
func (p *policies) isHost(s Statement, word string) bool {
	if word == "." {
		p.errs.add(s.Pos, Syntax, "%q is no host: write the name of one", word)
	}
	return word != "."
}

// file returns the text of a file that a line names. Without files it says what to write instead. Mistakes in the text
// have an id, and quote nothing of it.
func (p *policies) file(s Statement, name, id, instead string) (string, bool) {
	text, err := "", errors.New("files are only read for a Corefile and its definitions files: "+instead)
	if p.files != nil {
		text, err = p.files(name)
	}
	switch {
	case err != nil && isKey(name):
		p.errs.add(s.Pos, id, "%s: no such file, and no such kind of key: %s", s.Words[0], instead)
	case err != nil:
		p.errs.add(s.Pos, FileUnreadable, "%q: %v", name, err)
	case text == "":
		p.errs.add(s.Pos, FileUnreadable, "%q is empty: write the name of another file", name)
	case strings.Contains(text, "PRIVATE KEY-----"):
		p.errs.add(s.Pos, id, "%q has a private key, which does not belong on a DNS server: write the public one, which "+
			"%s makes", name, makePublic(name, text))
	default:
		return text, true
	}
	return "", false
}
