package mxsrv

import (
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/publish"
)

var (
	loads = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "loads_total",
		Help: "Loads of definitions, by source and result: ok or refused.",
	}, []string{"source", "result"})

	excluded = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "fragments_left_out_total",
		Help: "Fragments in etcd of which names were excluded, because they cannot be read, break a rule or lose a name to others.",
	}, []string{"server"})

	repairedNXDOMAIN = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "repaired_nxdomain_total",
		Help: "Denials of a declared name by the next plugins that were repaired.",
	}, []string{"server"})

	repairedAlias = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "repaired_alias_total",
		Help: "Aliases that the next plugins made of a declared name, and that were denied.",
	}, []string{"server"})

	responses = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "responses_total",
		Help: "Responses of mxsrv itself, by server and rcode; not those of the next plugins.",
	}, []string{"server", "rcode"})

	trimmedGlue = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "trimmed_glue_total",
		Help: "Answers from which addresses of targets were omitted, to fit the size that the client accepts.",
	}, []string{"server"})
)

// An observer logs and counts what a publisher does, and notifies secondaries.
type observer struct {
	server      string                                   // label of metrics
	etcds       []*etcd.Source                           // of the publisher
	secondaries *notifier                                // nil until the other plugins are known
	responses   [dns.RcodeRefused + 1]prometheus.Counter // by rcode
}

// countResponses makes the counters of responses appear.
func (o *observer) countResponses() {
	for _, rcode := range []int{dns.RcodeSuccess, dns.RcodeFormatError, dns.RcodeServerFailure, dns.RcodeNameError, dns.RcodeRefused} {
		o.responses[rcode] = responses.WithLabelValues(o.server, dns.RcodeToString[rcode])
	}
}

// responded counts a response. It costs as much as an atomic addition.
func (o *observer) responded(rcode int) {
	if rcode >= 0 && rcode < len(o.responses) && o.responses[rcode] != nil {
		o.responses[rcode].Inc()
	}
}

// Info, Warning, Error, Loaded, Excluded and Changed implement publish.Observer.
func (o *observer) Info(text string)    { log.Info(text) }
func (o *observer) Warning(text string) { log.Warning(text) }
func (o *observer) Error(text string)   { log.Error(text) }

func (o *observer) Loaded(source string, err error) {
	result := "ok"
	if err != nil {
		result = "refused"
	}
	loads.WithLabelValues(source, result).Inc()
}

func (o *observer) Excluded(fragments int) {
	if len(o.etcds) > 0 {
		excluded.WithLabelValues(o.server).Add(float64(fragments))
	}
}

func (o *observer) Changed(zones []definition.Name) { o.secondaries.notify(zones) }

// gauges are of the status of all publishers. Server blocks may share a server, and even
// a zone: their figures are added up.
type gauges struct{ definitions, loaded, failed, fragments, connected, revision *prometheus.Desc }

func init() {
	prometheus.MustRegister(gauges{
		describe("definitions", "Names that are served, by server, zone and kind: host, mail, service, alias or record.",
			"server", "zone", "kind"),
		describe("last_good_load_timestamp_seconds", "When definitions were last loaded and not rejected.", "server"),
		describe("last_load_failed", "Whether the last load was rejected: 1 is yes.", "server"),
		describe("fragments", "Fragments in etcd, by server and state: served or left_out.", "server", "state"),
		describe("etcd_connected", "Whether etcd is watched: 1 is yes. If not, answers stay as they are.", "server"),
		describe("etcd_revision", "The last revision of etcd that is served or about to be.", "server"),
	})
}

// Describe implements prometheus.Collector.
func (g gauges) Describe(ch chan<- *prometheus.Desc) {
	ch <- g.definitions
	ch <- g.loaded
	ch <- g.failed
	ch <- g.fragments
	ch <- g.connected
	ch <- g.revision
}

// gaugesTo returns a function that sends gauges with their labels.
func gaugesTo(ch chan<- prometheus.Metric) func(desc *prometheus.Desc, value float64, labels ...string) {
	return func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
}

// Collect implements prometheus.Collector.
func (g gauges) Collect(ch chan<- prometheus.Metric) {
	i := serving.Load()
	if i == nil {
		return
	}
	gauge := gaugesTo(ch)
	for server, s := range i.status() {
		for k, names := range s.Names {
			gauge(g.definitions, float64(names), server, string(k.Zone), k.Of)
		}
		if !s.Loaded.IsZero() {
			gauge(g.loaded, float64(s.Loaded.UnixMilli())/1000, server)
		}
		gauge(g.failed, number(s.Failed), server)
		if len(s.etcds) > 0 {
			gauge(g.fragments, float64(s.Fragments-s.Excluded), server, "served")
			gauge(g.fragments, float64(s.Excluded), server, "left_out")
			connected, revision := worst(s.etcds)
			gauge(g.connected, number(connected), server)
			gauge(g.revision, float64(revision), server)
		}
	}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, pluginName, name), help, labels, nil)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// worst returns whether all of some sources are connected, and the oldest revision.
func worst(etcds []*etcd.Source) (connected bool, revision int64) {
	connected = true
	for i, e := range etcds {
		s := e.Status()
		connected = connected && s.Connected
		if i == 0 || s.Revision < revision {
			revision = s.Revision
		}
	}
	return connected, revision
}

// A serverStatus is the status of all server blocks of a server.
type serverStatus struct {
	publish.Status
	etcds []*etcd.Source
}

// status returns the status of the blocks of each server: the names of all, the
// oldest load, and whether one has failed.
func (i *instance) status() map[string]serverStatus {
	all := make(map[string]serverStatus)
	for _, m := range i.handlers {
		s := m.publisher.Status()
		sum, ok := all[m.observer.server]
		if !ok {
			sum.Names = make(map[publish.Kind]int)
		}
		for k, names := range s.Names {
			sum.Names[k] += names
		}
		if !s.Loaded.IsZero() && (sum.Loaded.IsZero() || s.Loaded.Before(sum.Loaded)) {
			sum.Loaded = s.Loaded
		}
		sum.Failed = sum.Failed || s.Failed
		sum.Fragments, sum.Excluded = sum.Fragments+s.Fragments, sum.Excluded+s.Excluded
		sum.etcds = append(sum.etcds, m.observer.etcds...)
		all[m.observer.server] = sum
	}
	return all
}
