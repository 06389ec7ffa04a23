package mxsrv

import (
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

var (
	loads = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "loads_total",
		Help: "Loads of definitions, by source and result: ok or refused.",
	}, []string{"source", "result"})

	leftOut = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "fragments_left_out_total",
		Help: "Fragments in etcd that were left out, for they do not read or break a rule, alone or with others.",
	}, []string{"server"})

	repairedNXDOMAIN = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "repaired_nxdomain_total",
		Help: "Answers of other plugins that denied a name that is declared, and were repaired.",
	}, []string{"server"})

	trimmedGlue = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "trimmed_glue_total",
		Help: "Answers from which addresses of targets were left out, to fit what the client takes.",
	}, []string{"server"})
)

// count counts a load of a source.
func count(s source.Source, err error) {
	result := "ok"
	if err != nil {
		result = "refused"
	}
	loads.WithLabelValues(s.String(), result).Inc()
}

// A status is what a publisher has in service. It does not change.
type status struct {
	held   map[kind]int // names
	loaded time.Time    // of the last good load
	failed bool         // the last load was refused

	fragments, out int // in etcd, and of these left out
	watches        []*source.Etcd
}

// A kind of names in a zone.
type kind struct {
	zone definition.Name
	of   string // host, mail, service or alias
}

var kinds = []string{"host", "mail", "service", "alias"}

// tally counts the names of each kind in each zone.
func tally(index *definition.Index, zones definition.ZoneSet) map[kind]int {
	held := make(map[kind]int)
	for zone := range zones {
		for _, of := range kinds {
			held[kind{zone, of}] = 0
		}
	}
	for o := range index.Owners() {
		zone := zones.Of(o.Name())
		for i, declared := range []int{len(o.Hosts()), len(o.Mails()), len(o.Services()), len(o.Aliases())} {
			if declared > 0 {
				held[kind{zone, kinds[i]}]++
			}
		}
	}
	return held
}

// live is the instance that serves.
var live atomic.Pointer[instance]

// gauges shows the status of all publishers. Server blocks may share a server,
// and even a zone: their figures are brought together.
type gauges struct{ definitions, loaded, failed, fragments, connected, revision *prometheus.Desc }

func init() {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, pluginName, name), help, labels, nil)
	}
	prometheus.MustRegister(gauges{
		desc("definitions", "Names in service, by server, zone and kind: host, mail, service or alias.", "server", "zone", "kind"),
		desc("last_good_load_timestamp_seconds", "When definitions were last loaded and not refused.", "server"),
		desc("last_load_failed", "Whether the last load was refused: 1 is yes.", "server"),
		desc("fragments", "Fragments in etcd, by server and state: served or left_out.", "server", "state"),
		desc("etcd_connected", "Whether etcd is being watched: 0 is that answers go on as of the last revision.", "server"),
		desc("etcd_revision", "The last revision of etcd that is in service or about to be.", "server"),
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

// Collect implements prometheus.Collector.
func (g gauges) Collect(ch chan<- prometheus.Metric) {
	serving := live.Load()
	if serving == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for server, s := range serving.status() {
		for k, names := range s.held {
			gauge(g.definitions, float64(names), server, string(k.zone), k.of)
		}
		if !s.loaded.IsZero() {
			gauge(g.loaded, float64(s.loaded.UnixMilli())/1000, server)
		}
		failed := 0.0
		if s.failed {
			failed = 1
		}
		gauge(g.failed, failed, server)
		if len(s.watches) > 0 {
			gauge(g.fragments, float64(s.fragments-s.out), server, "served")
			gauge(g.fragments, float64(s.out), server, "left_out")
			g.watches(gauge, server, s.watches)
		}
	}
}

// watches shows how far the watches of a server are: the worst of several.
func (g gauges) watches(gauge func(*prometheus.Desc, float64, ...string), server string, watches []*source.Etcd) {
	connected, revision := 1.0, int64(0)
	for i, w := range watches {
		s := w.Status()
		if !s.Connected {
			connected = 0
		}
		if i == 0 || s.Revision < revision {
			revision = s.Revision
		}
	}
	gauge(g.connected, connected, server)
	gauge(g.revision, float64(revision), server)
}

// status returns the status of the blocks of each server: the names of all, the
// oldest load, and whether one has failed.
func (i *instance) status() map[string]status {
	all := make(map[string]status)
	for _, m := range i.handlers {
		s := m.publisher.status.Load()
		sum, ok := all[m.server]
		if !ok {
			sum = status{held: make(map[kind]int), loaded: s.loaded}
		}
		for k, names := range s.held {
			sum.held[k] += names
		}
		if !s.loaded.IsZero() && (sum.loaded.IsZero() || s.loaded.Before(sum.loaded)) {
			sum.loaded = s.loaded
		}
		sum.failed = sum.failed || s.failed
		sum.fragments, sum.out, sum.watches = sum.fragments+s.fragments, sum.out+s.out, append(sum.watches, s.watches...)
		all[m.server] = sum
	}
	return all
}
