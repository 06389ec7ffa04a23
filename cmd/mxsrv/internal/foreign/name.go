package foreign

import (
	"net/netip"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A form is what names of some kind look like.
type form struct {
	fits func(definition.Name) bool
	what string
}

var (
	hosts    = form{definition.Name.IsHost, "a host has letters, digits and inner hyphens in its name (RFC 1123 §2.1)"}
	domains  = form{definition.Name.IsHost, "a mail domain has letters, digits and inner hyphens in its name (RFC 1123 §2.1)"}
	services = form{definition.Name.IsService, "a service is named _SERVICE._PROTO.DOMAIN (RFC 2782)"}
	aliases  = form{definition.Name.IsPlain, "an alias has letters, digits, hyphens and underscores in its name"}
)

// owner reads the name that a line declares, with its final dot.
func (im *importer) owner(l line, s string, f form) (definition.Name, bool) {
	name, ok := im.name(l, s)
	switch {
	case !ok:
		return "", false
	case strings.Contains(string(name), "*"):
		im.unsay(l, "there are no wildcards: declare each name that is asked for")
		return "", false
	case !f.fits(name):
		im.unsay(l, "%s: %s", name, f.what)
		return "", false
	}
	im.texts[l.Pos] = l.text
	return name, true
}

// target reads the name that a line points to, with its final dot.
func (im *importer) target(l line, s string, f form) (definition.Name, bool) {
	if _, err := netip.ParseAddr(strings.TrimSuffix(s, ".")); err == nil {
		im.unsay(l, "%s is an address where the name of a host belongs: declare a host and write its name", s)
		return "", false
	}
	name, ok := im.name(l, s)
	if ok && !f.fits(name) {
		im.unsay(l, "%s: %s", name, f.what)
		return "", false
	}
	return name, ok
}

func (im *importer) name(l line, s string) (definition.Name, bool) {
	name, err := definition.ParseName(s, ".")
	if err != nil {
		im.unsay(l, "%v", err)
		return "", false
	}
	return name, true
}

// maxTTL is the highest that there is (RFC 2181 §8).
const maxTTL = 1<<31 - 1

func (im *importer) ttl(l line, seconds uint32) (definition.TTL, bool) {
	if seconds > maxTTL {
		im.unsay(l, "TTL %d: write 0 to %d (RFC 2181 §8)", seconds, maxTTL)
		return definition.TTL{}, false
	}
	return definition.TTL{Seconds: seconds, Own: true}, true
}
