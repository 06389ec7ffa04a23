package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/health"
)

const (
	metricsPrefix  = "coredns_mxsrv_"
	metricsTimeout = 10 * time.Second
	mostMetrics    = 64 << 20 // octets
)

// scrape returns the status that the metrics of a server say.
func scrape(ctx context.Context, address string) (*status, error) {
	where, err := metricsURL(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, metricsTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("%s: %v", where, metricsCause(err)), "curl %s", where)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		status := fmt.Sprintf("%d %s", r.StatusCode, http.StatusText(r.StatusCode))
		return nil, hint.Add(fmt.Errorf("%s: %s", where, status), "--metrics http://HOST:9153/metrics")
	}
	return readMetrics(r.Body, where)
}

func metricsCause(err error) error {
	if e, ok := err.(*url.Error); ok {
		err = e.Err
	}
	return cause(err)
}

// metricsURL returns the address of metrics, of which the scheme, the port and the path may be left out.
func metricsURL(address string) (string, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", hint.Add(fmt.Errorf("metrics %q: write a URL", address), "--metrics http://127.0.0.1:9153")
	}
	if u.Port() == "" && u.Scheme == "http" {
		u.Host = net.JoinHostPort(u.Hostname(), "9153")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	return u.String(), nil
}

// readMetrics reads metrics as Prometheus writes them. Those of one target in several server blocks are one line each.
func readMetrics(from io.Reader, where string) (*status, error) {
	s := &status{Targets: []probed{}, Drained: []string{}, FailedOpen: []string{}, byMetrics: true}
	expires, known := make(map[string]time.Time), false
	limited := &io.LimitedReader{R: from, N: mostMetrics}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, labels, value, ok := parseMetric(lines.Text()); ok {
			known = true
			s.addMetric(name, labels, value, expires)
		}
	}
	switch err := lines.Err(); {
	case err != nil:
		return nil, fmt.Errorf("%s: %v", where, err)
	case limited.N == 0:
		return nil, fmt.Errorf("%s has more than %d MiB: there may be more targets", where, mostMetrics>>20)
	case !known:
		return nil, hint.Add(fmt.Errorf("%s has no metrics of mxsrv: write prometheus into its server block", where), "curl %s | grep %s", where, metricsPrefix)
	}
	for i := range s.Targets {
		p := &s.Targets[i]
		if t, ok := expires[p.Address+p.Check+p.Target]; ok {
			p.Expires = &t
		}
	}
	s.Drained, s.FailedOpen = sortedOnce(s.Drained), sortedOnce(s.FailedOpen)
	slices.SortStableFunc(s.Targets, func(a, b probed) int { return strings.Compare(a.Address+a.Check, b.Address+b.Check) })
	return s, nil
}

// addMetric adds what a metric says, and to expires when a certificate ends, by its place.
func (s *status) addMetric(name string, labels map[string]string, value float64, expires map[string]time.Time) {
	switch name {
	case "target_up":
		s.Targets = append(s.Targets, targetOf(labels, value))
	case "certificate_expiry_timestamp_seconds":
		if value >= 0 && value <= lastSecond {
			expires[placeOf(labels)] = time.Unix(int64(value), 0).UTC()
		}
	case "failed_open":
		s.FailedOpen = append(s.FailedOpen, strings.TrimSuffix(labels["name"], "."))
	case "drained":
		s.Drained = append(s.Drained, strings.TrimSuffix(labels["target"], "."))
	}
}

// lastSecond is that of the year 9999, after which JSON and certificates have no time. Those without an end have it.
const lastSecond = 253_402_300_799

func targetOf(labels map[string]string, value float64) probed {
	state := health.Down
	if value == 1 {
		state = health.Up
	}
	return probed{Target: hostLabel(labels), Address: addressLabel(labels), Check: labels["check"], State: state.String()}
}

func addressLabel(labels map[string]string) string {
	return net.JoinHostPort(labels["target"], labels["port"])
}

// hostLabel returns the host that is asked for, or the server: no check of its needs a name.
func hostLabel(labels map[string]string) string {
	if host := strings.TrimSuffix(labels["host"], "."); host != "" {
		return host
	}
	return labels["target"]
}

func placeOf(labels map[string]string) string {
	return addressLabel(labels) + labels["check"] + hostLabel(labels)
}

// parseMetric parses a line of a metric of mxsrv.
func parseMetric(line string) (name string, labels map[string]string, value float64, ok bool) {
	line, ok = strings.CutPrefix(line, metricsPrefix)
	if !ok {
		return "", nil, 0, false
	}
	name, rest, hasLabels := strings.Cut(line, "{")
	labels = make(map[string]string)
	if !hasLabels {
		name, rest, _ = strings.Cut(line, " ")
	}
	for hasLabels && !strings.HasPrefix(rest, "}") {
		key, after, found := strings.Cut(rest, "=")
		quoted, err := strconv.QuotedPrefix(after)
		if !found || err != nil {
			return "", nil, 0, false
		}
		labels[key] = labelText(quoted)
		rest = strings.TrimPrefix(after[len(quoted):], ",")
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(rest, "}")), 64)
	return name, labels, value, err == nil
}

// labelText returns the text of a quoted label, or the quoted one if the text could do harm to a terminal.
func labelText(quoted string) string {
	text, _ := strconv.Unquote(quoted)
	if isPrintable(text, "") {
		return text
	}
	return strconv.Quote(text)
}
