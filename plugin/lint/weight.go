package lint

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Two widespread clients do not read weights as RFC 2782 says. HAProxy has weights up to 256 and takes a 256th of each,
// rounded up, so that 6 and 4 are 1 and 1. Exim sorts by the priority times 1000 plus the weight, so that priority 0
// and weight 1500 come after 1 and 400.
const (
	haproxyUnit = 256
	haproxyMost = 255 // units in 65535
	eximMost    = 999
	tolerance   = 0.05 // of a share
)

var (
	// eximServices are those that Exim asks for.
	eximServices = []string{"_smtp", "_smtps", "_submission", "_submissions"}

	// clientServices are those whose clients look up SRV records themselves, so that no HAProxy does it for them.
	clientServices = []string{"_autodiscover", "_caldav", "_caldavs", "_carddav", "_carddavs", "_gc", "_imap", "_imaps",
		"_jmap", "_kerberos", "_kerberos-adm", "_kerberos-master", "_kpasswd", "_ldap", "_ldaps", "_matrix",
		"_matrix-fed", "_minecraft", "_mongodb", "_pop3", "_pop3s", "_sieve", "_sip", "_sips", "_xmpp-client",
		"_xmpp-server", "_xmpps-client", "_xmpps-server"}
)

func srvWeightRange(p *pass) {
	for o := range p.index.Owners() {
		targets := o.Targets()
		service, rest, _ := strings.Cut(string(o.Name()), ".")
		switch {
		case len(targets) < 2 || !strings.HasPrefix(rest, "_tcp."):
		case slices.Contains(eximServices, service):
			p.checkExim(o.Name(), targets)
		case !slices.Contains(clientServices, service):
			for len(targets) > 0 {
				n := samePriority(targets)
				p.checkHAProxy(o.Name(), targets[:n])
				targets = targets[n:]
			}
		}
	}
}

// checkExim reports the first weight of a service that Exim takes for a priority.
func (p *pass) checkExim(service definition.Name, targets []definition.Target) {
	if i := slices.IndexFunc(targets, func(t definition.Target) bool { return t.Weight > eximMost }); i >= 0 {
		t := targets[i]
		p.report(t.Pos, []definition.Name{service, t.Host}, "Exim takes the weight %d of %s, like all from %d on, "+
			"for a higher priority: write weights below %d", t.Weight, service, eximMost+1, eximMost+1)
	}
}

// samePriority returns how many targets have the priority of the first.
func samePriority(targets []definition.Target) int {
	n := slices.IndexFunc(targets, func(t definition.Target) bool { return t.Priority != targets[0].Priority })
	if n < 0 {
		return len(targets)
	}
	return n
}

// checkHAProxy reports weights of one priority, in descending order, that HAProxy misreads.
func (p *pass) checkHAProxy(service definition.Name, targets []definition.Target) {
	if targets[0].Weight == targets[len(targets)-1].Weight {
		return
	}
	var weights []float64
	for _, t := range targets {
		weights = append(weights, float64(t.Weight))
	}
	if misread(weights) {
		better := betterWeights(weights)
		p.report(targets[0].Pos, []definition.Name{service, targets[0].Host},
			"HAProxy takes the weights %s of %s for %s: write %s, which it takes for %s",
			numbers(weights), service, numbers(haproxy(weights)), numbers(better), numbers(haproxy(better)))
	}
}

// numbers writes weights as words of a message.
func numbers(weights []float64) string {
	const few = 6
	var words []string
	for _, w := range weights[:min(few, len(weights))] {
		words = append(words, strconv.Itoa(int(w)))
	}
	if len(weights) > few {
		return strings.Join(words, ", ") + " and so on"
	}
	return strings.Join(words, ", ")
}

// misread reports whether HAProxy shares the load by some weights in another way than they promise.
func misread(weights []float64) bool {
	read := haproxy(weights)
	sum, readSum := sumOf(weights), sumOf(read)
	return slices.ContainsFunc(weights, func(w float64) bool {
		return math.Abs(math.Ceil(w/haproxyUnit)/readSum-w/sum) > tolerance
	})
}

// haproxy returns what HAProxy makes of weights.
func haproxy(weights []float64) (read []float64) {
	for _, w := range weights {
		read = append(read, math.Ceil(w/haproxyUnit))
	}
	return read
}

// betterWeights returns weights of the same shares in units of HAProxy, the lowest if there are any, else the finest.
func betterWeights(weights []float64) (better []float64) {
	divisor := 0.0
	for _, w := range weights {
		divisor = commonDivisor(w, divisor)
	}
	scale := min(1/divisor, haproxyMost/slices.Max(weights))
	for _, w := range weights {
		better = append(better, haproxyUnit*max(math.Round(w*scale), min(w, 1)))
	}
	return better
}

func commonDivisor(a, b float64) float64 {
	for b > 0 {
		a, b = b, math.Mod(a, b)
	}
	return a
}

func sumOf(numbers []float64) (sum float64) {
	for _, n := range numbers {
		sum += n
	}
	return sum
}
