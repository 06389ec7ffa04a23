package webhook

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
)

// metrics are those of one provider.
type metrics struct {
	*prometheus.Registry
	requests           *prometheus.CounterVec
	changes            *prometheus.CounterVec
	endpoints, refused prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mxsrv_webhook_requests_total", Help: "Requests of ExternalDNS, by method, path and status.",
		}, []string{"method", "path", "status"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mxsrv_webhook_changes_total", Help: "Fragments that were changed in etcd, by what was done: put or delete.",
		}, []string{"done"}),
		endpoints: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mxsrv_webhook_endpoints", Help: "Endpoints in etcd when ExternalDNS asked last.",
		}),
		refused: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mxsrv_webhook_refused", Help: "Endpoints that ExternalDNS wished last and servers would exclude.",
		}),
	}
	m.MustRegister(m.requests, m.changes, m.endpoints, m.refused)
	return m
}

func (m *metrics) changed(c store.Change) {
	done := "put"
	if c.Gone {
		done = "delete"
	}
	m.changes.WithLabelValues(done).Inc()
}
