package foreign

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// readHosts reads lines of ADDRESS NAME..., as in hosts(5). Short names are below the zone, if the caller names it.
func readHosts(im *importer, source, text string) {
	im.isLoose = true
	zone := im.zone
	var local []Line
	for _, l := range plainLines(source, text) {
		im.comments = append(im.comments, l.commented)
		words := strings.Fields(l.text)
		if len(words) == 0 {
			continue
		}
		line := Line{Pos: l.Pos, Text: l.text}
		addr, err := netip.ParseAddr(words[0])
		switch {
		case err != nil || len(words) < 2:
			im.skip(line, "usage: ADDRESS NAME...")
		case !addr.Unmap().IsGlobalUnicast():
			local = append(local, line)
		default:
			im.hostNames(line, addr, fullNames(words[1:], zone))
		}
	}
	if len(local) > 0 {
		im.skip(local[0], "it is for the machine itself, or blocks a name: leave it to the hosts plugin%s", moreLikeThis(len(local)))
	}
	if im.zone == "" {
		im.zone = guessZone(slices.Collect(im.set.EachOwner))
	}
}

// fullNames returns names as absolute ones. A short name is below the zone, or without one left out beside a full name
// that starts with it: clients complete it.
func fullNames(words []string, zone definition.Name) (names []string) {
	for _, word := range words {
		isShort := !strings.Contains(strings.TrimSuffix(word, "."), ".")
		isOfOther := slices.ContainsFunc(words, func(other string) bool {
			return strings.HasPrefix(strings.ToLower(other), strings.ToLower(word)+".")
		})
		switch {
		case isShort && isOfOther:
		case isShort && zone != "":
			names = append(names, word+"."+strings.TrimPrefix(string(zone), "."))
		default:
			names = append(names, absolute(word))
		}
	}
	return names
}

// hostNames declares hosts with an address, which is found by the first of them.
func (im *importer) hostNames(l Line, addr netip.Addr, names []string) {
	first := len(im.set.Hosts)
	for _, name := range names {
		im.host(l, name, addr, definition.DefaultTTL)
	}
	if len(im.set.Hosts) > first+1 {
		im.set.Hosts[first].PTR = true
	}
}
