package main

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

// An outage holds what --down says, addresses and names as plans have them, and whether any host had it.
type outage map[string]bool

func newOutage(words []string, domain string) outage {
	o := outage{}
	for _, word := range words {
		key := hostBelow(domain, word)
		if addr, err := netip.ParseAddr(word); err == nil {
			key = addr.String()
		}
		o[key] = false
	}
	return o
}

// hostBelow returns the name of a host as plans have it. One without a dot is below the domain.
func hostBelow(domain, host string) string {
	if host != "" && !strings.Contains(host, ".") {
		host += "." + domain
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// includes reports whether a host is down: by its name, or with all its addresses.
func (o outage) includes(h delivery.Host) bool {
	up := filter(h.Addrs, func(addr netip.Addr) bool { return !o.has(addr.String()) })
	return o.has(h.Name) || len(up) == 0 && len(h.Addrs) > 0
}

func (o outage) has(key string) bool {
	_, down := o[key]
	if down {
		o[key] = true
	}
	return down
}

// noteUnused notes which words of --down no host had: they are misspelled, mostly.
func (o outage) noteUnused(u *ui) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !o[key] {
			u.note("--down %s: no host here has this name or address", key)
		}
	}
}
