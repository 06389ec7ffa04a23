package test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// noSources are addresses that this host must not have. What is probed from them is not: no packet leaves this host,
// whatever addresses of others a test declares.
var noSources = []string{"198.51.100.254", "2001:db8:ffff::254"}

// neverProbed returns a block of checks that has verdicts from a file, and sends no probe.
func neverProbed(state string) string {
	return fmt.Sprintf("checks {\nevery 1h\nfrom %s\nstate %s\n}\n", strings.Join(noSources, " "), state)
}

// requireNoSources fails if this host has one of the addresses.
func requireNoSources(t *testing.T) {
	t.Helper()
	for _, addr := range noSources {
		if l, err := net.Listen("tcp", net.JoinHostPort(addr, "0")); err == nil {
			l.Close()
			t.Fatalf("this host has the address %s, and would probe servers of others", addr)
		}
	}
}

// writeVerdicts writes a file of verdicts: some of up, down, unreachable, or "" for those that have none.
func writeVerdicts(t *testing.T, path string, probes []definition.Probe, verdict func(definition.Probe) string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# mxsrv health 2\n")
	now := time.Now().UTC().Format(time.RFC3339)
	for _, p := range probes {
		if v := verdict(p); v != "" {
			fmt.Fprintf(&b, "%s\t%s\t%s\t%v\t-\t%v\t\n", v, now, now, p.Addr, p.Check)
		}
	}
	write(t, path, b.String())
}

// verdicts writes the file of a set that is checked. No verdict hides anything: of half of the sets all targets are
// down, of the others none is.
func (g *generated) verdicts(t *testing.T, dir string) {
	t.Helper()
	if !g.checked {
		return
	}
	rnd := rand.New(rand.NewPCG(g.seed, 6))
	verdict := func(definition.Probe) string { return "down" }
	if g.seed%4 == 1 {
		verdict = func(definition.Probe) string { return []string{"up", "up", "unreachable", ""}[rnd.IntN(4)] }
	}
	probes := compile(t, g.block, nil).Probes()
	if len(probes) == 0 {
		t.Errorf("seed %d: nothing is checked", g.seed)
	}
	writeVerdicts(t, filepath.Join(dir, g.state()), probes, verdict)
}

// state returns the name of the file of verdicts.
func (g *generated) state() string { return fmt.Sprint("verdicts-", g.seed) }

// metricsBlock has the metrics of all other server blocks, which answer as without them.
const metricsBlock = "metrics.test:1053 {\nbind 127.0.0.1\nprometheus 127.0.0.1:1054\nwhoami\n}\n"

// checkVerdicts checks that the server has verdicts of both kinds.
func checkVerdicts(t *testing.T, s *server) {
	t.Helper()
	up, down := 0, 0
	for line := range strings.Lines(s.get(":1054", "/metrics")) {
		if strings.HasPrefix(line, "coredns_mxsrv_target_up{") {
			switch line[len(line)-3:] {
			case " 1\n":
				up++
			case " 0\n":
				down++
			}
		}
	}
	if up < 10 || down < 10 {
		t.Errorf("%d targets are up and %d down, want at least 10", up, down)
	}
	t.Logf("of the targets that are checked %d are up and %d down", up, down)
}
