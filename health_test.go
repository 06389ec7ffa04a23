package mxsrv

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/caddy"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/plugin/health"
)

// every is the time from probe to probe, of a clock that waits for nothing.
const every = 10 * time.Second

// A cluster is servers of which some refuse connections.
type cluster struct {
	refuses atomic.Pointer[map[netip.Addr]bool]
	dialed  atomic.Int32
	server  string // label of metrics
}

func (c *cluster) dial(_ context.Context, _ netip.Addr, to netip.AddrPort) (net.Conn, error) {
	c.dialed.Add(1)
	if refuses := c.refuses.Load(); refuses != nil && (*refuses)[to.Addr()] {
		return nil, syscall.ECONNREFUSED
	}
	here, _ := net.Pipe()
	return here, nil
}

// instance returns an instance with one handler that has its services checked, and has loaded.
func (c *cluster) instance(t *testing.T, state string) *instance {
	t.Helper()
	i := new(instance)
	c.add(t, i, c.server, health.Config{State: state, Dial: c.dial})
	return i
}

// add adds such a handler to an instance.
func (c *cluster) add(t *testing.T, i *instance, server string, config health.Config) {
	t.Helper()
	const block = "mxsrv example.org {\n host a 192.0.2.1\n host b 192.0.2.2\n service _s._tcp 0 0 80 a b {\n  check tcp\n }\n drain c.example.net.\n}"
	controller := caddy.NewTestController("dns", block)
	controller.ServerBlockKeys = []string{"example.org."}
	b := parse(controller, "")
	b.Checks.Config = config
	b.Checks.Every = every
	m, err := newHandler(b, server, nil)
	if err != nil {
		t.Fatal(err)
	}
	i.add(m)
	if err := m.publisher.Load(); err != nil {
		t.Fatal(err)
	}
}

// targets returns what the service is answered with.
func (i *instance) targets() string {
	_, a := i.handlers[0].publisher.Table().Lookup("_s._tcp.example.org.", dns.TypeSRV)
	var all []string
	for _, rr := range a.RRs {
		all = append(all, strings.TrimSuffix(rr.(*dns.SRV).Target, ".example.org."))
	}
	return strings.Join(all, " ")
}

// set makes those servers refuse connections whose last octets are given.
func (c *cluster) set(octets ...byte) {
	refuses := make(map[netip.Addr]bool)
	for _, o := range octets {
		refuses[netip.AddrFrom4([4]byte{192, 0, 2, o})] = true
	}
	c.refuses.Store(&refuses)
	time.Sleep(10 * every)
	synctest.Wait()
}

// TestHealth: verdicts become answers; a reload and a restart keep them; only what serves probes.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer serving.Store(nil)
		state := filepath.Join(t.TempDir(), "verdicts")
		c := cluster{server: state} // no other test has it
		first := c.instance(t, "")
		if n := c.dialed.Load(); n != 0 {
			t.Errorf("%d probes before anything serves", n)
		}
		serve(first)
		expect := func(what string, i *instance, want string) {
			t.Helper()
			if got := i.targets(); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		c.set()
		expect("all up", first, "a b")
		c.set(1)
		expect("one down", first, "b")

		failed := c.instance(t, "")
		expect("a Corefile that does not start", failed, "b")
		c.set(2)
		expect("the other down", first, "a")
		expect("a Corefile that did not start", failed, "b")

		second := c.instance(t, state)
		expect("a reload, before it serves", second, "a")
		c.set(1)
		expect("a reload that takes long", second, "a")
		serve(second)
		expect("a reload", second, "b")
		c.set(2)
		before := c.dialed.Load()
		c.set(2)
		if n := c.dialed.Load() - before; n != 20 {
			t.Errorf("%d probes in 10 intervals, want 2 in each", n)
		}

		second.stop()
		serving.Store(nil)
		before = c.dialed.Load()
		time.Sleep(3 * every)
		if n := c.dialed.Load() - before; n != 0 {
			t.Errorf("%d probes after the end", n)
		}
		third := c.instance(t, state)
		expect("a restart", third, "a")
		serve(third)
		defer third.stop()
		c.set(1, 2)
		expect("all down", third, "a b")
		checkHealthMetrics(t, &c)
	})
}

// TestHealthReload: a reload keeps verdicts without a file, although CoreDNS stops the old instance before it says that
// the new one serves.
func TestHealthReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer serving.Store(nil)
		c := cluster{server: t.Name()}
		first := c.instance(t, "")
		serve(first)
		c.set(1)
		second := c.instance(t, "")
		c.set(2)
		first.stop()
		serve(second)
		defer second.stop()
		if got := second.targets(); got != "a" {
			t.Errorf("after a reload: %s, want a", got)
		}
	})
}

// TestHealthReloadOthers: a server block keeps its own verdicts over a reload, whatever others know of the same servers,
// which they may probe from elsewhere; one that is new has those of others.
func TestHealthReloadOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer serving.Store(nil)
		c := cluster{server: t.Name()}
		up := func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error) {
			here, _ := net.Pipe()
			return here, nil
		}
		with := func(dialers ...health.Dialer) *instance {
			i := new(instance)
			for n, dial := range dialers {
				c.add(t, i, strings.Repeat("x", n)+c.server, health.Config{Dial: dial})
			}
			return i
		}
		first := with(c.dial, up)
		serve(first)
		c.set(1)
		second := with(c.dial, up, c.dial)
		serve(second)
		defer second.stop()
		for n, want := range []string{"b", "a b", "a b"} {
			one := instance{handlers: second.handlers[n:]}
			if got := one.targets(); got != want {
				t.Errorf("block %d after a reload: %s, want %s", n+1, got, want)
			}
		}
	})
}

// TestDrainedMany: metrics have a hundred hosts that are drained, whoever drains more.
func TestDrainedMany(t *testing.T) {
	var hosts strings.Builder
	for n := range 120 {
		fmt.Fprintf(&hosts, " h%d.example.net.", n)
	}
	controller := caddy.NewTestController("dns", "mxsrv example.org {\n host a 192.0.2.1\n drain"+hosts.String()+"\n}")
	controller.ServerBlockKeys = []string{"example.org."}
	m, err := newHandler(parse(controller, ""), t.Name(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.publisher.Load(); err != nil {
		t.Fatal(err)
	}
	i := new(instance)
	i.add(m)
	if n := len(distinct(i.drained)); n != 100 {
		t.Errorf("%d hosts", n)
	}
}

// checkHealthMetrics checks the metrics of TestHealth at its end.
func checkHealthMetrics(t *testing.T, c *cluster) {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/health.md")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			listed := regexp.MustCompile("\n\\* `" + f.GetName() + `\{(.*)\}` + "`").FindSubmatch(page)
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
				if listed != nil && !slices.Contains(strings.Split(string(listed[1]), ", "), l.GetName()) {
					t.Errorf("docs/health.md does not list %s of %s", l.GetName(), f.GetName())
				}
			}
			name := strings.TrimPrefix(f.GetName(), "coredns_mxsrv_") + " " + strings.Join(labels, " ")
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for want, value := range map[string]float64{
		"target_up check=tcp host= port=80 server=SERVER target=192.0.2.1": 0,
		"target_up check=tcp host= port=80 server=SERVER target=192.0.2.2": 0,
		"target_changes_total server=SERVER state=down":                    5,
		"target_changes_total server=SERVER state=up":                      5,
		"failed_open name=_s._tcp.example.org. server=SERVER":              1,
		"drained server=SERVER target=c.example.net.":                      1,
		"check_duration_seconds check=tcp server=SERVER":                   float64(c.dialed.Load()),
	} {
		want = strings.ReplaceAll(want, "SERVER", c.server)
		name, _, _ := strings.Cut(want, " ")
		if !strings.Contains(string(page), "\n* `coredns_mxsrv_"+name+"{") {
			t.Errorf("docs/health.md does not list %s", name)
		}
		if n, ok := got[want]; !ok || n != value {
			t.Errorf("%s: %v, %v; want %v", want, n, ok, value)
		}
	}
	if n := got["check_failures_total check=tcp reason=refused server="+c.server]; n == 0 {
		t.Error("no failures")
	}
}
