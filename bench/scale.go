package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

// With many records: how long it takes from the start to the first answer, what memory the
// server has, what a change costs, and how long clients wait. Each server has all cores,
// as it has in production.

const (
	settleTime = 2 * time.Second        // until memory that is not needed has been given back
	afterTime  = 500 * time.Millisecond // for what a server does after a change is in answers
	seldom     = 200 * time.Millisecond // between questions whose cost must not count
	often      = 10 * time.Millisecond
	idleTime   = 2 * time.Second // under load, before a change
)

// A scaled is a server with many records.
type scaled struct {
	name    string
	records func(n int) records
	file    string
	content func(r records, w io.Writer)
	lines   string // of its Corefile
	follows bool   // its file, of which one line changes
	anew    bool   // it tells one changed line from all
}

const oneStanza = "mxsrv, one stanza"

// scaledServers look at their files as often as mxsrv does by default.
var scaledServers = []scaled{
	{name: "mxsrv", records: mixed, file: definitionsFile, content: definitionsWithTTL, follows: true, anew: true,
		lines: "\tmxsrv {\n\t\tfile " + definitionsFile + "\n\t\treload 2s\n\t}\n"},
	{name: "file", records: mixed, file: zoneFile, content: records.zoneFile, follows: true,
		lines: "\tfile " + zoneFile + " {\n\t\treload 2s\n\t}\n"},
	{name: oneStanza, records: func(n int) records { return shared(n)() }, file: definitionsFile,
		content: records.definitions, lines: "\tmxsrv {\n\t\tfile " + definitionsFile + "\n\t}\n"},
}

const ttlLine = "ttl 3600\n"

func definitionsWithTTL(r records, w io.Writer) {
	io.WriteString(w, ttlLine)
	r.definitions(w)
}

// mixed returns n records: a third are addresses of hosts, a third exchanges and a third
// targets, two of a mail domain or service.
func mixed(n int) records {
	var r records
	hosts, domains := n/3, n/6
	name := func(i int) string { return fmt.Sprintf("h%06d", i%hosts) }
	for i := range hosts {
		r.hosts = append(r.hosts, host{name(i), []string{fmt.Sprintf("10.%d.%d.%d", i%200, i/200/250, i/200%250+1)}})
	}
	for i := range domains {
		d, a, b := fmt.Sprintf("d%06d", i), name(2*i), name(2*i+1)
		r.sets = append(r.sets, set{"MX", []string{d}, []target{{"10", a}, {"20", b}}},
			set{"SRV", []string{"_ldap._tcp." + d}, []target{{"0 6 389", a}, {"0 4 389", b}}})
	}
	return r
}

// spreadQuestions asks for all kinds of records, from all over them.
func (r records) spreadQuestions() []question {
	const most = 1000 // of each kind
	var questions []question
	for i := 0; i < len(r.hosts); i += 1 + len(r.hosts)/most {
		questions = append(questions, question{bare(r.hosts[i].name), "A"})
	}
	for i := 0; i < len(r.sets); i += 1 + len(r.sets)/(2*most)&^1 { // odd: of both kinds
		s := r.sets[i]
		questions = append(questions, question{bare(s.owners[len(s.owners)-1]), s.kind})
	}
	return questions
}

// scale has all figures, one for each round.
type scale struct {
	sizes   []int
	figures map[key][]float64
	lost    int
	checked int
}

type key struct {
	server, measure string
	size            int
}

// steps returns the rounds, in each of which every server has its turn.
func (sc *scale) steps(rounds int, dir string, port int) []step {
	sc.figures = map[key][]float64{}
	var steps []step
	for round := range rounds {
		for _, n := range sc.sizes {
			name := fmt.Sprintf("%d records: round %d of %d", n, round+1, rounds)
			steps = append(steps, step{name, 20 + 40e-6*float64(n), func(ctx context.Context) error {
				return sc.round(ctx, round, n, dir, port)
			}})
		}
	}
	return steps
}

func (sc *scale) round(ctx context.Context, round, n int, dir string, port int) error {
	for i := range scaledServers {
		server := scaledServers[(round+i)%len(scaledServers)]
		s := site{filepath.Join(dir, "scale"), port}
		if err := errors.Join(sc.turn(ctx, s, server, n), os.RemoveAll(s.dir)); err != nil {
			return fmt.Errorf("%s: %w", server.name, err)
		}
	}
	return nil
}

// A measurement is a server in one round, with so many records.
type measurement struct {
	*scale
	scaled
	site
	*rig.Process
	n       int
	records records
	text    string // of its file
	serial  int    // in it
}

func (sc *scale) turn(ctx context.Context, s site, server scaled, n int) error {
	m := &measurement{scale: sc, scaled: server, site: s, n: n, records: server.records(n), serial: 1}
	var text strings.Builder
	m.content(m.records, &text)
	m.text = text.String()
	err := errors.Join(os.Mkdir(m.dir, 0o755), m.fillText(queryFile, dump(m.records.spreadQuestions())),
		m.fillText("Corefile", corefile(m.port, m.lines)), m.fillText(m.file, m.text))
	if err != nil {
		return err
	}
	started := time.Now()
	p, err := start(ctx, s.dir, allCores, corednsCommand...)
	if err != nil {
		return err
	}
	defer p.Kill()
	m.Process = p
	if err := m.start(started); err != nil || !server.follows {
		return err
	}
	if err := m.changes(ctx); err != nil {
		return err
	}
	return m.underLoad(ctx)
}

func (m *measurement) take(measure string, figure float64) {
	k := key{m.name, measure, m.n}
	m.figures[k] = append(m.figures[k], figure)
}

// start measures a start, and compares some answers with the declared records.
func (m *measurement) start(started time.Time) error {
	questions := m.records.spreadQuestions()
	if err := m.await(questions[len(questions)-1]); err != nil {
		return err
	}
	m.take("first", time.Since(started).Seconds())
	time.Sleep(settleTime)
	m.take("resident", memory(m.Process, "VmRSS"))
	m.take("peak", memory(m.Process, "VmHWM"))
	for i := 0; i < len(questions); i += 1 + len(questions)/20 {
		if err := m.await(questions[i]); err != nil {
			return err
		}
		m.checked++
	}
	return nil
}

func (m *measurement) await(q question) error {
	w := &workload{records: func() records { return m.records }}
	_, err := w.await(m.Process, m.site, q)
	return err
}

// changes measures the processor time of changes, without load.
func (m *measurement) changes(ctx context.Context) error {
	if err := m.costOf(ctx, "line", "203.0.113.1"); err != nil || !m.anew {
		return err
	}
	m.text = strings.Replace(m.text, ttlLine, "ttl 1800\n", 1)
	return m.costOf(ctx, "all", "203.0.113.2")
}

func (m *measurement) costOf(ctx context.Context, measure, address string) error {
	before := cpu(m.Process)
	if _, err := m.change(ctx, address, seldom); err != nil {
		return err
	}
	time.Sleep(afterTime)
	m.take(measure, (cpu(m.Process) - before).Seconds())
	return nil
}

// change puts a file in place in which the first host has another address, and returns how
// long it takes to be in an answer.
func (m *measurement) change(ctx context.Context, address string, every time.Duration) (time.Duration, error) {
	first := &m.records.hosts[0]
	m.text = strings.Replace(m.text, first.addresses[0], address, 1)
	m.text = strings.Replace(m.text, soa(m.serial), soa(m.serial+1), 1)
	m.serial, first.addresses = m.serial+1, []string{address}
	if err := m.fill(m.file, func(w io.Writer) { io.WriteString(w, m.text) }); err != nil {
		return 0, err
	}
	changed := time.Now()
	answered, err := m.awaitAddress(ctx, m.Process, first.name, address, every)
	return answered.Sub(changed), err
}

// underLoad measures how long clients wait, before a change and around it, and the most
// memory that the server has around it.
func (m *measurement) underLoad(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // of a million records, it would take a core from the server
	var seen *watched
	result := make(chan error, 1)
	go func() {
		var err error
		seen, err = watch(ctx, m.site)
		result <- err
	}()
	time.Sleep(idleTime)
	if err := forgetPeak(m.Process); err != nil {
		return err
	}
	changed := time.Now()
	took, err := m.change(ctx, "203.0.113.3", often)
	if err != nil {
		return err
	}
	time.Sleep(afterTime)
	m.take("peakchange", memory(m.Process, "VmHWM"))
	stop()
	if err := <-result; err != nil {
		return err
	}
	m.lost += seen.lost
	m.take("service", took.Seconds())
	idle := seen.between(changed.Add(-idleTime/2), changed)
	around := seen.between(changed, changed.Add(took+afterTime))
	if len(idle) == 0 || len(around) == 0 {
		return fmt.Errorf("dnsperf has %d answers before the change and %d around it", len(idle), len(around))
	}
	m.take("p50", percentile(idle, 50))
	m.take("p99", percentile(idle, 99))
	m.take("p99change", percentile(around, 99))
	return nil
}
