package lint

import (
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// What other plugins are to mxsrv.
var (
	// sources answer from elsewhere. They come after mxsrv in plugin.cfg.
	sources = []string{"auto", "azure", "clouddns", "dynupdate", "etcd", "file", "forward", "grpc", "hosts",
		"k8s_external", "kubernetes", "nomad", "route53", "secondary"}

	// transferers have zones that the transfer plugin sends.
	transferers = []string{"auto", "dynupdate", "file", "k8s_external", "kubernetes", "secondary"}
)

// PluginsOf returns plugins of a server block as they come before and after mxsrv in the plugin.cfg of CoreDNS.
func PluginsOf(names []string) (p Plugins) {
	p.Known = true
	for _, name := range slices.Sorted(slices.Values(names)) {
		switch {
		case name == "mxsrv":
		case slices.Contains(sources, name) || name == "loop" || name == "erratic" || name == "whoami":
			p.After = append(p.After, name)
		default:
			p.Before = append(p.Before, name)
		}
	}
	return p
}

// Answers reports whether a plugin of CoreDNS has records of its own for the names that mxsrv is asked for.
func Answers(plugin string) bool {
	return slices.Contains(append([]string{"template", "erratic", "whoami"}, sources...), plugin)
}

func (p *pass) hasBefore(plugin string) bool { return slices.Contains(p.opt.Plugins.Before, plugin) }

// after returns the plugins after mxsrv that are asked for names, as words of a message.
func (p *pass) after() string {
	asked := func(plugin string) bool { return plugin != "loop" } // which only asks itself
	return words(p.opt.Plugins.After, asked)
}

// words returns the plugins for which f is true as words of a message.
func words(plugins []string, f func(string) bool) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(plugins), func(s string) bool { return !f(s) }), " and ")
}

// glueTTLLower reports only where cache is: it keeps a message for the lowest TTL
// in it. Resolvers keep each RRset for its own.
func glueTTLLower(p *pass) {
	if !p.hasBefore("cache") {
		return
	}
	for o := range p.index.Owners() {
		mail := o.MailTTL()
		for _, e := range o.Exchanges() {
			p.lowerTTL(e.Pos, o.Name(), e.Host, mail)
		}
		service := o.ServiceTTL()
		for _, t := range o.Targets() {
			p.lowerTTL(t.Pos, o.Name(), t.Host, service)
		}
	}
}

// lowerTTL reports a host whose addresses have a lower TTL than the records that point to it.
func (p *pass) lowerTTL(pos definition.Pos, owner, host definition.Name, ttl uint32) {
	h := p.index.At(host)
	if lowest := h.HostTTL(); len(h.Hosts()) > 0 && lowest < ttl {
		p.report(pos, []definition.Name{owner, host}, "host %s has ttl %d and %s has %d, "+
			"and cache keeps the answer for %d: write the same ttl for both", host, lowest, owner, ttl, lowest)
	}
}

func minimalStripsGlue(p *pass) {
	if p.hasBefore("minimal") && len(p.set.Mails)+len(p.set.Services) > 0 {
		p.report(p.opt.Pos, nil, "the minimal plugin takes the addresses out of MX and SRV answers: "+
			"delete minimal from this server block")
	}
}

// loadbalanceShufflesMX reports the first mail domain whose backups loadbalance puts before its primaries.
func loadbalanceShufflesMX(p *pass) {
	if !p.hasBefore("loadbalance") {
		return
	}
	for o := range p.index.Owners() {
		x := o.Exchanges()
		if n := len(x); n > 0 && x[0].Preference != x[n-1].Preference {
			p.report(p.opt.Pos, []definition.Name{o.Name()}, "loadbalance shuffles the MX of %s across preferences, "+
				"for clients that take the first: delete it, as mxsrv itself sends equal ones in a new order each time", o.Name())
			return
		}
	}
}

func templateInFront(p *pass) {
	for _, plugin := range p.opt.Plugins.Before {
		switch {
		case p.index.Len() == 0:
		case plugin == "template":
			p.report(p.opt.Pos, nil, "template comes before mxsrv and answers all that it matches, "+
				"declared names too: write a match that they do not fit")
		case slices.Contains(sources, plugin):
			p.report(p.opt.Pos, nil, "%s comes before mxsrv and answers for declared names: "+
				"put mxsrv before it in plugin.cfg, and build again", plugin)
		}
	}
}

// behindUnreached reports plugins that would be asked if an authoritative zone had fallthrough.
func behindUnreached(p *pass) {
	after := p.after()
	overlay := func(zone definition.Name) bool { return p.index.At(p.zones.Of(zone)).Apex() == nil }
	if after == "" || len(p.set.Apexes) == 0 || len(p.opt.Fallthrough) > 0 ||
		slices.ContainsFunc(p.opt.Zones, overlay) || slices.ContainsFunc(p.opt.BlockZones, overlay) {
		return
	}
	p.report(p.set.Apexes[0].Pos, nil, "mxsrv answers for all names in %s, and %s after it gets no queries: "+
		"write fallthrough, or delete %s", list(p.opt.Zones), after, after)
}

// transferIncomplete reports zones of which mxsrv answers a part and another plugin the
// rest: transfer asks one of them.
func transferIncomplete(p *pass) {
	if !p.hasBefore("transfer") {
		return
	}
	if after := p.after(); after != "" {
		for _, a := range p.set.Apexes {
			related := func(zone definition.Name) bool { return zone.Below(a.Zone) || a.Zone.Below(zone) }
			if slices.ContainsFunc(p.opt.Fallthrough, related) {
				p.report(a.Pos, nil, "secondaries get %s without what %s has: "+
					"declare that here and delete fallthrough, or delete transfer", a.Zone, after)
			}
		}
	}
	sender := words(p.opt.Plugins.After, func(plugin string) bool { return slices.Contains(transferers, plugin) })
	declaring := p.declaring()
	for _, zone := range p.opt.Zones {
		switch {
		case p.index.At(zone).Apex() != nil || !declaring[zone]:
		case sender != "":
			p.report(p.zonePos(zone), nil, "secondaries get %s from %s, without what is declared here: "+
				"write authoritative and declare all of it, or delete transfer", zone, sender)
		case !slices.ContainsFunc(p.opt.Plugins.After, mayTransfer):
			p.report(p.zonePos(zone), nil, "secondaries get SERVFAIL for %s, as no plugin here transfers it: "+
				"write authoritative { ns NAME... }, or delete transfer", zone)
		}
	}
}

// mayTransfer reports whether a plugin after mxsrv may have zones for the transfer plugin. Nobody knows that of those of
// others.
func mayTransfer(plugin string) bool {
	return slices.Contains(transferers, plugin) || !slices.Contains(sources, plugin) && plugin != "loop"
}

// declaring returns the zones in which something is declared, and "" if something is declared in none.
func (p *pass) declaring() definition.Names {
	zones := definition.Names{}
	for o := range p.index.Owners() {
		zones[p.zones.Of(o.Name())] = true
	}
	return zones
}
