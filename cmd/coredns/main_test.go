package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/mxsrv/mxsrv/cmd/internal/example"
)

// TestLoad: the Corefile of the directory is served, or else the example, and neither
// where another process listens.
func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	dnsserver.Quiet = true
	in, err := load("dns")
	if err != nil { // another process has the port: the error says so
		if want := example.Address + " is taken by another process: stop that, or copy the example"; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s...", err, want)
		}
	} else if string(in.Body()) != example.Corefile {
		t.Errorf("%s is served, want the example", in.Path())
	}

	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	text := fmt.Sprintf("example.com:%d {\n    bind 127.0.0.1\n}\n", l.LocalAddr().(*net.UDPAddr).Port)
	if err := os.WriteFile("Corefile", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := l.LocalAddr().String() + " is taken by another process: stop that, or write another port into Corefile"
	if _, err := load("dns"); fmt.Sprint(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
	l.Close()
	if in, err := load("dns"); err != nil || string(in.Body()) != text {
		t.Errorf("%v, want the Corefile", err)
	}
}

// TestListenable: where each server block would listen.
func TestListenable(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	for _, tc := range []struct{ name, corefile, want string }{
		{"taken", "example.org:UDP {\nbind 127.0.0.1\n}", "127.0.0.1:UDP is taken"},
		{"another address", "example.org:UDP {\nbind 127.0.0.2\n}", ""},
		{"the second address", "example.org:UDP {\nbind 127.0.0.2 127.0.0.1\n}", "127.0.0.1:UDP is taken"},
		{"the second key", "example.org:TCP example.com:UDP {\nbind 127.0.0.1\n}", "127.0.0.1:UDP is taken"},
		{"the second block", "example.org:TCP {\nbind 127.0.0.1\n}\n.:UDP {\nbind 127.0.0.1\n}", "127.0.0.1:UDP is taken"},
		{"all addresses", "example.org:UDP {\n}", ":UDP is taken"},
		{"an interface", "example.org:UDP {\nbind lo\n}", ""},
		{"tls", "tls://example.org:TCP {\nbind 127.0.0.1\n}", "127.0.0.1:TCP is taken"},
		{"quic", "quic://example.org:UDP {\nbind 127.0.0.1\n}", "127.0.0.1:UDP is taken"},
		{"no Corefile", "example.org:UDP {", ""},
	} {
		corefile := strings.NewReplacer("UDP", port(udp.LocalAddr()), "TCP", port(tcp.Addr())).Replace(tc.corefile)
		want := strings.NewReplacer("UDP", port(udp.LocalAddr()), "TCP", port(tcp.Addr())).Replace(tc.want)
		err := listenable(caddy.CaddyfileInput{Contents: []byte(corefile)})
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", tc.name, err, want)
		}
	}
}

func port(addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return port
}

// TestFirstRun: whoever starts this without a Corefile reads what to do.
func TestFirstRun(t *testing.T) {
	t.Chdir(t.TempDir())
	const want = `no Corefile here: serving an example on 127.0.0.1:1053
  ask it:      dig @127.0.0.1 -p 1053 example.com MX
  copy it:     mxsrv example > Corefile
  check that:  mxsrv check
`
	if got := firstRun(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !strings.Contains(example.Corefile, "example.com:1053 {\n    bind 127.0.0.1\n") {
		t.Error("the example is served elsewhere")
	}
}
