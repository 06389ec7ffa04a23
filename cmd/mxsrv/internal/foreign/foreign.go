// Package foreign makes definitions of what other DNS servers are given: zone
// files (RFC 1035 §5), and the options of dnsmasq.
//
// [Read] tells which of the two a text is, and returns a [Result]: a
// [definition.Set], and each line that a set cannot hold, whole or in part, with
// the reason. Nothing is dropped in silence. The declarations have the places of
// the lines that they are made of, so that what package lint finds in them, such
// as an exchange that is an alias, is found in the file.
//
// The set has the same MX, SRV, A, AAAA and CNAME records as the file, less those
// that are listed.
//
// # Limitations
//
// What a zone file says of other types and classes is for another plugin to
// serve. Of dnsmasq it is one file that is read, without the files that its
// options name and without what the machine adds: its host name, /etc/hosts, leases.
package foreign

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Kind is what a file is for.
type Kind string

const (
	Zone    Kind = "zone file"
	Dnsmasq Kind = "dnsmasq options"
)

// Options are what the text does not say itself.
type Options struct {
	// Zone is the zone that the names are in. If it is empty, it is the owner of
	// the SOA record or the first $ORIGIN, or the domain option.
	Zone definition.Name

	// Include returns the text of a file that $INCLUDE names. If it is nil, the
	// directive is listed as unsaid.
	Include func(name string) (text string, err error)
}

// A Result is what a text says.
type Result struct {
	Kind   Kind
	Zones  definition.Zones // one, or none if the text does not say
	Set    *definition.Set
	Unsaid []Unsaid // by file and line
}

// Unsaid is a line of which something is not in the set.
type Unsaid struct {
	definition.Pos
	Text string // the line without its comments; of several lines in parentheses all
	Why  string // what is wrong: what to do instead
}

func (u Unsaid) String() string { return fmt.Sprintf("%s: %q: %s", u.Pos, u.Text, u.Why) }

// Read makes definitions of a text; source names it in positions. The error is
// that the text is of neither kind.
func Read(source, text string, opt Options) (*Result, error) {
	kind, ok := Detect(text)
	if !ok {
		return nil, fmt.Errorf("%s: neither a zone file nor options of dnsmasq: there is no line like %q or %q",
			source, "example.org. IN MX 10 mx1.example.org.", "mx-host=example.org,mx1.example.org,10")
	}
	im := importer{zone: opt.Zone, set: new(definition.Set), texts: make(map[definition.Pos]string)}
	if kind == Zone {
		readZone(&im, source, text, opt)
	} else {
		readDnsmasq(&im, source, text)
	}
	im.finish()
	r := &Result{Kind: kind, Set: im.set, Unsaid: im.unsaid}
	if im.zone != "" {
		r.Zones = definition.Zones{im.zone}
	}
	return r, nil
}

// A line is a place and the text there.
type line struct {
	definition.Pos
	text string
}

// An importer gathers declarations, and what cannot be one.
type importer struct {
	zone   definition.Name // or empty
	set    *definition.Set
	cuts   map[definition.Name]bool // delegated names
	unsaid []Unsaid

	texts map[definition.Pos]string // of the lines of declarations, for what is found later
}

// unsay lists a line.
func (im *importer) unsay(l line, format string, args ...any) {
	im.unsaid = append(im.unsaid, Unsaid{l.Pos, l.text, fmt.Sprintf(format, args...)})
}

// unsayAt lists the line of a declaration.
func (im *importer) unsayAt(pos definition.Pos, format string, args ...any) {
	im.unsay(line{pos, im.texts[pos]}, format, args...)
}

func (im *importer) host(l line, owner string, addr netip.Addr, seconds uint32) {
	name, ok := im.owner(l, owner, hosts)
	ttl, good := im.ttl(l, seconds)
	switch {
	case !ok || !good:
	case !addr.IsValid() || addr.Zone() != "":
		im.unsay(l, "no address")
	case addr.Is4In6():
		im.unsay(l, "%s is an IPv4 address in IPv6 form: write %s", addr, addr.Unmap())
	default:
		im.set.Hosts = append(im.set.Hosts, definition.Host{Pos: l.Pos, Owner: name, Addrs: []netip.Addr{addr}, TTL: ttl})
	}
}

// mail adds an exchange; the host "." is the null MX (RFC 7505).
func (im *importer) mail(l line, owner string, preference uint16, host string, seconds uint32) {
	name, ok := im.owner(l, owner, domains)
	ttl, good := im.ttl(l, seconds)
	if !ok || !good {
		return
	}
	m := definition.Mail{Pos: l.Pos, Owner: name, TTL: ttl}
	if host == "." {
		if preference != 0 {
			im.unsay(l, "preference %d becomes 0, as a null MX has it (RFC 7505 §3)", preference)
		}
	} else if target, ok := im.target(l, host, hosts); ok {
		m.Exchanges = []definition.Exchange{{Pos: l.Pos, Preference: preference, Host: target}}
	} else {
		return
	}
	im.set.Mails = append(im.set.Mails, m)
}

// service adds a target; the host "." says that there is none (RFC 2782).
func (im *importer) service(l line, owner string, t definition.Target, host string, seconds uint32) {
	name, ok := im.owner(l, owner, services)
	ttl, good := im.ttl(l, seconds)
	if !ok || !good {
		return
	}
	v := definition.Service{Pos: l.Pos, Owner: name, TTL: ttl}
	if host == "." {
		if t != (definition.Target{}) {
			im.unsay(l, "SRV %d %d %d . becomes SRV 0 0 0 .: the numbers mean nothing where a service is not offered (RFC 2782)",
				t.Priority, t.Weight, t.Port)
		}
	} else if target, ok := im.target(l, host, hosts); ok {
		t.Pos, t.Host = l.Pos, target
		v.Targets = []definition.Target{t}
	} else {
		return
	}
	im.set.Services = append(im.set.Services, v)
}

func (im *importer) alias(l line, owner, host string, seconds uint32) {
	name, ok := im.owner(l, owner, aliases)
	ttl, good := im.ttl(l, seconds)
	if !ok || !good {
		return
	}
	if target, ok := im.target(l, host, aliases); ok {
		im.set.Aliases = append(im.set.Aliases, definition.Alias{Pos: l.Pos, Owner: name, Host: target, TTL: ttl})
	}
}

// finish takes out what only the whole file shows to be impossible.
func (im *importer) finish() {
	im.drop(im.elsewhere)
	aliases := im.set.Index()
	im.set.Aliases = slices.DeleteFunc(im.set.Aliases, func(a definition.Alias) bool {
		further := aliases.At(a.Host).Aliases()
		if len(further) > 0 {
			im.unsayAt(a.Pos, "%s is an alias too, and there are no aliases of aliases: write the host at their end", a.Host)
		}
		return len(further) > 0
	})
	im.shareTTLs()
	slices.SortStableFunc(im.unsaid, func(a, b Unsaid) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	im.unsaid = slices.Compact(im.unsaid)
}

// elsewhere says why a name is not ours to declare, or nothing.
func (im *importer) elsewhere(owner definition.Name) string {
	if im.zone == "" {
		return ""
	}
	if !owner.Below(im.zone) {
		return fmt.Sprintf("%s is not below %s: import it with its own zone", owner, im.zone)
	}
	for n := owner; n != im.zone; n = n.Parent() {
		if im.cuts[n] {
			return fmt.Sprintf("it is below %s, which is delegated: leave it with the NS records", n)
		}
	}
	return ""
}

// drop lists and deletes the declarations of owners for which why has a word.
func (im *importer) drop(why func(owner definition.Name) string) {
	listed := func(pos definition.Pos, owner definition.Name) bool {
		text := why(owner)
		if text != "" {
			im.unsayAt(pos, "%s", text)
		}
		return text != ""
	}
	s := im.set
	s.Hosts = slices.DeleteFunc(s.Hosts, func(h definition.Host) bool { return listed(h.Pos, h.Owner) })
	s.Mails = slices.DeleteFunc(s.Mails, func(m definition.Mail) bool { return listed(m.Pos, m.Owner) })
	s.Services = slices.DeleteFunc(s.Services, func(v definition.Service) bool { return listed(v.Pos, v.Owner) })
	s.Aliases = slices.DeleteFunc(s.Aliases, func(a definition.Alias) bool { return listed(a.Pos, a.Owner) })
}

// shareTTLs gives all declarations of a kind at an owner the lowest of their
// TTLs, as resolvers would (RFC 2181 §5.2).
func (im *importer) shareTTLs() {
	share := func(pos definition.Pos, ttl *definition.TTL, lowest uint32, what string) {
		if ttl.Seconds != lowest {
			im.unsayAt(pos, "its TTL %d becomes %d: %s share one", ttl.Seconds, lowest, what)
			ttl.Seconds = lowest
		}
	}
	for o := range im.set.Index().Owners() {
		lowest, _ := o.HostTTL()
		for _, h := range o.Hosts() {
			share(h.Pos, &h.TTL, lowest, "the addresses of a host")
		}
		lowest, _ = o.MailTTL()
		for _, m := range o.Mails() {
			share(m.Pos, &m.TTL, lowest, "the exchanges of a domain")
		}
		lowest, _ = o.ServiceTTL()
		for _, v := range o.Services() {
			share(v.Pos, &v.TTL, lowest, "the targets of a service")
		}
		lowest, _ = o.AliasTTL()
		for _, a := range o.Aliases() {
			share(a.Pos, &a.TTL, lowest, "the records of a name")
		}
	}
}
