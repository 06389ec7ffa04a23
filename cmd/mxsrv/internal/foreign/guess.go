package foreign

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// guessZone returns the zone that all names seem to be in, or "". Short names are in none, so they do not count; nor do
// those of addresses beside others.
func guessZone(names []definition.Name) definition.Name {
	names = slices.DeleteFunc(slices.Clone(names), shortNames(names))
	if slices.ContainsFunc(names, isForward) {
		names = slices.DeleteFunc(names, definition.Name.IsReverse)
	}
	if len(names) == 0 {
		return ""
	}
	zone := withoutService(names[0])
	for _, n := range names {
		for !n.Below(zone) {
			zone = zone.Parent()
		}
	}
	isOnly := !slices.ContainsFunc(names, func(n definition.Name) bool { return n != zone && withoutService(n) != zone })
	if parent := zone.Parent(); isOnly && !isPublic(parent) {
		return parent
	}
	if isPublic(zone) {
		return ""
	}
	return zone
}

func isForward(n definition.Name) bool { return !n.IsReverse() }

// shortNames returns a function that reports which of some names have a single label and are no domain of another one.
func shortNames(names []definition.Name) func(definition.Name) bool {
	domains := make(map[definition.Name]bool)
	for _, n := range names {
		if labels := n.Labels(); len(labels) > 1 {
			domains[definition.Name(labels[len(labels)-1]+".")] = true
		}
	}
	return func(n definition.Name) bool { return n.Parent() == "." && !domains[n] }
}

// withoutService returns a name without the labels of a service (_ldap._tcp) at its start.
func withoutService(n definition.Name) definition.Name {
	for strings.HasPrefix(string(n), "_") {
		n = n.Parent()
	}
	return n
}

// isPublic reports whether a name is a domain below which others register theirs, such as com or co.uk, and so the zone
// of no file here.
func isPublic(n definition.Name) bool {
	domain := strings.TrimSuffix(string(n), ".")
	suffix, isListed := publicsuffix.PublicSuffix(domain)
	return domain == "" || isListed && suffix == domain
}
