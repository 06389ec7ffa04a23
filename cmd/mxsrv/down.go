package main

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

// unreachable is what the command line says is down.
type unreachable struct {
	domain string
	hosts  map[string]bool // whether a host of this name was met
	addrs  map[netip.Addr]bool
}

func newDown(words []string, domain string) *unreachable {
	d := &unreachable{domain, map[string]bool{}, map[netip.Addr]bool{}}
	for _, word := range words {
		if addr, err := netip.ParseAddr(word); err == nil {
			d.addrs[addr] = false
		} else {
			d.hosts[d.full(word)] = false
		}
	}
	return d
}

// full returns the name of a host as plans have it; one without a dot is below
// the domain.
func (d *unreachable) full(host string) string {
	if host != "" && !strings.Contains(host, ".") {
		host += "." + d.domain
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// host reports whether a host is down: by its name, or with all its addresses.
func (d *unreachable) host(h delivery.Host) bool {
	left := 0
	for _, addr := range h.Addrs {
		if _, down := d.addrs[addr]; down {
			d.addrs[addr] = true
		} else {
			left++
		}
	}
	if _, down := d.hosts[h.Name]; down {
		d.hosts[h.Name] = true
		return true
	}
	return left == 0 && len(h.Addrs) > 0
}

// unused notes what was said to be down and met nothing: a slip, mostly.
func (d *unreachable) unused(u *ui) {
	var unused []string
	for host, met := range d.hosts {
		if !met {
			unused = append(unused, host)
		}
	}
	for addr, met := range d.addrs {
		if !met {
			unused = append(unused, addr.String())
		}
	}
	slices.Sort(unused)
	for _, word := range unused {
		u.note("--down %s: no host here has this name or address", word)
	}
}
