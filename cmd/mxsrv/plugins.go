package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// coredns is the version whose plugins these are, in its order.
const coredns = "CoreDNS 1.15"

var corednsPlugins = strings.Fields(`
	root metadata geoip cancel proxyproto quic grpc_server https https3 timeouts multisocket reload nsid bufsize bind debug
	trace ready health pprof shed prometheus errors log dnstap local dns64 siit any chaos loadbalance tsig rewrite autopath
	acl cache header dnssec tls minimal template transfer dynupdate hosts route53 azure clouddns k8s_external kubernetes
	file auto secondary etcd loop forward grpc erratic whoami on sign view nomad`)

var allPlugins = append([]string{"mxsrv"}, corednsPlugins...)

// pluginRules are the rules about the plugins of a Corefile. The tool has no server that would refuse one, and cannot
// know those of other builds.
var pluginRules = []lint.Rule{
	{ID: "plugin-misspelled", Severity: lint.Error, Doc: "a plugin that does not exist and is spelled like one that does"},
	{ID: "plugin-unknown", Severity: lint.Warning, Doc: "a plugin that " + coredns + " does not have"},
}

// toolRules returns the rules that the tool has beside those of package lint.
func toolRules() []lint.Rule { return slices.Concat(onlineRules, pluginRules) }

// pluginFindings returns what is wrong with the names of the plugins of a server block.
func pluginFindings(path string, b caddyfile.ServerBlock) (findings []lint.Finding) {
	for name, tokens := range b.Tokens {
		if slices.Contains(allPlugins, name) {
			continue
		}
		t := shorten(tokens[:1])[0]
		pos := definition.Pos{Source: cmp.Or(t.File, path), Line: t.Line}
		if near, ok := misspelled(name); ok {
			findings = append(findings, finding("plugin-misspelled", pos, nil,
				"%q is no plugin: did you mean %s?", name, near)...)
		} else {
			findings = append(findings, finding("plugin-unknown", pos, nil,
				"%q is no plugin of %s: serve this with a build that has it", name, coredns)...)
		}
	}
	return findings
}

// onlySource reports whether nobody but mxsrv has names of the zones of a server block: none of its plugins, of which
// all are known, and no other server block.
func onlySource(b caddyfile.ServerBlock, all []caddyfile.ServerBlock) bool {
	for name := range b.Tokens {
		if !slices.Contains(allPlugins, name) || lint.Answers(name) {
			return false
		}
	}
	zones := plugin.OriginsFromArgsOrServerBlock(b.Keys, nil)
	for _, other := range all {
		for _, inner := range plugin.OriginsFromArgsOrServerBlock(other.Keys, nil) {
			if !slices.Contains(zones, inner) && plugin.Zones(zones).Matches(inner) != "" {
				return false
			}
		}
	}
	return true
}

// misspelled returns the plugin that a name is near to, if it is near enough to be a slip: short names of plugins that
// others have made may well differ in two letters.
func misspelled(name string) (string, bool) {
	distance := func(plugin string) int { return definition.Distance(name, plugin) }
	near := slices.MinFunc(allPlugins, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	return near, len(name) > 2 && distance(near) <= 1+len(name)/6
}

// suggestsMXSRV reports whether a finding is that mxsrv is misspelled.
func suggestsMXSRV(f lint.Finding) bool {
	return strings.HasSuffix(f.Text, fmt.Sprintf("mean %s?", allPlugins[0]))
}
