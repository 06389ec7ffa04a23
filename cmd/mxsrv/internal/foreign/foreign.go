// Package foreign converts what other DNS servers read to definitions: zone files (RFC 1035 §5), the options of dnsmasq,
// files of hosts as /etc/hosts, and what etcdctl prints of the tree that the etcd plugin of CoreDNS serves.
//
// [Read] detects which of these a text is, and returns a [Result]: a [definition.Set], and each line that is not in it,
// or not exactly, with the reason. The set has the same records as the text, without those that are listed: also the
// SOA and NS records of the zone, as an apex. Declarations have the positions of the lines that they come from, so
// that package lint reports mistakes that were in the file, such as an exchange that is an alias, at the lines of the
// file. Result.List writes the set in the order of the text, with its comments.
//
// Where neither the caller nor the text names the zone, it is the one that all names are below.
//
// # Limitations
//
// The serial of a zone is not in the set. What is made by whoever signs a zone is dropped, and counted. Names with
// escapes are listed: definitions have none. Of dnsmasq one file is converted, without the files that its options name,
// and without what the machine adds: its host name, /etc/hosts, leases.
package foreign

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Kind is what a file is.
type Kind string

const (
	Zone    Kind = "zone file"
	Dnsmasq Kind = "dnsmasq options"
	Hosts   Kind = "file of hosts"
	SkyDNS  Kind = "keys of the etcd plugin"
)

// Options are what the text does not say itself.
type Options struct {
	// Zone is the zone of the names. If it is empty, it is the owner of the SOA record or the first $ORIGIN, or the
	// domain option, or what all names have in common.
	Zone definition.Name

	// Path is what the keys of the etcd plugin start with, and ends in "/". If it is empty, it is what stands before the
	// zone in the first key of a name in it.
	Path string

	// Include returns the text of a file that $INCLUDE names. If it is nil, the directive is listed as not converted.
	// An error ends Read.
	Include func(name string) (text string, err error)
}

// A Result is a converted text.
type Result struct {
	Kind         Kind
	Zones        definition.Zones // one, or none if it is not known
	Set          *definition.Set
	NotConverted []Line // that declare nothing in the set, by file and line
	Changed      []Line // that are in the set, but not exactly
	Serial       uint32 // that of the SOA record, or 0: a set has none

	Comments []string // before the SOA and NS records, without their semicolons; "" for an empty line
	listing  definition.Listing
}

// List writes the definitions in the order of the text, all those of a name together, with its comments.
func (r *Result) List(w io.Writer) error { return r.Set.List(w, r.listing) }

// Apex returns that of the zone, or nil.
func (r *Result) Apex() *definition.Apex {
	if len(r.Set.Apexes) == 0 {
		return nil
	}
	return &r.Set.Apexes[0]
}

// ErrNoZone is that the names of a text are relative to a zone that neither it nor the caller names.
var ErrNoZone = errors.New("its names are relative to a zone that it does not name")

// A Line is one that is not in the set, or not exactly. Several may be of one line of the text.
type Line struct {
	definition.Pos
	Text string // without comments; all lines within parentheses
	Why  string // what is wrong: what to do instead
}

func (l Line) String() string { return definition.Sprintf("%s: %q: %s", l.Pos, l.Text, l.Why) }

// Read converts a text; source names it in positions. The error is that the text is of neither kind, that a file cannot
// be included, or [ErrNoZone].
func Read(source, text string, opt Options) (*Result, error) {
	kind, ok := Detect(text)
	if !ok {
		return nil, fmt.Errorf("%s: neither a zone file nor options of dnsmasq nor a file of hosts: there is no line like %q, %q or %q",
			source, "example.org. IN MX 10 mx1.example.org.", "mx-host=example.org,mx1.example.org,10", "192.0.2.10 mx1.example.org")
	}
	im := newImporter(opt.Zone)
	switch kind {
	case Dnsmasq:
		readDnsmasq(im, source, text)
	case Hosts:
		readHosts(im, source, text)
	case SkyDNS:
		if err := readSkyDNS(im, source, text, opt.Path); err != nil {
			return nil, err
		}
	default:
		if err := readZone(im, source, text, opt); err != nil {
			return nil, err
		}
	}
	im.finish()
	return im.result(kind), nil
}

// An importer collects declarations, and the lines that cannot be converted.
type importer struct {
	zone         definition.Name // or ""
	set          *definition.Set
	apex         apex
	delegated    map[definition.Name]bool // names with NS records below the zone
	glued        map[definition.Name]bool // name servers
	owners       []definition.Name        // of all records, converted or not, to guess the zone from
	relative     []Line                   // whose names are relative to a zone that is not known
	early        []Line                   // NS records before the zone is known
	automatics   []Line                   // whose TTL is automatic
	dropped      map[uint16]int           // how many records of each type a signer makes
	firstDropped Line
	err          error  // why reading has ended early
	notConverted []Line // until finish also those of which a part is converted
	changed      []Line

	texts    map[definition.Pos]string // of the lines of declarations, for mistakes that are found at the end
	order    []definition.Name         // the owners of declarations as they come
	ordered  map[definition.Name]bool
	comments []commented
	isShort  func(definition.Name) bool
	isLoose  bool // comments are not for what follows later
}

func newImporter(zone definition.Name) *importer {
	return &importer{zone: zone, set: new(definition.Set), texts: make(map[definition.Pos]string),
		delegated: make(map[definition.Name]bool), glued: make(map[definition.Name]bool),
		dropped: make(map[uint16]int), ordered: make(map[definition.Name]bool)}
}

// skip lists a line as not converted, or, if it declares something nevertheless, as not exactly converted.
func (im *importer) skip(l Line, format string, args ...any) {
	l.Why = fmt.Sprintf(format, args...)
	im.notConverted = append(im.notConverted, l)
}

// skipAt lists the line of a declaration as not converted.
func (im *importer) skipAt(pos definition.Pos, format string, args ...any) {
	im.skip(Line{Pos: pos, Text: im.texts[pos]}, format, args...)
}

func (im *importer) host(l Line, owner string, addr netip.Addr, seconds uint32) {
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
func (im *importer) mail(l Line, owner string, preference uint16, host string, seconds uint32) {
	head, target, ok := im.pointer(l, owner, domains, seconds, host, targets)
	m := definition.Mail{Head: head}
	switch {
	case !ok:
		return
	case target != ".":
		m.Exchanges = []definition.Exchange{{Pos: l.Pos, Preference: preference, Host: target}}
	case preference != 0:
		im.skip(l, "preference %d becomes 0, as a null MX has it (RFC 7505 §3)", preference)
	}
	im.set.Mails = append(im.set.Mails, m)
}

// service adds a target; the host "." means that there is none (RFC 2782).
func (im *importer) service(l Line, owner string, t definition.Target, host string, seconds uint32) {
	head, target, ok := im.pointer(l, owner, services, seconds, host, targets)
	v := definition.Service{Head: head}
	switch {
	case !ok:
		return
	case target != ".":
		t.Pos, t.Host = l.Pos, target
		v.Targets = []definition.Target{t}
	case t != (definition.Target{}):
		im.skip(l, "SRV %d %d %d . becomes SRV 0 0 0 .: the numbers mean nothing where a service is not offered (RFC 2782)",
			t.Priority, t.Weight, t.Port)
	}
	im.set.Services = append(im.set.Services, v)
}

func (im *importer) alias(l Line, owner, host string, seconds uint32) {
	if head, target, ok := im.pointer(l, owner, aliases, seconds, host, aliases); ok {
		im.set.Aliases = append(im.set.Aliases, definition.Alias{Head: head, Host: target})
	}
}

// recordOf adds a record of RDATA in hexadecimal (RFC 3597 §5).
func (im *importer) recordOf(l Line, owner string, rrtype uint16, data string, seconds uint32) {
	head, ok := im.owner(l, owner, seconds, anyName)
	if !ok {
		return
	}
	text := fmt.Sprintf(`record %s TYPE%d "\#" %d %s`, head.Owner, rrtype, len(data)/2, data)
	set, errs := definition.Read("", text, definition.Zones{head.Owner})
	if len(errs) > 0 {
		im.skip(l, "%s", errs[0].Text)
		return
	}
	for _, r := range set.Records {
		r.Head = head
		im.set.Records = append(im.set.Records, r)
	}
}

// pointer returns the head and the target of a declaration that points to something, if both are valid.
func (im *importer) pointer(l Line, owner string, of form, seconds uint32, host string, to form) (head definition.Head, target definition.Name, ok bool) {
	if head, ok = im.owner(l, owner, seconds, of); ok {
		target, ok = im.target(l, host, to)
	}
	return head, target, ok
}

// A form is what names of a kind look like.
type form struct {
	fits      func(definition.Name) bool
	rule      string
	wildcards bool // the owner may be a wildcard, below which it fits
}

var (
	hosts    = form{definition.Name.IsHostWithUnderscores, "a host has letters, digits and inner hyphens in its name (RFC 1123 §2.1)", true}
	targets  = form{func(n definition.Name) bool { return n == "." || hosts.fits(n) }, hosts.rule, false} // "." is none
	domains  = form{definition.Name.IsHost, "a mail domain has letters, digits and inner hyphens in its name (RFC 1123 §2.1)", true}
	services = form{definition.Name.IsService, "a service is named _SERVICE._PROTO.DOMAIN (RFC 2782)", false}
	anyName  = form{hasNoAsterisk, "an asterisk is the whole first label or none", true}
	aliases  = form{isAliasForm, "an alias has letters, digits, hyphens and underscores in its name", true}
)

func (f form) fitsOwner(n definition.Name) bool {
	if f.wildcards && n.IsWildcard() && n != "*." {
		n = n.Parent()
	}
	return f.fits(n)
}

func hasNoAsterisk(n definition.Name) bool { return !strings.Contains(string(n), "*") }

// isAliasForm takes the slashes of RFC 2317 for what they are.
func isAliasForm(n definition.Name) bool {
	if n.IsReverse() {
		n = definition.Name(strings.ReplaceAll(string(n), "/", "-"))
	}
	return n.IsPlain()
}

// maxTTL is the highest TTL (RFC 2181 §8).
const maxTTL = 1<<31 - 1

// owner returns the name and the TTL of a declaration, if both are valid. The name has its final dot.
func (im *importer) owner(l Line, s string, seconds uint32, f form) (definition.Head, bool) {
	name, ok := im.name(l, s)
	switch {
	case !ok:
		return definition.Head{}, false
	case !f.fitsOwner(name):
		im.skip(l, "%s: %s", name, f.rule)
	case seconds > maxTTL:
		im.skip(l, "TTL %d: write 0 to %d (RFC 2181 §8)", seconds, maxTTL)
	default:
		im.texts[l.Pos] = l.Text
		if !im.ordered[name] {
			im.ordered[name] = true
			im.order = append(im.order, name)
		}
		return definition.Head{Pos: l.Pos, Owner: name, TTL: definition.TTL{Seconds: seconds, Own: true}}, true
	}
	return definition.Head{}, false
}

// target returns the name that a line points to. It has its final dot.
func (im *importer) target(l Line, s string, f form) (definition.Name, bool) {
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

func (im *importer) name(l Line, s string) (definition.Name, bool) {
	name, err := definition.ParseName(s, ".")
	switch before, after, ok := strings.Cut(s, "@."); {
	case err != nil && ok:
		im.skip(l, "%q: \"@\" is the zone only where it stands alone: write %q", s, before+after)
	case err != nil:
		im.skip(l, "%v", err)
	}
	return name, err == nil
}

// finish removes the declarations that only the whole file shows to be impossible.
func (im *importer) finish() {
	im.dropOtherZones()
	im.declareApex()
	im.listPointers()
	im.shareTTLs()
	im.listDropped()
	slices.SortStableFunc(im.notConverted, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	declared := im.declared()
	lines := slices.Compact(im.notConverted)
	im.notConverted = nil
	for _, l := range lines {
		if declared[l.Pos] {
			im.changed = append(im.changed, l)
		} else {
			im.notConverted = append(im.notConverted, l)
		}
	}
}

// declared returns where something is declared.
func (im *importer) declared() map[definition.Pos]bool {
	declared := im.ofApex()
	for head := range im.set.Heads {
		declared[head.Pos] = true
	}
	return declared
}

// ofApex returns where the apex is declared.
func (im *importer) ofApex() map[definition.Pos]bool {
	at := make(map[definition.Pos]bool)
	for _, a := range im.set.Apexes {
		at[a.Pos] = true
		for _, s := range im.apex.servers {
			at[s.Pos] = true
		}
	}
	return at
}

// otherZone returns why a name cannot be declared in the zone, or "".
func (im *importer) otherZone(owner definition.Name) string {
	switch {
	case im.zone != "" && owner.Below(im.zone):
	case im.zone != "" && !im.isShort(owner):
		return fmt.Sprintf("%s is not below %s: import it with its own zone", owner, im.zone)
	case im.isShort(owner):
		return fmt.Sprintf("%s is a short name, which is in no zone: clients complete it by their search domain", owner)
	}
	return ""
}

// cut returns the topmost name that is delegated and that a name is at or below, or "".
func (im *importer) cut(owner definition.Name) (cut definition.Name) {
	for n := owner; n != im.zone && n != "."; n = n.Parent() {
		if im.delegated[n] {
			cut = n
		}
	}
	return cut
}

// dropOtherZones deletes the declarations that cannot be in the zone, and lists their lines.
func (im *importer) dropOtherZones() {
	im.isShort = shortNames(slices.Collect(im.set.EachOwner))
	dropOthers(im, &im.set.Hosts, func(h *definition.Host) (*definition.Head, bool) { return &h.Head, im.glued[h.Owner] })
	dropOthers(im, &im.set.Mails, func(m *definition.Mail) (*definition.Head, bool) { return &m.Head, false })
	dropOthers(im, &im.set.Services, func(s *definition.Service) (*definition.Head, bool) { return &s.Head, false })
	dropOthers(im, &im.set.Aliases, func(a *definition.Alias) (*definition.Head, bool) { return &a.Head, false })
	dropOthers(im, &im.set.Records, func(r *definition.Record) (*definition.Head, bool) {
		return &r.Head, im.cut(r.Owner) == r.Owner && (r.Type == dns.TypeNS || r.Type == dns.TypeDS)
	})
}

// dropOthers deletes declarations of one kind. The function returns the head of one, and whether it belongs to a
// delegation.
func dropOthers[D any](im *importer, all *[]D, of func(*D) (head *definition.Head, belongs bool)) {
	*all = slices.DeleteFunc(*all, func(d D) bool {
		head, belongs := of(&d)
		why, cut := im.otherZone(head.Owner), im.cut(head.Owner)
		if why == "" && cut != "" && !belongs {
			why = fmt.Sprintf("it is at or below %s, which is delegated: declare it in that zone (RFC 1034 §4.2.1)", cut)
		}
		if why != "" {
			im.skipAt(head.Pos, "%s", why)
		}
		return why != ""
	})
}

// listPointers lists the hosts of a reverse zone with addresses that have their names in it: they get PTR records.
func (im *importer) listPointers() {
	if !im.zone.IsReverse() {
		return
	}
	index := im.set.Index()
	for _, h := range im.set.Hosts {
		name, err := dns.ReverseAddr(h.Addrs[0].String())
		isPTR := func(r *definition.Record) bool { return r.Type == dns.TypePTR }
		if owner := definition.Name(name); err == nil && owner.Below(im.zone) && !slices.ContainsFunc(index.At(owner).Records(), isPTR) {
			im.skipAt(h.Pos, "the zone has the name of its address, %s, which gets a PTR record, too", owner)
		}
	}
}

// shareTTLs gives all declarations of a kind at an owner the lowest of their TTLs, as resolvers do (RFC 2181 §5.2).
func (im *importer) shareTTLs() {
	for o := range im.set.Index().Owners() {
		shareTTL(im, o.Hosts(), "the addresses of a host")
		shareTTL(im, o.Mails(), "the exchanges of a domain")
		shareTTL(im, o.Services(), "the targets of a service")
		shareTTL(im, o.Aliases(), "the records of a name")
		for _, s := range o.RRsets() {
			shareTTL(im, s.Declared, "the records of a name and type")
		}
	}
}

func shareTTL[D interface{ Header() *definition.Head }](im *importer, declared []D, what string) {
	lowest := uint32(maxTTL)
	for _, d := range declared {
		lowest = min(lowest, d.Header().TTL.Seconds)
	}
	for _, d := range declared {
		if h := d.Header(); h.TTL.Seconds != lowest {
			im.skipAt(h.Pos, "its TTL %d becomes %d: %s share one", h.TTL.Seconds, lowest, what)
			h.TTL.Seconds = lowest
		}
	}
}
