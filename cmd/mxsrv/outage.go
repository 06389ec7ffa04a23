package main

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

// An outage is the hosts and addresses of --down.
type outage struct {
	domain string
	down   map[string]bool // by address, or name as plans have it: whether any host had it
}

const downUsage = "a `HOST` or address that is down; repeat it for several. A HOST without a dot is below the domain"

func newOutage(words []string, domain string) *outage {
	d := &outage{domain, map[string]bool{}}
	for _, word := range words {
		if addr, err := netip.ParseAddr(word); err == nil {
			d.down[addr.String()] = false
		} else {
			d.down[hostBelow(domain, word)] = false
		}
	}
	return d
}

// hostBelow returns the name of a host as plans have it. One without a dot is below the domain.
func hostBelow(domain, host string) string {
	if host != "" && !strings.Contains(host, ".") {
		host += "." + domain
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// includes reports whether a host is down: by its name, or with all its addresses.
func (d *outage) includes(h delivery.Host) bool {
	up := slices.DeleteFunc(slices.Clone(h.Addrs), func(addr netip.Addr) bool { return d.has(addr.String()) })
	return d.has(h.Name) || len(up) == 0 && len(h.Addrs) > 0
}

func (d *outage) has(word string) bool {
	_, down := d.down[word]
	if down {
		d.down[word] = true
	}
	return down
}

// noteUnused notes which words of --down no host had: they are misspelled, mostly.
func (d *outage) noteUnused(u *ui) {
	for _, word := range slices.Sorted(maps.Keys(d.down)) {
		if !d.down[word] {
			u.note("--down %s: no host here has this name or address", word)
		}
	}
}
