package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// mxsrv beside other servers that check targets by TCP connections. All have the same pools of addresses, of which some
// fail, and are asked for all pools all the time.

const (
	poolSize = 4
	askEvery = 100 * time.Millisecond
	checkTTL = 60
)

// A checker is a server that leaves out addresses that are down.
type checker struct {
	peer
	downAfter string // how many failures in a row
	files     func(c *comparison, s site, port int) map[string]string

	site
	process *rig.Process
	probes  []float64 // a minute, of each backend that is up all the time

	mu   sync.Mutex
	seen map[string][]answerSet // by pool
}

// An answerSet is what answers have, from the first of them to the next answerSet.
type answerSet struct {
	at    time.Time
	addrs string // sorted, with spaces between; or the rcode if it is not NOERROR
}

func checkers() []*checker {
	gdnsd := peer{name: "gdnsd", program: "gdnsd", debian: "gdnsd", version: "-V",
		command: []string{"gdnsd", "-c", ".", "start"}}
	pdns := peer{name: "pdns", program: "pdns_server", debian: "pdns-server", version: "--version",
		command: []string{"pdns_server", "--config-dir=."}}
	three := gdnsd
	three.name = "gdnsd, `down_thresh` 3"
	return []*checker{
		{peer: peer{name: "mxsrv", command: corednsCommand}, downAfter: "3, a fifth of the interval apart",
			files: (*comparison).mxsrvFiles},
		{peer: gdnsd, downAfter: "10", files: gdnsdFiles(10)},
		{peer: three, downAfter: "3", files: gdnsdFiles(3)},
		{peer: pdns, downAfter: "1", files: (*comparison).pdnsFiles},
	}
}

// A failure is what happens to the first backend of a pool.
type failure int

const (
	none     failure = iota
	dead             // it does not listen from the start
	allDead          // none of the pool does
	refusing         // connections are refused from some time on
	silent           // connections are not answered from some time on
	brief            // connections are refused for three tenths of an interval
)

// A pool is the addresses of one name.
type pool struct {
	name     string
	failure  failure
	backends []*backend
	after    time.Duration // when it fails, after the first one
	failed   time.Time
}

// addrs returns all addresses, as an answerSet has them: they are in order.
func (p *pool) addrs() string {
	var all []string
	for _, b := range p.backends {
		all = append(all, b.addr)
	}
	return strings.Join(all, " ")
}

// A comparison is one run of all checkers.
type comparison struct {
	healthPlan
	pools    []*pool
	checkers []*checker
}

func (c *comparison) peers() (all []peer) {
	for _, s := range c.checkers {
		all = append(all, s.peer)
	}
	return all
}

// newComparison makes a few pools for each failure, which come spread over an interval.
func newComparison(p healthPlan, all []*checker) *comparison {
	c := &comparison{healthPlan: p, checkers: all}
	failures := []failure{none, dead, allDead}
	for range p.failures {
		failures = append(failures, refusing, silent, brief)
	}
	// In another order than that of the pools, by which a checker may spread its probes.
	moments := rand.New(rand.NewPCG(1, 2)).Perm(len(failures))
	for i, f := range failures {
		after := c.every * time.Duration(moments[i]) / time.Duration(len(failures))
		p := &pool{name: fmt.Sprintf("p%02d", i), failure: f, after: after}
		for j := range poolSize {
			p.backends = append(p.backends, &backend{addr: fmt.Sprintf("127.0.60.%d", 100+i*poolSize+j)})
		}
		c.pools = append(c.pools, p)
	}
	return c
}

// run starts all, lets pools fail, and waits until all checkers have seen it.
func (c *comparison) run(ctx context.Context, dir string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer c.close()
	if err := c.start(ctx, dir); err != nil {
		return err
	}
	var watches sync.WaitGroup
	for _, s := range c.checkers {
		watches.Go(func() { s.watch(ctx, c.pools) })
	}
	defer watches.Wait()
	defer stop()
	wait(ctx, c.every*6/5) // so that all have been probed
	count := c.counting()
	err := c.fail(ctx)
	for deadline := time.Now().Add(c.limit); err == nil && !c.allSeen() && time.Now().Before(deadline); {
		err = wait(ctx, askEvery)
	}
	count()
	for _, s := range c.checkers {
		err = errors.Join(err, s.process.Err())
	}
	return err
}

// wait waits, and returns an error if ctx ends meanwhile.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// start has the backends listen, and starts the checkers.
func (c *comparison) start(ctx context.Context, dir string) error {
	ports := make([]int, len(c.checkers))
	for i := range ports {
		var err error
		if ports[i], err = rig.FreePort(); err != nil {
			return err
		}
	}
	for _, p := range c.pools {
		for i, b := range p.backends {
			b.setPorts(ports)
			if p.failure == allDead || p.failure == dead && i == 0 {
				continue
			}
			if err := b.listen(); err != nil {
				return err
			}
		}
	}
	for i, s := range c.checkers {
		if err := s.start(ctx, c, filepath.Join(dir, fmt.Sprint("checker", i)), ports[i]); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (c *comparison) close() {
	for _, s := range c.checkers {
		if s.process != nil {
			s.process.Kill()
		}
	}
	for _, p := range c.pools {
		for _, b := range p.backends {
			b.close()
		}
	}
}

func (s *checker) start(ctx context.Context, c *comparison, dir string, probed int) (err error) {
	s.dir, s.seen = dir, make(map[string][]answerSet)
	if s.port, err = rig.FreePort(); err != nil {
		return err
	}
	for name, text := range s.files(c, s.site, probed) {
		err = errors.Join(err, os.MkdirAll(filepath.Dir(s.path(name)), 0o755), s.fillText(name, text))
	}
	if err == nil {
		s.process, err = start(ctx, s.dir, allCores, s.command...)
	}
	return err
}

// watch asks for all pools, again and again, and notes what changes.
func (s *checker) watch(ctx context.Context, pools []*pool) {
	for wait(ctx, askEvery) == nil {
		for _, p := range pools {
			// An error may be that it does not listen yet.
			if res, err := s.roundTrip("", new(dns.Msg).SetQuestion(absolute(p.name), dns.TypeA)); err == nil {
				s.note(p, answerSet{time.Now(), addressesIn(res.Msg)})
			}
		}
	}
}

func (s *checker) note(p *pool, a answerSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen := s.seen[p.name]; len(seen) == 0 || seen[len(seen)-1].addrs != a.addrs {
		s.seen[p.name] = append(seen, a)
	}
}

func (s *checker) answers(p *pool) []answerSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[p.name]
}

func addressesIn(m *dns.Msg) string {
	if m.Rcode != dns.RcodeSuccess {
		return dns.RcodeToString[m.Rcode]
	}
	var all []string
	for _, rr := range m.Answer {
		if a, ok := rr.(*dns.A); ok {
			all = append(all, a.A.String())
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// fail lets pools fail at their times.
func (c *comparison) fail(ctx context.Context) error {
	return each(len(c.pools), c.pools, func(p *pool) error {
		if p.failure < refusing {
			return nil
		}
		if err := wait(ctx, p.after); err != nil {
			return err
		}
		b := p.backends[0]
		p.failed = time.Now()
		if p.failure == silent {
			return b.silence()
		}
		b.close()
		if p.failure == brief {
			return errors.Join(wait(ctx, c.every*3/10), b.listen())
		}
		return nil
	})
}

// hiddenAfter returns how long after its failure the first backend of a pool was left out of an answer.
func (s *checker) hiddenAfter(p *pool) (time.Duration, bool) {
	for _, a := range s.answers(p) {
		if took := a.at.Sub(p.failed); took > 0 && !slices.Contains(strings.Fields(a.addrs), p.backends[0].addr) {
			return took, true
		}
	}
	return 0, false
}

// allSeen reports whether all checkers have hidden what has failed for good.
func (c *comparison) allSeen() bool {
	for _, s := range c.checkers {
		for _, p := range c.pools {
			if p.failure != refusing && p.failure != silent {
				continue
			}
			if _, ok := s.hiddenAfter(p); !ok {
				return false
			}
		}
	}
	return true
}

// counting begins to count the probes of backends that are up. What it returns ends that.
func (c *comparison) counting() (end func()) {
	backends, began := c.pools[0].backends, time.Now()
	count := func(b *backend, i int) float64 { return float64(b.probes[i].Load()) }
	before := make(map[*backend][]float64)
	for _, b := range backends {
		for i := range c.checkers {
			before[b] = append(before[b], count(b, i))
		}
	}
	return func() {
		minutes := time.Since(began).Minutes()
		for i, s := range c.checkers {
			for _, b := range backends {
				s.probes = append(s.probes, (count(b, i)-before[b][i])/minutes)
			}
		}
	}
}

// beside compares, prints a table and adds what is demanded.
func (t *table) beside(ctx context.Context, dir string, c *comparison) error {
	if err := c.run(ctx, dir); err != nil {
		return err
	}
	c.write(os.Stdout)
	own := c.checkers[0]
	took := slices.Concat(own.hidden(c, refusing), own.hidden(c, silent))
	longest, of := spreadOf(took).max, c.count(refusing)+c.count(silent)
	most := c.every + 2*c.every/5 + c.timeout
	t.demand(len(took) == of && longest <= (most+2*askEvery).Seconds(), fmt.Sprintf("all, at most %v", most),
		"*mxsrv*: time until a target that has failed is left out", "%d of %d, at most %.1f s", len(took), of, longest)
	return nil
}

// write writes a table in Markdown, with a column for each checker.
func (c *comparison) write(w io.Writer) {
	row := func(what string, figure func(*checker) string) {
		fmt.Fprint(w, strings.TrimRight("| "+what, " ")+" |")
		for _, s := range c.checkers {
			fmt.Fprintf(w, " %s |", figure(s))
		}
		fmt.Fprintln(w)
	}
	row("", func(s *checker) string { return s.name })
	fmt.Fprintln(w, "|"+strings.Repeat("---|", 1+len(c.checkers)))
	row("down after failures", func(s *checker) string { return s.downAfter })
	row("all targets up: first answer", func(s *checker) string { return s.first(c.pool(none)) })
	row("one dead from the start: first answer", func(s *checker) string { return s.first(c.pool(dead)) })
	row("it is left out after another", func(s *checker) string { return s.leftOutAfter(c.pool(dead)) })
	row("all dead from the start: first answer", func(s *checker) string { return s.first(c.pool(allDead)) })
	row("last answer", func(s *checker) string { return s.last(c.pool(allDead)) })
	row("one refuses: left out after", func(s *checker) string { return s.times(c, refusing) })
	row("one is silent: left out after", func(s *checker) string { return s.times(c, silent) })
	row(fmt.Sprintf("one refuses for %v: left out", c.every*3/10), func(s *checker) string {
		return fmt.Sprintf("%d of %d", len(s.hidden(c, brief)), c.count(brief))
	})
	row("probes a minute of a target that is up", func(s *checker) string { return fmt.Sprintf("%.1f", median(s.probes)) })
	fmt.Fprintln(w)
}

// pool returns the first one with a failure.
func (c *comparison) pool(f failure) *pool {
	return c.pools[slices.IndexFunc(c.pools, func(p *pool) bool { return p.failure == f })]
}

func (c *comparison) count(f failure) (n int) {
	for _, p := range c.pools {
		if p.failure == f {
			n++
		}
	}
	return n
}

// hidden returns after how many seconds targets with a failure were left out, of those that were.
func (s *checker) hidden(c *comparison, f failure) (seconds []float64) {
	for _, p := range c.pools {
		if took, ok := s.hiddenAfter(p); ok && p.failure == f {
			seconds = append(seconds, took.Seconds())
		}
	}
	return seconds
}

func (s *checker) times(c *comparison, f failure) string {
	seconds, n := s.hidden(c, f), c.count(f)
	switch len(seconds) {
	case 0:
		return fmt.Sprintf("none of %d within %v", n, c.limit)
	case n:
		return spreadOf(seconds).text("%.1f") + " s"
	}
	return fmt.Sprintf("%s s, %d of %d", spreadOf(seconds).text("%.1f"), len(seconds), n)
}

func (s *checker) first(p *pool) string {
	if seen := s.answers(p); len(seen) > 0 {
		return p.describe(seen[0].addrs)
	}
	return "no answer"
}

func (s *checker) last(p *pool) string {
	if seen := s.answers(p); len(seen) > 0 {
		return p.describe(seen[len(seen)-1].addrs)
	}
	return "no answer"
}

// leftOutAfter returns how long after the first answer the first backend was left out.
func (s *checker) leftOutAfter(p *pool) string {
	seen := s.answers(p)
	if i := slices.IndexFunc(seen, func(a answerSet) bool { return p.describe(a.addrs) == withoutFirst }); i >= 0 {
		return fmt.Sprintf("%.1f s", seen[i].at.Sub(seen[0].at).Seconds())
	}
	return "never"
}

const withoutFirst = "without the dead one"

// describe says which addresses of a pool there are.
func (p *pool) describe(addrs string) string {
	all := p.addrs()
	switch addrs {
	case all:
		return "all"
	case "":
		return "none"
	case strings.TrimPrefix(all, p.backends[0].addr+" "):
		return withoutFirst
	}
	return addrs
}

// mxsrvFiles have a service for each pool, of one host.
func (c *comparison) mxsrvFiles(s site, port int) map[string]string {
	var b strings.Builder
	fmt.Fprintf(&b, "\tmxsrv {\n\t\tttl %d\n", checkTTL)
	for _, p := range c.pools {
		fmt.Fprintf(&b, "\t\thost %s %s\n\t\tservice _%[1]s._tcp 0 0 %[3]d %[1]s {\n\t\t\tcheck tcp\n\t\t}\n", p.name, p.addrs(), port)
	}
	b.WriteString(checksBlock(c.every, c.timeout, "") + "\t}\n")
	return map[string]string{"Corefile": corefile(s.port, b.String())}
}

const zoneTop = "@ %d SOA ns hostmaster 1 7200 1800 86400 60\n@ %[1]d NS ns\nns %[1]d A 127.0.0.1\n"

// gdnsdFiles have a resource of the plugin multifo for each pool. It fails open when none is up, and not before.
func gdnsdFiles(downAfter int) func(c *comparison, s site, port int) map[string]string {
	return func(c *comparison, s site, port int) map[string]string {
		resources, records := "", fmt.Sprintf(zoneTop, checkTTL)
		for _, p := range c.pools {
			resources += fmt.Sprintf("    %s => [ %s ]\n", p.name, strings.ReplaceAll(p.addrs(), " ", ", "))
			records += fmt.Sprintf("%s %d DYNA multifo!%[1]s\n", p.name, checkTTL)
		}
		config := fmt.Sprintf("options => { listen => 127.0.0.1:%d, run_dir => %s, state_dir => %s }\n",
			s.port, s.path("run"), s.path("state"))
		config += fmt.Sprintf("service_types => { bench => { plugin => tcp_connect, port => %d, interval => %.0f, "+
			"timeout => %.0f, down_thresh => %d } }\n", port, c.every.Seconds(), c.timeout.Seconds(), downAfter)
		config += "plugins => { multifo => {\n    service_types => bench, up_thresh => 0.01\n" + resources + "} }\n"
		return map[string]string{"config": config, filepath.Join("zones", bare("@")): records}
	}
}

// pdnsFiles have a LUA record for each pool. Nothing is cached.
func (c *comparison) pdnsFiles(s site, port int) map[string]string {
	records := fmt.Sprintf(zoneTop, checkTTL)
	for _, p := range c.pools {
		records += fmt.Sprintf("%s %d LUA A \"ifportup(%d, {'%s'}, {selector='all', backupSelector='all', timeout='%.0f'})\"\n",
			p.name, checkTTL, port, strings.ReplaceAll(p.addrs(), " ", "', '"), c.timeout.Seconds())
	}
	config := fmt.Sprintf("launch=bind\nbind-config=%s\nenable-lua-records=yes\nsocket-dir=%s\nlocal-address=127.0.0.1\n"+
		"local-port=%d\nlua-health-checks-interval=%.0f\ncache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"+
		"security-poll-suffix=\n", s.path("named.conf"), s.dir, s.port, c.every.Seconds())
	return map[string]string{
		"pdns.conf":  config,
		"named.conf": fmt.Sprintf("zone %q { type native; file %q; };\n", bare("@"), s.path(zoneFile)),
		zoneFile:     records,
	}
}
