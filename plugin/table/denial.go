package table

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// NegativeTTL is for how many seconds a denial may be cached (RFC 2308 §5) in a zone that is not authoritative. New
// hosts and services appear all the time, and whoever asked too early should not wait long; CoreDNS's kubernetes
// denies for 5 s, zone files for an hour.
const NegativeTTL = definition.DefaultNegative

// Denial returns the answer that a name does not exist, or has no records of a type, for use where no other plugin
// has records of it. It has no SOA if the name is in no zone.
func (t *Table) Denial(name string, qtype uint16) Answer {
	n := definition.Name(name)
	return t.denial(t.zones.Of(n), n, qtype, t.of(n).exists(n))
}

// Authoritative reports whether a name is in an authoritative zone and the next plugin has no records of it.
func (t *Table) Authoritative(name string) bool {
	return t.authoritativeZone(definition.Name(name)) != ""
}

// AuthoritativeSOA returns the SOA record for denials in the authoritative zone of a name, or nil if there is no such
// zone. Other plugins may have records of the name all the same.
func (t *Table) AuthoritativeSOA(name string) []dns.RR {
	if len(t.authoritative) == 0 {
		return nil
	}
	zone := t.zones.Of(definition.Name(name))
	if !t.authoritative[zone] {
		return nil
	}
	return t.denials[t.numbers[zone]]
}

// BelongsToParent reports whether a question is for the zone above an authoritative one: it is for DS at the apex
// (RFC 4035 §3.1.4.1), and that zone is not authoritative here.
func (t *Table) BelongsToParent(name string, qtype uint16) bool {
	return qtype == dns.TypeDS && t.IsApex(name) && !t.authoritative[t.zones.Of(definition.Name(name).Parent())]
}

// missing answers a question that there is no data for: with a denial if that is certain.
func (t *Table) missing(match Match, name string, qtype uint16, a *Answer) Match {
	if len(t.authoritative) == 0 {
		return match
	}
	zone := t.authoritativeZone(definition.Name(name))
	if zone == "" || t.BelongsToParent(name, qtype) {
		return match
	}
	if match == None {
		if w := t.wildcard(definition.Name(name)); w != "" {
			*a = t.synthesize(w, name, qtype)
			t.follow(qtype, a)
			return Data
		}
	}
	*a = t.denial(zone, definition.Name(name), qtype, match == Exists)
	return Data
}

// authoritativeZone returns the authoritative zone of a name, or "" if there is none or the next plugin may have
// records of the name.
func (t *Table) authoritativeZone(name definition.Name) definition.Name {
	zone := t.zones.Of(name)
	if !t.authoritative[zone] || len(t.fallthroughs) > 0 && t.fallthroughs.Of(name) != "" {
		return ""
	}
	return zone
}

// denial is Denial for a name whose zone is known, and whether it exists in that.
func (t *Table) denial(zone, name definition.Name, qtype uint16, exists bool) Answer {
	a := Answer{}
	if name != zone && !exists {
		a.Rcode = dns.RcodeNameError
	}
	if qtype == dns.TypeDS && name == zone {
		if parent := t.zones.Of(name.Parent()); t.authoritative[parent] {
			zone = parent // which delegates, RFC 4035 §3.1.4.1
		}
	}
	a.Ns = t.denials[t.numbers[zone]]
	return a
}

// overlaySOA returns the SOA of a zone that is not authoritative: enough for a denial. The names in it are those that
// CoreDNS's own synthesizing plugins use.
func overlaySOA(zone definition.Name) *dns.SOA {
	z := strings.TrimPrefix(string(zone), ".")
	return &dns.SOA{
		Hdr:     header(zone, dns.TypeSOA, NegativeTTL),
		Ns:      "ns.dns." + z,
		Mbox:    "hostmaster." + z,
		Refresh: 7200,
		Retry:   1800,
		Expire:  86400,
		Minttl:  NegativeTTL,
	}
}
