package foreign

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// An apex is what the SOA and NS records of a zone say of the zone itself.
type apex struct {
	soa     *dns.SOA
	at      Line // of soa
	servers []server
}

// A server is an NS record.
type server struct {
	Line
	host    definition.Name
	seconds uint32 // its TTL
}

// startOfAuthority notes the SOA record. At the end of a transfer it is repeated.
func (z *zoneReader) startOfAuthority(l Line, rr *dns.SOA) {
	z.setZone(rr.Hdr.Name)
	if strings.EqualFold(rr.Hdr.Name, string(z.zone+z.zone)) { // Cloudflare writes it without its final dot
		z.owner = string(z.zone)
		rr.Hdr.Name = z.owner
	}
	name, ok := z.name(l, rr.Hdr.Name)
	switch {
	case !ok:
	case name != z.zone:
		z.skip(l, "it is the SOA record of another zone than %s: import that by itself", z.zone)
	case z.apex.soa == nil:
		z.apex.soa, z.apex.at = rr, l
	case z.apex.soa.String() != rr.String():
		z.skip(l, "a second SOA record of %s: delete one", z.zone)
	}
}

// nameServer reads an NS record, of the zone or of a delegation.
func (z *zoneReader) nameServer(l Line, rr *dns.NS) {
	name, ok := z.name(l, rr.Hdr.Name)
	if z.zone == "" {
		z.early = append(z.early, l)
		return
	}
	if !ok {
		return
	}
	host, ok := z.importer.target(l, rr.Ns, targets)
	switch {
	case !ok:
	case name != z.zone:
		z.delegated[name] = true
		z.glued[host] = true
		z.other(l, rr)
	case host == ".":
		z.skip(l, "%q is no host: write the name of one", host)
	default:
		z.glued[host] = true
		z.texts[l.Pos] = l.Text
		z.apex.servers = append(z.apex.servers, server{l, host, rr.Hdr.Ttl})
	}
}

// declareApex declares the apex of the zone. What cannot be declared of it is listed, and is as if nothing were said.
func (im *importer) declareApex() {
	a := im.apex
	if len(a.servers) == 0 {
		if a.soa != nil {
			im.skip(a.at, "a zone needs NS records beside the SOA: write \"ns NAME...\" in authoritative")
		}
		return
	}
	block := "ns"
	for _, s := range a.servers {
		block += " " + string(s.host)
	}
	block += fmt.Sprintf(" {\nttl %d\n}\n", im.serverTTL())
	at := a.servers[0].Line
	if a.soa != nil {
		at = a.at
		for _, line := range linesOf(a.soa) {
			if _, errs := im.readApex(block + line); len(errs) > 0 {
				im.skip(at, "%s", errs[0].Text)
			} else {
				block += line
			}
		}
	}
	apexes, errs := im.readApex(block)
	if len(errs) > 0 {
		im.skip(at, "%s", errs[0].Text)
		return
	}
	for i := range apexes {
		im.place(&apexes[i], at)
	}
	im.set.Apexes = apexes
}

// linesOf returns what an SOA record says as lines of authoritative.
func linesOf(soa *dns.SOA) []string {
	return []string{
		"primary " + soa.Ns + "\n",
		"contact " + soa.Mbox + "\n",
		fmt.Sprintf("ttl %d\n", soa.Hdr.Ttl),
		fmt.Sprintf("refresh %d\n", soa.Refresh),
		fmt.Sprintf("retry %d\n", soa.Retry),
		fmt.Sprintf("expire %d\n", soa.Expire),
		fmt.Sprintf("negative %d\n", soa.Minttl),
	}
}

// readApex reads the lines of an authoritative block.
func (im *importer) readApex(block string) ([]definition.Apex, definition.Errors) {
	zones := definition.Zones{im.zone}
	r := definition.NewReader(zones)
	errs := definition.EachStatement(definition.Pos{}, "authoritative {\n"+block+"}", func(s definition.Statement) {
		r.Authoritative(s, zones)
	})
	set, more := r.Set()
	return set.Apexes, append(errs, more...)
}

// place gives an apex and its servers the positions of the lines that they come from.
func (im *importer) place(a *definition.Apex, at Line) {
	a.Pos = at.Pos
	im.texts[at.Pos] = at.Text
	for i := range a.Servers {
		j := slices.IndexFunc(im.apex.servers, func(s server) bool { return s.host == a.Servers[i].Host })
		a.Servers[i].Pos = im.apex.servers[j].Pos
	}
}

// serverTTL returns the lowest TTL of the NS records, and lists the lines with others.
func (im *importer) serverTTL() uint32 {
	lowest := uint32(maxTTL)
	for _, s := range im.apex.servers {
		lowest = min(lowest, s.seconds)
	}
	for _, s := range im.apex.servers {
		if s.seconds != lowest {
			im.skip(s.Line, "its TTL %d becomes %d: the name servers of a zone share one", s.seconds, lowest)
		}
	}
	return lowest
}
