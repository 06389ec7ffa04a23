package foreign

import (
	"net/netip"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A form is what names of a kind look like.
type form struct {
	fits func(definition.Name) bool
	rule string
}

var (
	hosts    = form{definition.Name.IsHost, "a host has letters, digits and inner hyphens in its name (RFC 1123 §2.1)"}
	domains  = form{definition.Name.IsHost, "a mail domain has letters, digits and inner hyphens in its name (RFC 1123 §2.1)"}
	services = form{definition.Name.IsService, "a service is named _SERVICE._PROTO.DOMAIN (RFC 2782)"}
	aliases  = form{definition.Name.IsPlain, "an alias has letters, digits, hyphens and underscores in its name"}
)

// maxTTL is the highest TTL (RFC 2181 §8).
const maxTTL = 1<<31 - 1

// owner returns the name and the TTL of a declaration, if both are valid. The name has its final dot.
func (im *importer) owner(l line, s string, seconds uint32, f form) (definition.Name, definition.TTL, bool) {
	name, ok := im.name(l, s)
	switch {
	case !ok:
		return "", definition.TTL{}, false
	case strings.Contains(string(name), "*"):
		im.skip(l, "there are no wildcards: declare each name that is asked for")
		return "", definition.TTL{}, false
	case !f.fits(name):
		im.skip(l, "%s: %s", name, f.rule)
		return "", definition.TTL{}, false
	}
	im.texts[l.Pos] = l.text
	if seconds > maxTTL {
		im.skip(l, "TTL %d: write 0 to %d (RFC 2181 §8)", seconds, maxTTL)
		return "", definition.TTL{}, false
	}
	return name, definition.TTL{Seconds: seconds, Own: true}, true
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
