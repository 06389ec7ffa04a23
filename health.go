package mxsrv

import (
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
	"github.com/mxsrv/mxsrv/plugin/publish"
)

// verdicts are what is known of probes.
type verdicts map[definition.Probe]health.Verdict

// newProber makes the prober of a publisher. It knows the verdicts in the file that keeps them, and those of the
// instance that serves until this one does: its own rather than those of other server blocks.
func (m *MXSRV) newProber() publish.Prober {
	known, config := make(verdicts), m.checks.Config
	if config.State != "" {
		saved, err := health.ReadState(config.State)
		if err != nil {
			config.State = ""           // it may be a file of something else
			if m.prober.Load() == nil { // once
				log.Warningf("verdicts of checks are neither read nor saved: %v", err)
			}
		}
		maps.Copy(known, saved)
	}
	if before := m.instance.predecessor(); before != nil {
		for _, h := range before.byRelation(m) {
			if p := h.prober.Load(); p != nil {
				maps.Copy(known, p.Snapshot())
			}
		}
	}
	p := health.New(config, known, probeObserver{m.observer, m.publisher})
	m.prober.Store(p)
	return p
}

// byRelation returns the handlers, last those that have most in common with m.
func (i *instance) byRelation(m *MXSRV) []*MXSRV {
	return slices.SortedStableFunc(slices.Values(i.handlers), func(a, b *MXSRV) int {
		return m.publisher.Relation(a.publisher) - m.publisher.Relation(b.publisher)
	})
}

// predecessor returns the instance that serves until i does, or nil.
func (i *instance) predecessor() *instance {
	if before := serving.Load(); before != nil && before != i {
		i.before.Store(before) // CoreDNS stops it before it says that i serves
	}
	return i.before.Load()
}

// A probeObserver logs and counts what a prober does, and tells the publisher of verdicts.
type probeObserver struct {
	*observer
	publisher *publish.Publisher
}

// Changed implements health.Observer.
func (o probeObserver) Changed(changes []health.Change) {
	var probes []definition.Probe
	for _, c := range changes {
		probes = append(probes, c.Probe)
		targetChanges.WithLabelValues(o.server, c.State.String()).Inc()
	}
	o.publisher.VerdictsChanged(probes...)
}

// Probed implements health.Observer.
func (o probeObserver) Probed(p health.Probe, r health.Result) {
	check := string(p.Check.Protocol)
	checkDuration.WithLabelValues(o.server, check).Observe(r.Took.Seconds())
	if r.Outcome == health.Failure {
		checkFailures.WithLabelValues(o.server, check, r.Why).Inc()
	}
}

var (
	targetChanges = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "target_changes_total",
		Help: "Verdicts of checks that have changed, by server and what they are since: up, down, unreachable or unknown.",
	}, []string{"server", "state"})

	checkDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "check_duration_seconds",
		Help:    "Time that probes took, by server and check.",
		Buckets: []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"server", "check"})

	checkFailures = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "check_failures_total",
		Help: "Probes that failed, by server, check and reason.",
	}, []string{"server", "check", "reason"})
)

// healthGauges are of the verdicts and answers of all publishers of the instance that serves. Publishers may share a
// server: of what they have in common, the worst counts.
type healthGauges struct{ up, expiry, failedOpen, drained *prometheus.Desc }

func init() {
	target := []string{"server", "target", "port", "check", "host"}
	prometheus.MustRegister(healthGauges{
		describe("target_up", "Whether a target that is checked is up: 1 is yes. There is none while nothing is known of it.", target...),
		describe("certificate_expiry_timestamp_seconds", "When the certificate ends that a check has seen last.", target...),
		describe("failed_open", "Names of which all targets are down, and so all are answered: always 1.", "server", "name"),
		describe("drained", "Hosts that are drained: always 1.", "server", "target"),
	})
}

// Describe implements prometheus.Collector.
func (g healthGauges) Describe(ch chan<- *prometheus.Desc) {
	ch <- g.up
	ch <- g.expiry
	ch <- g.failedOpen
	ch <- g.drained
}

// Collect implements prometheus.Collector.
func (g healthGauges) Collect(ch chan<- prometheus.Metric) {
	i := serving.Load()
	if i == nil {
		return
	}
	gauge := gaugesTo(ch)
	for server, all := range i.verdicts() {
		for p, v := range all {
			labels := []string{server, p.Addr.Addr().String(), strconv.Itoa(int(p.Addr.Port())), p.Check.String(), string(p.Host)}
			if v.State >= health.Up {
				gauge(g.up, number(v.State == health.Up), labels...)
			}
			if !v.Expires.IsZero() {
				gauge(g.expiry, float64(v.Expires.Unix()), labels...)
			}
		}
	}
	for of := range distinct(i.failedOpen) {
		gauge(g.failedOpen, 1, of.server, of.name)
	}
	for of := range distinct(i.drained) {
		gauge(g.drained, 1, of.server, of.name)
	}
}

// verdicts returns those of each server.
func (i *instance) verdicts() map[string]verdicts {
	all := make(map[string]verdicts)
	for _, m := range i.handlers {
		prober := m.prober.Load()
		if prober == nil {
			continue
		}
		of := all[m.observer.server]
		if of == nil {
			of = make(verdicts)
			all[m.observer.server] = of
		}
		for p, v := range prober.Verdicts() {
			if v.State >= of[p].State { // down is the greatest
				of[p] = v
			}
		}
	}
	return all
}

// A named is a name on a server.
type named struct{ server, name string }

// failedOpen goes through the names of which all targets are down, at most mostNames of each handler.
func (i *instance) failedOpen(yield func(named) bool) {
	for _, m := range i.handlers {
		n := 0
		t := m.publisher.Table()
		if t == nil {
			continue
		}
		for name := range t.FailedOpen() {
			if n++; n > mostNames {
				break
			}
			if !yield(named{m.observer.server, string(name)}) {
				return
			}
		}
	}
}

// mostNames is how many names of a handler are in a metric. All that share a target fail open together, and whoever may
// write to etcd may drain what hosts he likes.
const mostNames = 100

// drained goes through the hosts that are drained, at most mostNames of each handler.
func (i *instance) drained(yield func(named) bool) {
	for _, m := range i.handlers {
		t := m.publisher.Table()
		if t == nil {
			continue
		}
		hosts := t.Drained()
		for _, host := range hosts[:min(len(hosts), mostNames)] {
			if !yield(named{m.observer.server, string(host)}) {
				return
			}
		}
	}
}

// distinct returns what there is, each once.
func distinct(all iter.Seq[named]) map[named]bool {
	found := make(map[named]bool)
	for of := range all {
		found[of] = true
	}
	return found
}
