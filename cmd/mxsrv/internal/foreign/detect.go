package foreign

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Detect returns what most lines of a text are, or false if none is typical of either kind.
func Detect(text string) (Kind, bool) {
	zone, dnsmasq := 0, 0
	for line := range strings.Lines(text) {
		switch {
		case isOption(line):
			dnsmasq++
		case isZoneLine(line):
			zone++
		}
	}
	if dnsmasq > zone {
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
	return slices.ContainsFunc(words[:min(len(words), 4)], func(word string) bool {
		t, ok := dns.StringToType[strings.ToUpper(word)]
		return ok && t != dns.TypeNone && t != dns.TypeANY
	})
}
