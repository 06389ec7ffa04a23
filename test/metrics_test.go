package test

import (
	"encoding/json"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// startMeasured starts a server with two blocks of which everything that is
// counted has happened once, and one that waits for etcd.
func startMeasured(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "db.example.org"), strings.ReplaceAll(overlayZone, "example.com.", "example.org.")+"_gopher._tcp.example.org. CNAME ns.example.org.\n")
	var hosts strings.Builder
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		hosts.WriteString("host mx" + n + " 192.0.2." + n + " 192.0.2.1" + n + " 2001:db8::" + n + " 2001:db8::1" + n + "\n")
	}
	write(t, filepath.Join(dir, "hosts.conf"), hosts.String())
	s := start(t, dir, `example.org:1053 {
    bind 127.0.0.1
    prometheus 127.0.0.1:1054
    errors
    mxsrv {
        mail @ sub 10 mx1 mx2 mx3 mx4 mx5 mx6
        service _gopher._tcp none
        alias www mx1
        file hosts.conf
        reload 100ms
    }
    file db.example.org
}
example.net:1053 {
    bind 127.0.0.1
    mxsrv {
        mail @ 10 mx1.example.org. mx2.example.org.
    }
}
example.com:1053 {
    bind 127.0.0.1
    mxsrv {
        etcd 127.0.0.1:1 {
            timeout 100ms
        }
    }
}
`)
	if m := s.ask(t, "udp", query(t, "sub.example.org TXT")); m.Rcode != dns.RcodeSuccess {
		t.Errorf("sub.example.org is denied: %v", m)
	}
	if m := s.ask(t, "udp", query(t, "_gopher._tcp.example.org A")); len(m.Answer) != 0 {
		t.Errorf("_gopher._tcp.example.org is an alias: %v", m)
	}
	if m := s.ask(t, "udp", query(t, "example.org MX")); len(m.Answer) != 6 || m.Truncated || len(m.Extra) == 24 {
		t.Errorf("want 6 exchanges and some of the 24 addresses: %v", m)
	}
	for question, want := range map[string]int{"no.example.net MX": dns.RcodeNameError, "example.com MX": dns.RcodeServerFailure} {
		if m := s.ask(t, "udp", query(t, question)); m.Rcode != want {
			t.Errorf("%s: %v", question, m)
		}
	}
	write(t, filepath.Join(s.Dir, "hosts.conf"), "oops\n")
	eventually(t, s, "a load is rejected", func() bool { return s.rejected() == 1 })
	return s
}

// startChecked starts a server of which everything that is counted of checks has happened.
func startChecked(t *testing.T) *server {
	t.Helper()
	up := httptest.NewTLSServer(nil)
	t.Cleanup(up.Close)
	_, port, _ := net.SplitHostPort(up.Listener.Addr().String())
	s := start(t, t.TempDir(), strings.NewReplacer("UP", port, "DOWN", freePort(t)).Replace(`example.org:1053 {
    bind 127.0.0.1
    prometheus 127.0.0.1:1054
    mxsrv {
        host a 127.0.0.1
        service _up._tcp {
            0 0 UP a
            check tls
        }
        service _down._tcp {
            0 0 DOWN a
            check tcp
        }
        drain b
        checks {
            every 100ms
            probe 127.0.0.1/32
        }
    }
}
`))
	eventually(t, s, "checks have results", func() bool {
		text := s.get(":1054", "/metrics")
		return strings.Contains(text, "failed_open{") && strings.Contains(text, "certificate_expiry_timestamp_seconds{")
	})
	return s
}

// TestMetrics: all metrics, and that the page has them and no others.
func TestMetrics(t *testing.T) {
	s := startMeasured(t)
	want := strings.ReplaceAll(`coredns_mxsrv_definitions{kind="alias",server="SERVER",zone="example.net."} 0
coredns_mxsrv_definitions{kind="alias",server="SERVER",zone="example.org."} 1
coredns_mxsrv_definitions{kind="host",server="SERVER",zone="example.net."} 0
coredns_mxsrv_definitions{kind="host",server="SERVER",zone="example.org."} 6
coredns_mxsrv_definitions{kind="mail",server="SERVER",zone="example.net."} 1
coredns_mxsrv_definitions{kind="mail",server="SERVER",zone="example.org."} 2
coredns_mxsrv_definitions{kind="record",server="SERVER",zone="example.net."} 0
coredns_mxsrv_definitions{kind="record",server="SERVER",zone="example.org."} 0
coredns_mxsrv_definitions{kind="service",server="SERVER",zone="example.net."} 0
coredns_mxsrv_definitions{kind="service",server="SERVER",zone="example.org."} 1
coredns_mxsrv_etcd_connected{server="SERVER"} 0
coredns_mxsrv_etcd_revision{server="SERVER"} 0
coredns_mxsrv_fragments{server="SERVER",state="left_out"} 0
coredns_mxsrv_fragments{server="SERVER",state="served"} 0
coredns_mxsrv_fragments_left_out_total{server="SERVER"} 0
coredns_mxsrv_last_good_load_timestamp_seconds{server="SERVER"}
coredns_mxsrv_last_load_failed{server="SERVER"} 1
coredns_mxsrv_loads_total{result="ok",source="Corefile"} 2
coredns_mxsrv_loads_total{result="ok",source="file hosts.conf"} 1
coredns_mxsrv_loads_total{result="refused",source="file hosts.conf"} 1
coredns_mxsrv_repaired_alias_total{server="SERVER"} 1
coredns_mxsrv_repaired_nxdomain_total{server="SERVER"} 1
coredns_mxsrv_responses_total{rcode="FORMERR",server="SERVER"} 0
coredns_mxsrv_responses_total{rcode="NOERROR",server="SERVER"} 1
coredns_mxsrv_responses_total{rcode="NXDOMAIN",server="SERVER"} 1
coredns_mxsrv_responses_total{rcode="REFUSED",server="SERVER"} 0
coredns_mxsrv_responses_total{rcode="SERVFAIL",server="SERVER"} 1
coredns_mxsrv_trimmed_glue_total{server="SERVER"} 1`, "SERVER", "dns://"+s.addr)
	text := s.get(":1054", "/metrics")
	got := strings.Join(regexp.MustCompile(`(?m)^coredns_mxsrv_.*$`).FindAllString(text, -1), "\n")
	got = regexp.MustCompile(`(timestamp_seconds\S+) \S+`).ReplaceAllString(got, "$1")
	if got != want {
		t.Errorf("metrics\n%s\nwant\n%s", got, want)
	}

	names := func(pattern, text string) []string {
		var all []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			labels := regexp.MustCompile(`="[^"]*"`).ReplaceAllString(m[2], "")
			words := strings.FieldsFunc(labels, func(r rune) bool { return r == ',' || r == ' ' })
			slices.Sort(words)
			all = append(all, m[1]+"{"+strings.Join(words, ", ")+"}")
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	served := names(`(?m)^(coredns_mxsrv_\w+)\{(.*)\} `, text)
	listed := names("(?m)^\\* `(coredns_mxsrv_\\w+)\\{(.*)\\}`", read(t, "../docs/operation.md"))
	if !slices.Equal(served, listed) {
		t.Errorf("docs/operation.md lists %q, and there are %q", listed, served)
	}
}

// TestDashboard: every panel of the Grafana dashboard shows metrics that exist,
// by labels that they have.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../contrib/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		UID, Title    string
		SchemaVersion int
		Panels        []struct {
			ID          int
			Type, Title string
			GridPos     struct{ H, W, X, Y int }
			Targets     []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	if dashboard.UID == "" || dashboard.Title == "" || dashboard.SchemaVersion == 0 || len(dashboard.Panels) == 0 {
		t.Errorf("no dashboard: %+v", dashboard)
	}
	metrics := startMeasured(t).get(":1054", "/metrics") + startChecked(t).get(":1054", "/metrics")
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.Type == "" || p.GridPos.W == 0 || p.GridPos.H == 0 || p.GridPos.X+p.GridPos.W > 24 || len(p.Targets) == 0 {
			t.Errorf("panel %q is not complete, or has the id of another: %+v", p.Title, p)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			series := regexp.MustCompile(`coredns_\w+`).FindAllString(target.Expr, -1)
			if len(series) == 0 {
				t.Errorf("panel %q shows no metric: %s", p.Title, target.Expr)
			}
			for _, s := range selectors(target.Expr) {
				if !s.matches(metrics) {
					t.Errorf("panel %q shows nothing: no series is %s", p.Title, s.text)
				}
			}
			for _, name := range series {
				labels := regexp.MustCompile(`(?m)^` + name + `\{(.*)\} `).FindStringSubmatch(metrics)
				if labels == nil {
					t.Errorf("panel %q shows %s, which does not exist", p.Title, name)
					continue
				}
				for _, by := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(target.Expr, -1) {
					for label := range strings.SplitSeq(by[1], ", ") {
						if label != "instance" && !strings.Contains(labels[1], label+`="`) {
							t.Errorf("panel %q shows %s by %s, a label that it has not", p.Title, name, label)
						}
					}
				}
			}
		}
	}
}

// TestAlerts: the alert rules are of metrics that exist, and fire as their own tests say.
func TestAlerts(t *testing.T) {
	metrics := startMeasured(t).get(":1054", "/metrics") + startChecked(t).get(":1054", "/metrics")
	rules, tests := read(t, "../docs/deploy/alerts.yml"), read(t, "../docs/deploy/alerts_test.yml")
	for _, m := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(tests, m[1]) {
			t.Errorf("no test is of %s", m[1])
		}
	}
	names := regexp.MustCompile(`coredns_\w+`).FindAllString(rules, -1)
	if len(names) < 8 {
		t.Errorf("rules are of %q, want at least 8 metrics", names)
	}
	for _, name := range names {
		if !strings.Contains(metrics, "\n"+name+"{") {
			t.Errorf("a rule is of %s, which does not exist", name)
		}
	}
	out, err := exec.Command(rig.Peer(t, "promtool"), "test", "rules", "../docs/deploy/alerts_test.yml").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// A selector is one of PromQL: the name of series, and what their labels must be.
type selector struct {
	text, name string
	labels     [][]string // each the whole of a matcher, then label, operator and value
}

var (
	selectorForm = regexp.MustCompile(`(coredns_\w+)\{([^}]*)\}`)
	matcherForm  = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"([^"]*)"`)
)

// selectors returns those in an expression, without what $instance must be: Prometheus adds that label.
func selectors(expr string) (all []selector) {
	for _, m := range selectorForm.FindAllStringSubmatch(expr, -1) {
		s := selector{text: m[0], name: m[1]}
		for _, label := range matcherForm.FindAllStringSubmatch(m[2], -1) {
			if label[3] != "$instance" {
				s.labels = append(s.labels, label)
			}
		}
		all = append(all, s)
	}
	return all
}

// matches reports whether a series that the selector selects is among metrics, and has counted something, if it counts
// responses.
func (s selector) matches(metrics string) bool {
	for _, series := range selectorForm.FindAllStringSubmatchIndex(metrics, -1) {
		line, _, _ := strings.Cut(metrics[series[0]:], "\n")
		m := selectorForm.FindStringSubmatch(line)
		if m[1] != s.name || strings.HasSuffix(s.name, "responses_total") && strings.HasSuffix(line, " 0") {
			continue
		}
		if !slices.ContainsFunc(s.labels, func(l []string) bool { return !labelIs(m[2], l) }) {
			return true
		}
	}
	return false
}

// labelIs reports whether the labels of a series fulfil a matcher.
func labelIs(labels string, matcher []string) bool {
	value := ""
	for _, l := range matcherForm.FindAllStringSubmatch(labels, -1) {
		if l[1] == matcher[1] {
			value = l[3]
		}
	}
	switch matcher[2] {
	case "=~", "!~":
		return regexp.MustCompile("^(?:"+matcher[3]+")$").MatchString(value) == (matcher[2] == "=~")
	}
	return (value == matcher[3]) == (matcher[2] == "=")
}
