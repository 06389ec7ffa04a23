package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const metricsText = `# HELP coredns_mxsrv_target_up Whether a target that is checked is up.
# TYPE coredns_mxsrv_target_up gauge
coredns_mxsrv_target_up{check="tcp",host="",port="389",server="dns://:53",target="192.0.2.41"} 1
coredns_mxsrv_target_up{check="https / a\"b",host="www.example.org.",port="443",server="dns://:53",target="2001:db8::1"} 0
coredns_mxsrv_certificate_expiry_timestamp_seconds{check="https / a\"b",host="www.example.org.",port="443",server="dns://:53",target="2001:db8::1"} 1.8e+09
coredns_mxsrv_failed_open{name="_ldap._tcp.example.org.",server="dns://:53"} 1
coredns_mxsrv_drained{server="dns://:53",target="mx1.example.org."} 1
coredns_mxsrv_drained{server="dns://:54",target="mx1.example.org."} 1
coredns_dns_requests_total{server="dns://:53"} 7
`

// TestStatusByMetrics: what a server says, as text and by the exit status, and what is wrong with it.
func TestStatusByMetrics(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics":
			fmt.Fprint(w, metricsText)
		case "/up":
			fmt.Fprintln(w, strings.Split(metricsText, "\n")[2])
		case "/unknown":
			fmt.Fprintln(w, "coredns_mxsrv_last_load_failed{server=\"dns://:53\"} 0")
		case "/none":
			fmt.Fprintln(w, "coredns_dns_requests_total 7")
		case "/odd":
			fmt.Fprintln(w, oddMetrics)
		case "/endless":
			fmt.Fprintln(w, strings.Split(metricsText, "\n")[2])
			for line := []byte("# " + strings.Repeat("x", 1<<16) + "\n"); ; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		case "/broken":
			fmt.Fprintln(w, "coredns_mxsrv_target_up{check=")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	for _, tc := range []struct {
		name, metrics string
		status        int
		out, err      string
	}{
		{"some are down", addr, 1, "192.0.2.41       192.0.2.41:389     tcp          up\n" +
			"www.example.org  [2001:db8::1]:443  https / a\"b  down  certificate until 2027-01-15\n" +
			"\ndrained\n  mx1.example.org\n\nall targets are down, and all are answered\n  _ldap._tcp.example.org\n", ""},
		{"all are up", server.URL + "/up", 0, "192.0.2.41  192.0.2.41:389  tcp  up\n", ""},
		{"nothing is known", server.URL + "/unknown", 0, "no target is known to be up or down\n", ""},
		{"another server", addr + "/none", 2, "", "has no metrics of mxsrv: write prometheus into its server block\n"},
		{"no metric", addr + "/broken", 2, "", "has no metrics of mxsrv: write prometheus into its server block\n"},
		{"no end", addr + "/endless", 2, "", "/endless has more than 64 MiB: there may be more targets\n"},
		{"harm to a terminal, and no certificate", addr + "/odd", 1, "\"\\x1b[2J\\u202e\"  \"\\x1b[2J\\u202e\":25  tcp  up\n" +
			"192.0.2.1        192.0.2.1:25        tcp  up\n" +
			"\nall targets are down, and all are answered\n  \"\\n\\a\"\n", ""},
		{"no such page", addr + "/nosuch", 2, "", "/nosuch: 404 Not Found\nmxsrv: hint: --metrics http://HOST:9153/metrics\n"},
		{"nobody there", "127.0.0.1:1", 2, "", "mxsrv: error: http://127.0.0.1:1/metrics: connection refused\nmxsrv: hint: curl http://127.0.0.1:1/metrics\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("TZ", "UTC")
			var out, errs bytes.Buffer
			status := run([]string{"status", "--metrics", tc.metrics}, &out, &errs)
			if status != tc.status || out.String() != tc.out || !strings.Contains(errs.String(), tc.err) {
				t.Errorf("exit %d, want %d\n%s\nwant\n%s\n%s\nwant\n%s", status, tc.status, out.String(), tc.out, errs.String(), tc.err)
			}
		})
	}
}

// oddMetrics are of no server of ours: with control characters, without a value, with the end of a certificate that is
// no time.
const oddMetrics = `coredns_mxsrv_target_up{check="tcp",host="",port="25",target="\x1b[2J\u202e"} 1
coredns_mxsrv_target_up{check="tcp",host="",port="25",target="192.0.2.1"} 1
coredns_mxsrv_target_up{check="tcp",host="",port="25",target="192.0.2.2"} up
coredns_mxsrv_certificate_expiry_timestamp_seconds{check="tcp",host="",port="25",target="192.0.2.1"} 1e300
coredns_mxsrv_failed_open{name="\n\a"} 1`

// TestNoEnd: a certificate that says to have no end ends in the year 9999, in JSON and wherever this host is.
func TestNoEnd(t *testing.T) {
	local := time.Local
	defer func() { time.Local = local }()
	time.Local = time.FixedZone("", 3600)
	text := strings.ReplaceAll(metricsText, "1.8e+09", "2.53402300799e+11")
	s, err := readMetrics(strings.NewReader(text), "here")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(s); err != nil || !strings.Contains(string(text), `"expires":"9999-12-31T23:59:59Z"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestMetricsURL: what of a URL may be left out.
func TestMetricsURL(t *testing.T) {
	for _, tc := range []struct{ address, want string }{
		{"127.0.0.1", "http://127.0.0.1:9153/metrics"},
		{"127.0.0.1:9154", "http://127.0.0.1:9154/metrics"},
		{"http://ns1/", "http://ns1:9153/metrics"},
		{"https://ns1", "https://ns1/metrics"},
		{"[2001:db8::1]:9153/x?y=z", "http://[2001:db8::1]:9153/x?y=z"},
		{"ftp://ns1", ""},
		{"http://", ""},
		{"http://a b", ""},
	} {
		got, err := metricsURL(tc.address)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s: %q, %v, want %q", tc.address, got, err, tc.want)
		}
	}
}

// FuzzParseMetric: any line, no panic; what parses is printed and parses again.
func FuzzParseMetric(f *testing.F) {
	for line := range strings.Lines(metricsText) {
		f.Add(strings.TrimSuffix(line, "\n"))
	}
	f.Add(`coredns_mxsrv_x{a="b\n",} 1`)
	f.Add(`coredns_mxsrv_x 1e3`)
	f.Fuzz(func(t *testing.T, line string) {
		name, labels, value, ok := parseMetric(line)
		if !ok {
			return
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s%s{", metricsPrefix, name)
		for key, label := range labels {
			fmt.Fprintf(&b, "%s=%q,", key, label)
		}
		fmt.Fprintf(&b, "} %v", value)
		again, labelsAgain, _, ok := parseMetric(b.String())
		if !ok || again != name || len(labelsAgain) != len(labels) {
			t.Errorf("%q: %q %v, then %q %v", line, name, labels, again, labelsAgain)
		}
	})
}
