package test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// TestUnbound: a resolver that believes every denial to the letter resolves all
// that is declared, in any order of asking.
func TestUnbound(t *testing.T) {
	unbound := rig.Peer(t, "unbound")
	authority := startOverlay(t)
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			resolver := startUnbound(t, unbound, authority.addr)
			questions := slices.Clone(overlayNames)
			// Names that are not there, and those above the declared ones, are what
			// a denial could spread from.
			questions = append(questions, "_tcp.example.com A", "sub1.example.com TXT", "nosuch.example.com MX",
				"b.c.example.com NS", "c.example.com A", "_msdcs.example.com TXT", "tree.example.com AAAA")
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(questions), func(i, j int) {
				questions[i], questions[j] = questions[j], questions[i]
			})
			for _, q := range questions {
				m := query(t, q)
				m.SetEdns0(1232, true)
				res := resolver.ask(t, "udp", m)
				if slices.Contains(overlayNames, q) && (res.Rcode != dns.RcodeSuccess || len(res.Answer) == 0) {
					t.Errorf("%s after %v: %v", q, questions, res)
				}
			}
		})
	}
}

// startUnbound starts a resolver that asks one server, with further options.
func startUnbound(t *testing.T, path, stub string, options ...string) *server {
	t.Helper()
	port := freePort(t)
	conf := filepath.Join(t.TempDir(), "unbound.conf")
	text := fmt.Sprintf(`server:
    interface: 127.0.0.1@%s
    do-daemonize: no
    do-ip6: no
    chroot: ""
    username: ""
    directory: "%s"
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    do-not-query-localhost: no
    harden-below-nxdomain: yes
    aggressive-nsec: yes
    qname-minimisation: yes
    qname-minimisation-strict: yes
    %s
remote-control:
    control-enable: no
stub-zone:
    name: "example.com."
    stub-addr: %s
`, port, filepath.Dir(conf), strings.Join(options, "\n    "), strings.Replace(stub, ":", "@", 1))
	write(t, conf, text)
	return run(t, "127.0.0.1:"+port, exec.Command(path, "-d", "-c", conf), "start of service")
}

// TestDig: what the README tells a newcomer to type shows the set with its
// addresses.
func TestDig(t *testing.T) {
	dig := rig.Peer(t, "dig")
	s := start(t, t.TempDir(), read(t, "../cmd/internal/example/Corefile"))
	host, port, _ := strings.Cut(s.addr, ":")
	out, err := exec.Command(dig, "@"+host, "-p", port, "eXaMpLe.com", "MX").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	for _, want := range []string{"flags: qr aa rd;", "ANSWER: 4,", "ADDITIONAL: 7", "IN\tMX\t10 mx1.example.com.", "IN\tAAAA\t2001:db8:1::30"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
