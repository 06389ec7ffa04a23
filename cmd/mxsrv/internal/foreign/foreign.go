// Package foreign converts what other DNS servers read to definitions: zone files (RFC 1035 §5), and the options of
// dnsmasq.
//
// [Read] detects which of the two a text is, and returns a [Result]: a [definition.Set], and each line that is not in
// it, or not exactly, with the reason. The set has the same MX, SRV, A, AAAA and CNAME records as the text, without
// those that are listed. Declarations have the positions of the lines that they come from, so that package lint reports
// mistakes that were in the file, such as an exchange that is an alias, at the lines of the file.
//
// # Limitations
//
// Records of other types and classes in a zone file are for another plugin to serve. Of dnsmasq it is one file that is
// read, without the files that its options name, and without what the machine adds: its host name, /etc/hosts, leases.
package foreign

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Kind is what a file is.
type Kind string

const (
	Zone    Kind = "zone file"
	Dnsmasq Kind = "dnsmasq options"
)

// Options are what the text does not say itself.
type Options struct {
	// Zone is the zone of the names. If it is empty, it is the owner of the SOA record or the first $ORIGIN, or the
	// domain option.
	Zone definition.Name

	// Include returns the text of a file that $INCLUDE names. If it is nil, the directive is listed as not converted.
	Include func(name string) (text string, err error)
}

// A Result is a converted text.
type Result struct {
	Kind         Kind
	Zones        definition.Zones // one, or none if it is not known
	Set          *definition.Set
	NotConverted []Line // by file and line
}

// A Line is one that is not in the set, or not exactly.
type Line struct {
	definition.Pos
	Text string // without comments; all lines within parentheses
	Why  string // what is wrong: what to do instead
}

func (l Line) String() string { return fmt.Sprintf("%s: %q: %s", l.Pos, l.Text, l.Why) }

// Read converts a text; source names it in positions. The error is that the text is of neither kind.
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
	r := &Result{Kind: kind, Set: im.set, NotConverted: im.notConverted}
	if im.zone != "" {
		r.Zones = definition.Zones{im.zone}
	}
	return r, nil
}

// A line is a position and the text there.
type line struct {
	definition.Pos
	text string
}

// An importer collects declarations, and the lines that cannot be converted.
type importer struct {
	zone         definition.Name // or ""
	set          *definition.Set
	delegated    map[definition.Name]bool
	notConverted []Line

	texts map[definition.Pos]string // of the lines of declarations, for mistakes that are found at the end
}

// skip lists a line as not converted.
func (im *importer) skip(l line, format string, args ...any) {
	im.notConverted = append(im.notConverted, Line{l.Pos, l.text, fmt.Sprintf(format, args...)})
}

// skipAt lists the line of a declaration as not converted.
func (im *importer) skipAt(pos definition.Pos, format string, args ...any) {
	im.skip(line{pos, im.texts[pos]}, format, args...)
}

func (im *importer) host(l line, owner string, addr netip.Addr, seconds uint32) {
	head, ok := im.owner(l, owner, seconds, hosts)
	switch {
	case !ok:
	case !addr.IsValid() || addr.Zone() != "":
		im.skip(l, "no address")
	case addr.Is4In6():
		im.skip(l, "%s is an IPv4 address in IPv6 form: write %s", addr, addr.Unmap())
	default:
		im.set.Hosts = append(im.set.Hosts, definition.Host{Head: head, Addrs: []netip.Addr{addr}})
	}
}

// mail adds an exchange; the host "." is the null MX (RFC 7505).
func (im *importer) mail(l line, owner string, preference uint16, host string, seconds uint32) {
	head, ok := im.owner(l, owner, seconds, domains)
	if !ok {
		return
	}
	m := definition.Mail{Head: head}
	if host == "." {
		if preference != 0 {
			im.skip(l, "preference %d becomes 0, as a null MX has it (RFC 7505 §3)", preference)
		}
	} else if target, ok := im.target(l, host, hosts); ok {
		m.Exchanges = []definition.Exchange{{Pos: l.Pos, Preference: preference, Host: target}}
	} else {
		return
	}
	im.set.Mails = append(im.set.Mails, m)
}

// service adds a target; the host "." means that there is none (RFC 2782).
func (im *importer) service(l line, owner string, t definition.Target, host string, seconds uint32) {
	head, ok := im.owner(l, owner, seconds, services)
	if !ok {
		return
	}
	v := definition.Service{Head: head}
	if host == "." {
		if t != (definition.Target{}) {
			im.skip(l, "SRV %d %d %d . becomes SRV 0 0 0 .: the numbers mean nothing where a service is not offered (RFC 2782)",
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
	head, ok := im.owner(l, owner, seconds, aliases)
	if !ok {
		return
	}
	if target, ok := im.target(l, host, aliases); ok {
		im.set.Aliases = append(im.set.Aliases, definition.Alias{Head: head, Host: target})
	}
}

// A form is what names of a kind look like.
type form struct {
	fits func(definition.Name) bool
	rule string
}

var (
	hosts    = form{definition.Name.IsHostWithUnderscores, "a host has letters, digits and inner hyphens in its name (RFC 1123 §2.1)"}
	domains  = form{definition.Name.IsHost, "a mail domain has letters, digits and inner hyphens in its name (RFC 1123 §2.1)"}
	services = form{definition.Name.IsService, "a service is named _SERVICE._PROTO.DOMAIN (RFC 2782)"}
	aliases  = form{definition.Name.IsPlain, "an alias has letters, digits, hyphens and underscores in its name"}
)

// maxTTL is the highest TTL (RFC 2181 §8).
const maxTTL = 1<<31 - 1

// owner returns the name and the TTL of a declaration, if both are valid. The name has its final dot.
func (im *importer) owner(l line, s string, seconds uint32, f form) (definition.Head, bool) {
	name, ok := im.name(l, s)
	switch {
	case !ok:
		return definition.Head{}, false
	case strings.Contains(string(name), "*"):
		im.skip(l, "there are no wildcards: declare each name that is asked for")
		return definition.Head{}, false
	case !f.fits(name):
		im.skip(l, "%s: %s", name, f.rule)
		return definition.Head{}, false
	}
	im.texts[l.Pos] = l.text
	if seconds > maxTTL {
		im.skip(l, "TTL %d: write 0 to %d (RFC 2181 §8)", seconds, maxTTL)
		return definition.Head{}, false
	}
	return definition.Head{Pos: l.Pos, Owner: name, TTL: definition.TTL{Seconds: seconds, Own: true}}, true
}

// target returns the name that a line points to. It has its final dot.
func (im *importer) target(l line, s string, f form) (definition.Name, bool) {
	if _, err := netip.ParseAddr(strings.TrimSuffix(s, ".")); err == nil {
		im.skip(l, "%s is an address where the name of a host belongs: declare a host and write its name", s)
		return "", false
	}
	name, ok := im.name(l, s)
	if ok && !f.fits(name) {
		im.skip(l, "%s: %s", name, f.rule)
		return "", false
	}
	return name, ok
}

func (im *importer) name(l line, s string) (definition.Name, bool) {
	name, err := definition.ParseName(s, ".")
	if err != nil {
		im.skip(l, "%v", err)
	}
	return name, err == nil
}

// finish removes the declarations that only the whole file shows to be impossible.
func (im *importer) finish() {
	im.drop(im.otherZone)
	index := im.set.Index()
	im.set.Aliases = slices.DeleteFunc(im.set.Aliases, func(a definition.Alias) bool {
		chained := len(index.At(a.Host).Aliases()) > 0
		if chained {
			im.skipAt(a.Pos, "%s is an alias, too, and there are no aliases of aliases: write the host at their end", a.Host)
		}
		return chained
	})
	im.shareTTLs()
	slices.SortStableFunc(im.notConverted, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	im.notConverted = slices.Compact(im.notConverted)
}

// otherZone returns why a name cannot be declared in the zone, or "".
func (im *importer) otherZone(owner definition.Name) string {
	if im.zone == "" {
		return ""
	}
	if !owner.Below(im.zone) {
		return fmt.Sprintf("%s is not below %s: import it with its own zone", owner, im.zone)
	}
	for n := owner; n != im.zone; n = n.Parent() {
		if im.delegated[n] {
			return fmt.Sprintf("it is below %s, which is delegated: leave it with the NS records", n)
		}
	}
	return ""
}

// drop deletes the declarations of the owners for which why returns a reason, and lists their lines.
func (im *importer) drop(why func(owner definition.Name) string) {
	dropped := func(pos definition.Pos, owner definition.Name) bool {
		reason := why(owner)
		if reason != "" {
			im.skipAt(pos, "%s", reason)
		}
		return reason != ""
	}
	s := im.set
	s.Hosts = slices.DeleteFunc(s.Hosts, func(h definition.Host) bool { return dropped(h.Pos, h.Owner) })
	s.Mails = slices.DeleteFunc(s.Mails, func(m definition.Mail) bool { return dropped(m.Pos, m.Owner) })
	s.Services = slices.DeleteFunc(s.Services, func(v definition.Service) bool { return dropped(v.Pos, v.Owner) })
	s.Aliases = slices.DeleteFunc(s.Aliases, func(a definition.Alias) bool { return dropped(a.Pos, a.Owner) })
}

// shareTTLs gives all declarations of a kind at an owner the lowest of their TTLs, as resolvers do (RFC 2181 §5.2).
func (im *importer) shareTTLs() {
	for o := range im.set.Index().Owners() {
		host, _ := o.HostTTL()
		for _, h := range o.Hosts() {
			im.lowerTTL(h.Pos, &h.TTL, host, "the addresses of a host")
		}
		mail, _ := o.MailTTL()
		for _, m := range o.Mails() {
			im.lowerTTL(m.Pos, &m.TTL, mail, "the exchanges of a domain")
		}
		service, _ := o.ServiceTTL()
		for _, v := range o.Services() {
			im.lowerTTL(v.Pos, &v.TTL, service, "the targets of a service")
		}
		alias, _ := o.AliasTTL()
		for _, a := range o.Aliases() {
			im.lowerTTL(a.Pos, &a.TTL, alias, "the records of a name")
		}
	}
}

func (im *importer) lowerTTL(pos definition.Pos, ttl *definition.TTL, lowest uint32, what string) {
	if ttl.Seconds != lowest {
		im.skipAt(pos, "its TTL %d becomes %d: %s share one", ttl.Seconds, lowest, what)
		ttl.Seconds = lowest
	}
}
