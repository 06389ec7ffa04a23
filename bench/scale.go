package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// With many records: how long it takes from the start to the first answer, what
// memory the server has, what a change costs, and how long clients wait. Each
// server has all cores, as it has where it works.

const (
	settleFor = 2 * time.Second // until memory that is not needed has been given back
	afterwork = time.Second / 2 // what a server does of a change once it is in service
	seldom    = time.Second / 5 // between questions whose cost must not count
	often     = time.Second / 100
	idleFor   = 3 * time.Second // under load, before a change
)

// scale has all figures: by server, measure and size, one for each round.
type scale struct {
	sizes   []int
	figures map[string]map[string]map[int][]float64
	lost    int
	checked int
}

func newScale(sizes []int) *scale {
	return &scale{sizes: sizes, figures: map[string]map[string]map[int][]float64{}}
}

func (sc *scale) add(server, measure string, size int, figure float64) {
	if sc.figures[server] == nil {
		sc.figures[server] = map[string]map[int][]float64{}
	}
	if sc.figures[server][measure] == nil {
		sc.figures[server][measure] = map[int][]float64{}
	}
	sc.figures[server][measure][size] = append(sc.figures[server][measure][size], figure)
}

// run takes all figures, the servers in turn.
func (sc *scale) run(ctx context.Context, rounds int, dir string, port int) error {
	for round := range rounds {
		for _, n := range sc.sizes {
			say("%d records: round %d of %d", n, round+1, rounds)
			for i := range scaledServers {
				server := scaledServers[(round+i)%len(scaledServers)]
				s := site{filepath.Join(dir, fmt.Sprintf("scale.%d.%d.%d", n, round, i)), port}
				if err := sc.turn(ctx, dir, s, server, n); err != nil {
					return fmt.Errorf("%s with %d records: %w", server.name, n, err)
				}
				os.RemoveAll(s.dir)
			}
		}
	}
	return nil
}

// A look is a server in one round, with so many records.
type look struct {
	*scale
	scaled
	site
	n       int
	records records
	version version
	server  *server
}

func (sc *scale) turn(ctx context.Context, dir string, s site, server scaled, n int) error {
	l := &look{scale: sc, scaled: server, site: s, n: n, records: server.records(n)}
	l.version = version{serial: 1, ttl: ttl, address: l.records.hosts[0].addresses[0]}
	if err := l.prepare(); err != nil {
		return err
	}
	began := time.Now()
	p, err := launch(ctx, s, []string{filepath.Join(dir, "server"), "-conf", "Corefile"})
	if err != nil {
		return err
	}
	defer p.stop()
	l.server = p
	if err := l.started(began); err != nil || !server.follows {
		return err
	}
	return l.followed(ctx)
}

func (l *look) prepare() error {
	if err := os.Mkdir(l.dir, 0o755); err != nil {
		return err
	}
	if err := fillText(l.dir, queryFile, dump(l.records.spreadQuestions())); err != nil {
		return err
	}
	if err := fillText(l.dir, "Corefile", corefile(l.port, shape{}, l.plugins)); err != nil {
		return err
	}
	return l.write(l.site, l.records, l.version)
}

func (l *look) take(measure string, figure float64) { l.add(l.name, measure, l.n, figure) }

// started takes what there is to see of a start, and compares some answers with
// the declaration.
func (l *look) started(began time.Time) error {
	questions := l.records.spreadQuestions()
	if err := l.await(questions[len(questions)-1]); err != nil {
		return err
	}
	l.take("first", time.Since(began).Seconds())
	time.Sleep(settleFor)
	l.take("resident", l.server.memory("VmRSS"))
	l.take("peak", l.server.memory("VmHWM"))
	for i := 0; i < len(questions); i += 1 + len(questions)/20 {
		if err := l.await(questions[i]); err != nil {
			return err
		}
		l.checked++
	}
	return nil
}

func (l *look) await(q question) error {
	w := &workload{records: func() records { return l.records }}
	_, err := awaitAnswer(l.server, l.site, w, q, false)
	return err
}

// followed takes what changes cost, without load and with it.
func (l *look) followed(ctx context.Context) error {
	before := l.server.cpu()
	if _, err := l.change("203.0.113.1", ttl, seldom); err != nil {
		return err
	}
	time.Sleep(afterwork)
	l.take("line", (l.server.cpu() - before).Seconds())
	if l.anew {
		before = l.server.cpu()
		if _, err := l.change("203.0.113.2", ttl/2, seldom); err != nil {
			return err
		}
		time.Sleep(afterwork)
		l.take("all", (l.server.cpu() - before).Seconds())
	}
	return l.underLoad(ctx)
}

// change writes another version, and asks until it is in service.
func (l *look) change(address string, ttl int, every time.Duration) (time.Duration, error) {
	l.version = version{l.version.serial + 1, ttl, address}
	l.records.hosts[0].addresses = []string{address}
	if err := l.write(l.site, l.records, l.version); err != nil {
		return 0, err
	}
	changed := time.Now()
	want := fmt.Sprintf("%s\t%d\tIN\tA\t%s", absolute(l.records.hosts[0].name), ttl, address)
	for deadline := changed.Add(startLimit); time.Now().Before(deadline); time.Sleep(every) {
		m := new(dns.Msg).SetQuestion(absolute(l.records.hosts[0].name), dns.TypeA)
		res, err := roundTrip(l.site, "", m)
		if err != nil {
			return 0, err
		}
		if len(res.Answer) == 1 && res.Answer[0].String() == want {
			return time.Since(changed), nil
		}
	}
	return 0, fmt.Errorf("%q is not in service after %s", strings.ReplaceAll(want, "\t", " "), startLimit)
}

// underLoad takes how long clients wait, before a change and around it.
func (l *look) underLoad(ctx context.Context) error {
	seen := make(chan watched)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { seen <- watch(ctx, l.site) }()
	time.Sleep(idleFor)
	changed := time.Now()
	took, err := l.change("203.0.113.3", l.version.ttl, often)
	if err != nil {
		return err
	}
	time.Sleep(afterwork)
	stop()
	w := <-seen
	if w.err != nil {
		return w.err
	}
	l.lost += w.lost
	l.take("service", took.Seconds())
	idle := w.between(changed.Add(time.Second-idleFor), changed)
	around := w.between(changed, changed.Add(took+afterwork))
	if len(idle) == 0 || len(around) == 0 {
		return fmt.Errorf("dnsperf has %d answers before the change and %d around it", len(idle), len(around))
	}
	l.take("p50", percentile(idle, 50))
	l.take("p99", percentile(idle, 99))
	l.take("p99change", percentile(around, 99))
	return nil
}

// percentile takes it of figures that are there.
func percentile(figures []float64, p int) float64 {
	f := slices.Sorted(slices.Values(figures))
	return f[min(len(f)*p/100, len(f)-1)]
}
