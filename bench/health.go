package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// Checks of targets: what they are worth beside those of gdnsd and PowerDNS, what they cost with 10,000 targets, and how
// long it takes from the probe that decides to the answer. The targets are in the process of the bench.

const (
	maxProbing     = 0.1 // of a core, for targets that are checked by tcp
	maxProbingP99  = 1.2 // times the 99th percentile without checks
	maxDescriptors = 300 // 256 probes, and what a server has anyway
	maxVerdict     = 10  // milliseconds from the probe that decides to the answer
	fewNames       = 1000
	perService     = 4 // targets
)

// A healthPlan says how much is measured.
type healthPlan struct {
	every, timeout time.Duration
	limit          time.Duration // how long checkers may take to see a failure
	failures       int           // of each kind
	targets        int
	rounds         int
	span           time.Duration // of a turn with load
	names          []int
	changes        int // of verdicts
}

var (
	fullHealth = healthPlan{every: 10 * time.Second, timeout: 3 * time.Second, limit: 2 * time.Minute, failures: 5,
		targets: 10000, rounds: 7, span: 5 * time.Second, names: []int{fewNames, 100000}, changes: 20}
	quickHealth = healthPlan{every: 2 * time.Second, timeout: time.Second, limit: 6 * time.Second, failures: 1,
		targets: 1000, rounds: 1, span: time.Second, names: []int{fewNames}, changes: 3}
)

// health measures, and prints a table of each part and one of what is demanded.
func health(ctx context.Context, dir string) error {
	p := fullHealth
	if *quick {
		p = quickHealth
	}
	if *rounds > 0 {
		p.rounds = *rounds
	}
	if err := need("gdnsd", "pdns_server"); err != nil {
		return err
	}
	chosen, err := choose(*only, []string{"beside", "cost", "load", "verdicts"})
	if err != nil {
		return err
	}
	var t table
	beside := newComparison(p, checkers())
	cost, err := newCheckCost(p, dir)
	if err != nil {
		return err
	}
	defer cost.close()
	steps := []step{
		{"beside", 140, func(ctx context.Context) error { return t.beside(ctx, dir, beside) }},
		{"cost", 140, func(ctx context.Context) error { return t.cost(ctx, cost) }},
		{"load", 110, func(ctx context.Context) error { return t.load(ctx, cost) }},
		{"verdicts", 60, func(ctx context.Context) error { return t.verdicts(ctx, dir, p) }},
	}
	fmt.Printf("%s; %s\n\n", machine(), strings.Join(versions(filepath.Join(dir, "server"), beside.peers()), ", "))
	defer func() { t.write(os.Stdout) }()
	return follow(ctx, slices.DeleteFunc(steps, func(s step) bool { return !slices.Contains(chosen, s.name) }))
}

// checksBlock returns the block of checks in a Corefile.
func checksBlock(every, timeout time.Duration, more string) string {
	return fmt.Sprintf("\t\tignore address-special check-single check-ttl-long\n"+
		"\t\tchecks {\n\t\t\tevery %v\n\t\t\ttimeout %v\n\t\t\tprobe 127.0.0.0/8\n%s\t\t}\n", every, timeout, more)
}

// A checkKind is targets of one kind, and the server that checks them. Without a check, nothing is probed.
type checkKind struct {
	name, check string
	site
	targets    io.Closer
	targetPort int
	probes     atomic.Int64
	figures    map[string][]float64
}

// A checkCost is what checks of many targets cost.
type checkCost struct {
	healthPlan
	kinds []*checkKind
}

const (
	unchecked    = "none"
	checked      = "tcp"
	silentChecks = "smtp, silent"
)

// newCheckCost has the targets listen, and writes the files of the servers.
func newCheckCost(p healthPlan, dir string) (*checkCost, error) {
	certificate, authority, err := newCertificate()
	if err != nil {
		return nil, err
	}
	c := &checkCost{healthPlan: p}
	for _, k := range []struct {
		name, check string
		talk        talk
	}{
		{unchecked, "", hang},
		{checked, "tcp", nil},
		{"tls", "tls", overTLS(certificate, hang)},
		{"smtp", "smtp", mailHost("220 mx")},
		{"https", "https /", overTLS(certificate, page)},
		{silentChecks, "smtp", hang},
	} {
		kind := &checkKind{name: k.name, check: k.check, figures: make(map[string][]float64)}
		kind.dir = filepath.Join(dir, "checks "+k.name)
		if err := errors.Join(kind.listen(k.talk), kind.fill(p, authority)); err != nil {
			return nil, err
		}
		c.kinds = append(c.kinds, kind)
	}
	return c, nil
}

func (c *checkCost) close() {
	for _, k := range c.kinds {
		k.targets.Close()
	}
}

func (k *checkKind) listen(t talk) error {
	l, err := listenEverywhere()
	if err != nil {
		return err
	}
	k.targets, k.targetPort = l, portOf(l)
	if t == nil {
		k.targets, err = acceptAll(l.(*net.TCPListener), &k.probes)
		return err
	}
	go serve(l, func(conn net.Conn) {
		k.probes.Add(1)
		t(conn)
	})
	return nil
}

// fill writes the files of a server. Verdicts are kept, so that only its first start is one with new verdicts.
func (k *checkKind) fill(p healthPlan, authority string) (err error) {
	if k.port, err = rig.FreePort(); err != nil {
		return err
	}
	var definitions, queries strings.Builder
	for i := range p.targets {
		fmt.Fprintf(&definitions, "host t%05d 127.%d.%d.%d\n", i, 64+i>>16, i>>8&255, i&255)
	}
	for i := 0; i < p.targets; i += perService {
		fmt.Fprintf(&definitions, "service _s._tcp.t%05d 0 0 %d", i, k.targetPort)
		for j := range perService {
			fmt.Fprintf(&definitions, " t%05d", i+j)
		}
		if k.check != "" {
			fmt.Fprintf(&definitions, " {\n    check %s\n}", k.check)
		}
		definitions.WriteString("\n")
		fmt.Fprintf(&queries, "_s._tcp.t%05d.%s SRV\n", i, bare("@"))
	}
	lines := "\tmxsrv {\n\t\tfile " + definitionsFile + "\n" + checksBlock(p.every, p.timeout, "\t\t\tstate verdicts\n") + "\t}\n"
	return errors.Join(os.Mkdir(k.dir, 0o755), k.fillText(definitionsFile, definitions.String()),
		k.fillText(queryFile, queries.String()), k.fillText("Corefile", corefile(k.port, lines)), k.fillText(authorityFile, authority))
}

const authorityFile = "authority.pem"

// start starts the server, and returns when it answers.
func (k *checkKind) start(ctx context.Context) (*rig.Process, error) {
	command := append([]string{"env", "SSL_CERT_FILE=" + authorityFile}, corednsCommand...)
	p, err := start(ctx, k.dir, allCores, command...)
	if err != nil {
		return nil, err
	}
	_, err = k.awaitTargets(ctx, p, "_s._tcp.t00000", perService)
	return p, err
}

// idle measures a server for an interval, after one in which verdicts are new.
func (k *checkKind) idle(ctx context.Context, p healthPlan) error {
	server, err := k.start(ctx)
	if err != nil {
		return err
	}
	defer server.Stop(rig.Limit)
	if err := wait(ctx, p.every+p.timeout); err != nil {
		return err
	}
	probes, spent, descriptors := k.probes.Load(), cpu(server), 0
	began := time.Now()
	for time.Since(began) < p.every {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", server.Process.Pid))
		if err = errors.Join(err, wait(ctx, often)); err != nil {
			return err
		}
		descriptors = max(descriptors, len(files))
	}
	seconds := time.Since(began).Seconds()
	k.take("cores", (cpu(server)-spent).Seconds()/seconds)
	k.take("probes", float64(k.probes.Load()-probes)/seconds)
	k.take("descriptors", float64(descriptors))
	k.take("resident", memory(server, "VmRSS"))
	return nil
}

func (k *checkKind) take(measure string, figure float64) {
	k.figures[measure] = append(k.figures[measure], figure)
}

func (k *checkKind) median(measure string) float64 { return median(k.figures[measure]) }

func (k *checkKind) underLoad(ctx context.Context, span time.Duration) error {
	server, err := k.start(ctx)
	if err != nil {
		return err
	}
	defer server.Stop(rig.Limit)
	if err := wait(ctx, time.Second); err != nil {
		return err
	}
	loaded, stop := context.WithTimeout(ctx, span)
	defer stop()
	began := time.Now()
	w, err := watch(loaded, k.site)
	if err != nil {
		return err
	}
	latencies := w.between(began.Add(span/10), time.Now())
	if len(latencies) == 0 || w.lost > 0 {
		return fmt.Errorf("%d answers, %d lost", len(latencies), w.lost)
	}
	k.take("p50", median(latencies))
	k.take("p99", percentile(latencies, 99))
	return nil
}

func (c *checkCost) find(name string) *checkKind {
	return c.kinds[slices.IndexFunc(c.kinds, func(k *checkKind) bool { return k.name == name })]
}

// write writes a table in Markdown, with a row for each kind.
func (c *checkCost) write(w io.Writer) {
	none := c.find(unchecked)
	fmt.Fprintf(w, "| %d targets every %v | probes a second | processor time, of a core | open descriptors, at most | memory |\n", c.targets, c.every)
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|")
	for _, k := range c.kinds {
		fmt.Fprintf(w, "| %s | %.0f | %.1f %% | %.0f | %.0f MB |\n", k.name, k.median("probes"),
			100*(k.median("cores")-none.median("cores")), k.median("descriptors"), k.median("resident")/1e6)
	}
	fmt.Fprintln(w)
}

// cost measures servers without load, prints a table and adds what is demanded.
func (t *table) cost(ctx context.Context, c *checkCost) error {
	descriptors := 0.0
	for _, k := range c.kinds {
		logf("cost: %s", k.name)
		if err := k.idle(ctx, c.healthPlan); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		descriptors = max(descriptors, k.median("descriptors"))
	}
	c.write(os.Stdout)
	cores := c.find(checked).median("cores") - c.find(unchecked).median("cores")
	t.demand(cores <= maxProbing, fmt.Sprintf("at most %g %%", 100*maxProbing),
		fmt.Sprintf("%d targets by %s every %v: processor time, of a core", c.targets, checked, c.every), "%.1f %%", 100*cores)
	t.demand(descriptors <= maxDescriptors, fmt.Sprintf("at most %d", maxDescriptors), "open descriptors, with any check", "%.0f", descriptors)
	return nil
}

// load measures latencies in turns without checks and with them, each with a new server, another one first in every other
// round, and adds them.
func (t *table) load(ctx context.Context, c *checkCost) error {
	without, with := c.find(unchecked), c.find(checked)
	if err := with.idle(ctx, c.healthPlan); err != nil { // so that there are verdicts
		return err
	}
	var ratios []float64
	for round := range c.rounds {
		logf("load: round %d of %d", round+1, c.rounds)
		for i := range 2 {
			k := []*checkKind{without, with}[(round+i)%2]
			if err := k.underLoad(ctx, c.span); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
		ratios = append(ratios, with.figures["p99"][round]/without.figures["p99"][round])
	}
	µs := func(k *checkKind, measure string) float64 { return 1e6 * k.median(measure) }
	t.demand(median(ratios) <= maxProbingP99, fmt.Sprintf("99th percentile at most %g times", maxProbingP99),
		fmt.Sprintf("%d targets by %s every %v: latency of %d queries a second", c.targets, checked, c.every, watchedRate),
		"median %.0f µs, %.0f without checks; 99th percentile %.0f µs, %.0f without, %s times in one round",
		µs(with, "p50"), µs(without, "p50"), µs(with, "p99"), µs(without, "p99"), spreadOf(ratios).text("%.2f"))
	return nil
}

// awaitTargets asks for the SRV records of a name until there are so many, and returns when that answer came.
func (s site) awaitTargets(ctx context.Context, p *rig.Process, name string, n int) (time.Time, error) {
	answered, err := s.askUntil(ctx, p, new(dns.Msg).SetQuestion(absolute(name), dns.TypeSRV), pause,
		func(m *dns.Msg) bool { return len(m.Answer) == n })
	if err != nil {
		return time.Time{}, fmt.Errorf("%s has not %d targets: %w", name, n, err)
	}
	return answered, nil
}

// A switched is a server with two targets for many names, of which one is switched off and on.
type switched struct {
	site
	server  *rig.Process
	names   int
	down    atomic.Bool
	refused atomic.Int32   // greetings since the last switch
	decided chan time.Time // of the greeting that takes the target down
}

const (
	switchedTarget, otherTarget = "127.0.62.1", "127.0.62.2"
	switchEvery                 = 100 * time.Millisecond
	downAfter                   = 3
)

// talk greets, and refuses on the target that is switched off.
func (s *switched) talk(conn net.Conn) {
	if !s.down.Load() || conn.LocalAddr().(*net.TCPAddr).IP.String() != switchedTarget {
		mailHost("220 mx")(conn)
		return
	}
	now := time.Now()
	if s.refused.Add(1) == downAfter {
		s.decided <- now
	}
	mailHost("554 no")(conn)
}

// verdicts measures how long it takes to change the answers for many names.
func (t *table) verdicts(ctx context.Context, dir string, p healthPlan) error {
	for _, n := range p.names {
		for _, own := range []bool{false, true} {
			s := &switched{names: n, decided: make(chan time.Time, 1)}
			s.dir = filepath.Join(dir, fmt.Sprint("verdicts-", n, "-", own))
			took, err := s.measure(ctx, own, p.changes)
			if err != nil {
				return err
			}
			what := fmt.Sprintf("%d names that share an RRset", n)
			if own {
				what = fmt.Sprintf("%d names with RRsets of their own", n)
			}
			what += ": from the probe that decides to the answer"
			const figure = "median %.2f ms, at most %.2f ms"
			if n > fewNames {
				t.add(what, figure, median(took), slices.Max(took))
			} else {
				t.demand(slices.Max(took) <= maxVerdict, fmt.Sprintf("at most %d ms", maxVerdict), what, figure, median(took), slices.Max(took))
			}
		}
	}
	return nil
}

// measure returns the milliseconds that some changes took.
func (s *switched) measure(ctx context.Context, own bool, changes int) (took []float64, err error) {
	l, err := listenEverywhere()
	if err != nil {
		return nil, err
	}
	defer l.Close()
	go serve(l, s.talk)
	if err := s.fill(own, portOf(l)); err != nil {
		return nil, err
	}
	if s.server, err = start(ctx, s.dir, allCores, corednsCommand...); err != nil {
		return nil, err
	}
	defer s.server.Kill()
	if err := s.await(ctx, 2); err != nil {
		return nil, err
	}
	for range changes {
		if err := wait(ctx, 5*switchEvery); err != nil { // so that there are verdicts
			return nil, err
		}
		ms, err := s.change(ctx)
		if err != nil {
			return nil, err
		}
		took = append(took, ms)
	}
	return took, nil
}

func (s *switched) name(i int) string { return fmt.Sprintf("_s._tcp.d%06d", i) }

func (s *switched) fill(own bool, port int) (err error) {
	if s.port, err = rig.FreePort(); err != nil {
		return err
	}
	definitions := fmt.Sprintf("host a %s\nhost b %s\n", switchedTarget, otherTarget)
	var b strings.Builder
	b.WriteString(definitions)
	for i := range s.names {
		if own || i == 0 {
			b.WriteString("service")
		}
		b.WriteString(" " + s.name(i))
		if own || i == s.names-1 {
			weight, other := 0, 0
			if own {
				weight, other = i&0xffff, i>>16
			}
			fmt.Fprintf(&b, " {\n    0 %d %d a\n    0 %d %[2]d b\n    check smtp\n}\n", weight, port, other)
		}
	}
	lines := "\tmxsrv {\n\t\tfile " + definitionsFile + "\n" +
		checksBlock(switchEvery, time.Second, fmt.Sprintf("\t\t\tdown %d\n", downAfter)) + "\t}\n"
	return errors.Join(os.Mkdir(s.dir, 0o755), s.fillText(definitionsFile, b.String()), s.fillText("Corefile", corefile(s.port, lines)))
}

// await waits until some of all names have n targets.
func (s *switched) await(ctx context.Context, n int) error {
	for range 20 {
		if _, err := s.awaitTargets(ctx, s.server, s.name(rand.IntN(s.names)), n); err != nil {
			return err
		}
	}
	return nil
}

// change switches the target off and on, and returns how many milliseconds after the probe that decided it has left the
// answers.
func (s *switched) change(ctx context.Context) (float64, error) {
	s.refused.Store(0)
	s.down.Store(true)
	var decided time.Time
	select {
	case decided = <-s.decided:
	case <-time.After(rig.Limit):
		return 0, errors.New("nothing is probed")
	}
	answered, err := s.awaitTargets(ctx, s.server, s.name(rand.IntN(s.names)), 1)
	if err == nil {
		err = s.await(ctx, 1)
	}
	s.down.Store(false)
	return answered.Sub(decided).Seconds() * 1e3, errors.Join(err, s.await(ctx, 2))
}
