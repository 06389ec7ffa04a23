package foreign

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Detect returns what most lines of a text are, or false if none is typical of any kind.
func Detect(text string) (Kind, bool) {
	if isListing(text) {
		return SkyDNS, true
	}
	zone, dnsmasq, hosts := 0, 0, 0
	for line := range strings.Lines(text) {
		switch {
		case isOption(line):
			dnsmasq++
		case isHostsLine(line):
			hosts++
		case isZoneLine(line):
			zone++
		}
	}
	switch {
	case hosts > max(zone, dnsmasq):
		return Hosts, true
	case dnsmasq > zone:
		return Dnsmasq, true
	}
	return Zone, zone > 0
}

// isOption reports whether a line is an option of dnsmasq about records.
func isOption(line string) bool {
	key, _, _ := strings.Cut(strings.TrimPrefix(uncomment(line), "--"), "=")
	key = strings.TrimSpace(key)
	return records[key] != nil || notRecords[key] != "" || settings[key] != nil
}

// isZoneLine reports whether a line is a directive, or has a type of records where one is written: after the owner, the
// class and the TTL.
func isZoneLine(line string) bool {
	if strings.HasPrefix(line, "$") {
		return true
	}
	line, _, _ = strings.Cut(line, ";")
	line, _, _ = strings.Cut(line, "#") // a comment elsewhere
	words := strings.Fields(aging.ReplaceAllString(line, "$1"))
	return slices.ContainsFunc(words[:min(len(words), 4)], isType)
}

func isType(word string) bool {
	t, ok := dns.StringToType[strings.ToUpper(word)]
	return ok && t != dns.TypeNone && t != dns.TypeANY
}

// isHostsLine reports whether a line is an address and a name, and not the record of a name that is like an address.
func isHostsLine(line string) bool {
	line, _, _ = strings.Cut(line, "#")
	words := strings.Fields(line)
	if len(words) < 2 {
		return false
	}
	_, err := netip.ParseAddr(words[0])
	class := dns.StringToClass[strings.ToUpper(words[1])]
	return err == nil && class == 0 && !isNumber(words[1]) && !isType(words[1])
}
