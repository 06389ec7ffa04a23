package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

// An outage holds what --down means, addresses and names as plans have them.
type outage map[string]bool

// newOutage returns what words mean of the hosts that the mail or the clients of a domain may be sent to. A word that is
// none of them is an error: what it was to take down would count as up. Without any hosts, no word matters.
func newOutage(words []string, domain string, hosts []delivery.Host) (outage, error) {
	o := outage{}
	hosts = filter(hosts, func(h delivery.Host) bool { return h.Name != "." })
	if len(hosts) == 0 {
		return o, nil
	}
	for _, word := range words {
		key, err := hostNamed(word, domain, hosts)
		if err != nil {
			return nil, fmt.Errorf("--down %s: %v", word, err)
		}
		o[key] = true
	}
	return o, nil
}

// hostNamed returns which of some hosts a word means, by its name or one of its addresses, as plans have it. One without
// a dot is below the domain, or else the first label of the only host that has it.
func hostNamed(word, domain string, hosts []delivery.Host) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(word, "."))
	var names, same []string // all, and those that begin with the word
	for _, h := range hosts {
		if addr, err := netip.ParseAddr(word); err == nil && slices.Contains(h.Addrs, addr) {
			return addr.String(), nil
		}
		names = append(names, h.Name)
		if first, _, _ := strings.Cut(h.Name, "."); strings.EqualFold(first, word) {
			same = append(same, h.Name)
		}
	}
	if below := name + "." + domain; slices.Contains(names, below) && !strings.Contains(word, ".") {
		return below, nil
	}
	if slices.Contains(names, name) {
		return name, nil
	}
	slices.Sort(same)
	switch same = slices.Compact(same); len(same) {
	case 0:
		slices.Sort(names)
		return "", fmt.Errorf("no host here has this name or address: write one of %s", firstOf(slices.Compact(names), ", and "))
	case 1:
		return same[0], nil
	}
	return "", fmt.Errorf("several hosts begin so: write one of %s", firstOf(same, ", and "))
}

// includes reports whether a host is down: by its name, or with all its addresses.
func (o outage) includes(h delivery.Host) bool {
	up := filter(h.Addrs, func(addr netip.Addr) bool { return !o[addr.String()] })
	return o[h.Name] || len(up) == 0 && len(h.Addrs) > 0
}
