package lint

import (
	"cmp"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func (p *pass) zonePos(zone definition.Name) definition.Pos {
	return cmp.Or(p.opt.ZonePos[zone], p.opt.Pos)
}

func zoneUnreachable(p *pass) {
	reached := p.opt.BlockZones.Set()
	for _, zone := range p.opt.Zones {
		if len(reached) > 0 && reached.Of(zone) == "" {
			p.report(p.zonePos(zone), []definition.Name{zone}, "the server block gets no queries for %s, "+
				"only those below %s: write %s in front of its brace too", zone, list(p.opt.BlockZones), zone)
		}
	}
}

// nestedSigned reports zones within others that no resolver can validate: the records of
// a zone must be signed as that zone, and the denial of its DS as the one above.
func nestedSigned(p *pass) {
	if len(p.opt.Plugins.Signed) == 0 {
		return
	}
	all, signed := slices.Concat(p.opt.Zones, p.opt.BlockZones), p.opt.Plugins.Signed.Set()
	for i, zone := range all {
		if signed[zone] && p.isDelegated(zone) {
			continue
		}
		outer := signedAround(zone, all, signed)
		if outer != "" && (p.zones[zone] || p.zones[outer]) && !slices.Contains(all[:i], zone) {
			p.report(p.zonePos(zone), []definition.Name{zone, outer}, "zone %s is within %s, and with dnssec in "+
				"the server block resolvers that validate reject it: write authoritative for both, and both in front of "+
				"the brace; or declare its names in %s", zone, outer, outer)
		}
	}
}

// isDelegated reports whether an authoritative zone is within another one, which has its NS and DS records.
func (p *pass) isDelegated(zone definition.Name) bool {
	above := p.zones.Of(zone.Parent())
	return p.index.At(zone).Apex() != nil && p.index.At(above).Apex() != nil
}

// signedAround returns a signed zone, one of some or that of dnssec, that another signed zone is within; or "".
func signedAround(zone definition.Name, all definition.Zones, signed definition.ZoneSet) definition.Name {
	if signer := signed.Of(zone); signer != zone {
		return signer
	}
	i := slices.IndexFunc(all, func(z definition.Name) bool { return z != zone && zone.Below(z) && signed.Of(z) != "" })
	if i < 0 {
		return ""
	}
	return all[i]
}
