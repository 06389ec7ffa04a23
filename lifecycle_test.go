package mxsrv

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mxsrv/mxsrv/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Tests{M: m}.Run()) }

// notified starts a secondary, and returns its address and the zones that it is told of.
func notified(t *testing.T) (addr string, zones chan string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	zones = make(chan string, 100)
	s := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Opcode == dns.OpcodeNotify {
			zones <- r.Question[0].Name
		}
		w.WriteMsg(new(dns.Msg).SetReply(r))
	})}
	go s.ActivateAndServe()
	t.Cleanup(func() { s.Shutdown() })
	return conn.LocalAddr().String(), zones
}

// receive waits for a zone that a secondary is told of.
func receive(t *testing.T, zones chan string, want string) {
	t.Helper()
	select {
	case got := <-zones:
		if got != want {
			t.Fatalf("NOTIFY of %s, want %s", got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no NOTIFY of %s", want)
	}
}

// useDirectives has CoreDNS know some more plugins, in their order, until the test ends.
func useDirectives(t *testing.T, more ...string) {
	t.Helper()
	caddy.Quiet, dnsserver.Quiet = true, true
	before := dnsserver.Directives
	t.Cleanup(func() { dnsserver.Directives = before })
	dnsserver.Directives = append(slices.Clone(before), more...)
}

// followers counts the publishers that follow their sources.
func followers() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "publish.(*Publisher).Follow.func1()")
}

// TestLifecycle: CoreDNS reads its Corefile again, well and badly. One instance serves, its
// sources alone are followed, its secondaries told and its names counted.
func TestLifecycle(t *testing.T) {
	useDirectives(t, pluginName)
	secondary, zones := notified(t)
	path := filepath.Join(t.TempDir(), "mail.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	corefile := func(more string) caddy.Input {
		text := fmt.Sprintf("example.org:0 {\n bind 127.0.0.1\n transfer {\n to %s\n }\n mxsrv {\n"+
			" authoritative {\n ns ns.example.net.\n }\n file %s\n reload 100ms\n %s\n }\n}", secondary, path, more)
		return caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(text), ServerTypeName: "dns"}
	}
	serves := func(names int) {
		t.Helper()
		if i := serving.Load(); i == nil || len(i.handlers) != 1 || i.handlers[0].publisher.Status().Total != names {
			t.Fatalf("serving %+v, want one handler with %d names", i, names)
		}
	}

	write("mail @ none\n")
	running, err := caddy.Start(corefile(""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		running.ShutdownCallbacks()
		running.Stop()
		serving.Store(nil)
	}()
	receive(t, zones, "example.org.")
	serves(1)

	first := serving.Load()
	if running, err = running.Restart(corefile("oops")); err == nil || serving.Load() != first {
		t.Fatalf("%v: another instance after a reload that failed", err)
	}
	write("mail @ a none\n")
	receive(t, zones, "example.org.")
	serves(2)

	if running, err = running.Restart(corefile("mail b none")); err != nil || serving.Load() == first {
		t.Fatalf("%v: the same instance after a reload", err)
	}
	receive(t, zones, "example.org.")
	serves(3)
	write("mail @ a c none\n")
	receive(t, zones, "example.org.")
	serves(4)
	if n := followers(); n != 1 {
		t.Errorf("%d publishers follow, want 1", n)
	}

	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := make(map[string]int)
	for _, f := range families {
		series[f.GetName()] = len(f.GetMetric())
	}
	for name, want := range map[string]int{"definitions": 5, "last_load_failed": 1, "fragments": 0, "etcd_connected": 0} {
		if n := series["coredns_mxsrv_"+name]; n != want {
			t.Errorf("%d series of %s, want %d", n, name, want)
		}
	}
}
