package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"

	"github.com/mxsrv/mxsrv/plugin/corefile"
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
	{ID: "plugin-as-zone", Severity: lint.Warning,
		Doc: "a server block whose zone is the name of a plugin; an error if it is a brace"},
	{ID: "plugin-misspelled", Severity: lint.Error, Doc: "a plugin that does not exist and is spelled like one that does"},
	{ID: "plugin-unknown", Severity: lint.Warning, Doc: "a plugin that " + coredns + " does not have; an error if it is none for sure"},
}

// allRules returns the rules of package lint, and those that the tool has beside them.
func allRules() []lint.Rule { return slices.Concat(lint.Rules(), onlineRules, pluginRules) }

// pluginFindings returns what is wrong with the names of the plugins of a server block. Of the lines that belong into
// the block of mxsrv it is the first one.
func pluginFindings(path string, b caddyfile.ServerBlock) (findings []lint.Finding) {
	stray := isCutOff(b) // the lines that follow are, too
	for _, name := range byLine(b.Tokens) {
		first := b.Tokens[name][0]
		pos := definition.Pos{Source: cmp.Or(shorten([]caddyfile.Token{first})[0].File, path), Line: first.Line}
		near, isNear := misspelled(name)
		switch {
		case slices.Contains(allPlugins, name):
		case isStatement(name):
			if !stray {
				findings = append(findings, refused(finding("plugin-unknown", pos, nil, "%q is a line of mxsrv, %s", name, unopened(b)))...)
			}
			stray = true
		case isBraces(name):
			findings = append(findings, refused(finding("plugin-unknown", pos, nil, "%q is too many here: delete it", name))...)
		case strings.ContainsAny(name, ".:"):
			findings = append(findings, refused(finding("plugin-unknown", pos, nil,
				"%q begins a server block within another one: %s", name, separate(b)))...)
		case isNear:
			findings = append(findings, finding("plugin-misspelled", pos, nil,
				"%q is no plugin: did you mean %s?", name, near)...)
		default:
			findings = append(findings, finding("plugin-unknown", pos, nil,
				"%q is no plugin of %s: serve this with a build that has it", name, coredns)...)
		}
	}
	return findings
}

// byLine returns the names of plugins in the order of a Corefile.
func byLine(plugins map[string][]caddyfile.Token) []string {
	return slices.SortedFunc(maps.Keys(plugins), func(a, b string) int {
		x, y := plugins[a][0], plugins[b][0]
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(a, b))
	})
}

// refused returns findings as errors: no build of CoreDNS starts with what they are about.
func refused(findings []lint.Finding) []lint.Finding {
	for i := range findings {
		findings[i].Rule.Severity = lint.Error
	}
	return findings
}

// isStatement reports whether a word starts a line of the block of mxsrv, or of a block in that.
func isStatement(word string) bool {
	_, err := strconv.Atoi(word)
	return err == nil || slices.Contains(slices.Concat(definition.Keywords(), corefile.Options(), []string{"ns", "contact"}), word)
}

// unopened says why a line of mxsrv is not in the block of mxsrv.
func unopened(b caddyfile.ServerBlock) string {
	tokens := b.Tokens["mxsrv"]
	isBrace := func(t caddyfile.Token) bool { return t.Text == "{" }
	switch {
	case len(tokens) == 0:
		return "and this server block has none: write mxsrv { before it, and } after its last line"
	case slices.ContainsFunc(tokens, isBrace):
		return fmt.Sprintf("whose block (line %d) is closed before: delete the %q that is too many", tokens[0].Line, "}")
	default:
		return fmt.Sprintf("whose block is not open: write %q after mxsrv in line %d", "{", tokens[0].Line)
	}
}

// separate says how a server block is separated from the one before, whose key may lack its brace.
func separate(b caddyfile.ServerBlock) string {
	return fmt.Sprintf("write %q before it, or %q after %s if that has none", "}", "{", strings.Join(b.Keys, " "))
}

// isBraces reports whether a word is one or several braces, which CoreDNS takes for a zone or a plugin where they are
// too many.
func isBraces(word string) bool { return word != "" && strings.Trim(word, "{}") == "" }

// blockFindings returns what is wrong with the keys and the plugins of a server block. What follows a brace that is too
// many is no better than that, which is one finding or, after others about braces, none.
func blockFindings(path, text string, b caddyfile.ServerBlock, before []lint.Finding) []lint.Finding {
	i := slices.IndexFunc(b.Keys, isBraces)
	switch {
	case i < 0:
		return slices.Concat(pluginFindings(path, b), keyFindings(path, text, b))
	case slices.ContainsFunc(before, isWrongBrace):
		return nil
	}
	return refused(finding("plugin-as-zone", definition.Pos{Source: path, Line: lineOf(text, b.Keys[0], b)}, nil,
		"%q is too many, and CoreDNS takes it for a zone: delete it", b.Keys[i]))
}

// keyFindings returns a warning if the zones of a server block are the words of a line that belongs into the block before:
// that was closed too early, and CoreDNS serves them.
func keyFindings(path, text string, b caddyfile.ServerBlock) []lint.Finding {
	if !isCutOff(b) {
		return nil
	}
	found := finding("plugin-as-zone", definition.Pos{Source: path, Line: lineOf(text, b.Keys[0], b)}, nil,
		"%q is a line of a server block, and here a zone with a block of its own: delete the %q before it that is too many",
		strings.Join(b.Keys, " "), "}")
	if slices.ContainsFunc(slices.Collect(maps.Keys(b.Tokens)), isStatement) {
		found = refused(found)
	}
	return found
}

// isCutOff reports whether the zones of a server block are the words of a line that belongs into another one. A zone may
// be called mail, or local.
func isCutOff(b caddyfile.ServerBlock) bool {
	if len(b.Keys) == 1 {
		return b.Keys[0] != "local" && slices.Contains(allPlugins, b.Keys[0])
	}
	return len(b.Keys) > 1 && (slices.Contains(allPlugins, b.Keys[0]) || isStatement(b.Keys[0]))
}

// lineOf returns the last line that begins with a word before the plugins of a server block.
func lineOf(text, word string, b caddyfile.ServerBlock) int {
	line, end := 1, math.MaxInt
	for _, tokens := range b.Tokens {
		end = min(end, tokens[0].Line)
	}
	for i, l := range strings.Split(text, "\n") {
		if fields := strings.Fields(l); i < end && len(fields) > 0 && strings.TrimSuffix(fields[0], ",") == word {
			line = i + 1
		}
	}
	return line
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

// hidesMXSRV reports whether a finding may be why no server block has mxsrv: it is misspelled, or a brace is wrong.
func hidesMXSRV(f lint.Finding) bool {
	return isWrongBrace(f) || strings.HasSuffix(f.Text, fmt.Sprintf("mean %s?", allPlugins[0]))
}

func isWrongBrace(f lint.Finding) bool {
	return f.Rule.ID == "plugin-as-zone" || f.Rule.ID == "plugin-unknown" && f.Rule.Severity == lint.Error
}
