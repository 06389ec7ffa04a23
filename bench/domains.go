package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	tables "github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/test/rig"
)

// What hangs on a hundred thousand mail domains, and what file needs for the same records: a start, memory, and answers
// with TXT records at random domains. Both are authoritative, after errors, and have one core.

const (
	manyDomains = 100000
	fewDomains  = 2000 // with -quick
	compared    = 300  // answers of both
	perStanza   = 4    // domains, where each is in a thousand zones: a stanza may have 100,000 records

	maxOfFile      = 1.0  // of memory and of the time of a start
	leastTXTOfFile = 1.45 // times as many answers for the same processor time
)

// domainLines are all that a mail domain may have. RSA stands for a key of 2048 bits.
const domainLines = ` {
    10 mx1.example.net.
    20 mx2.example.net.
    spf mx -all
    dkim s1 rsa:RSA
    dkim s2 ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    dmarc reject rua=dmarc@example.net
    mta-sts id=20261126 web.example.net.
    tls-rpt tlsrpt@example.net
    clients mail.example.net. imaps submissions submission sieve caldavs carddavs autoconfig autodiscover
}
`

// asked are the TXT records of a domain that are asked for: in turns of one kind, and all of them at random.
var asked = []struct {
	title    string
	prefixes []string
}{
	{"SPF", []string{""}},
	{"DMARC", []string{"_dmarc."}},
	{"DKIM, RSA", []string{"s1._domainkey."}},
	{"all six", []string{"", "_dmarc.", "s1._domainkey.", "s2._domainkey.", "_mta-sts.", "_smtp._tls."}},
}

// An estate is mail domains, the same in each of some zones: of one stanza if that is a single zone.
type estate struct {
	site
	title   string
	zones   definition.Zones
	domains int // in each zone
	records int
	answers map[string]string // by question
	figures map[[2]string][]float64
}

// domains measures, and prints a table of what has come out.
func domains(ctx context.Context, dir string) error {
	n, p := manyDomains, fullPlan
	p.rounds = 5
	if *quick {
		n, p = fewDomains, quickPlan
	}
	if *rounds > 0 {
		p.rounds = *rounds
	}
	chosen, err := choose(*only, []string{"one zone", "1000 zones"})
	if err != nil {
		return err
	}
	var t table
	var steps []step
	for _, e := range []*estate{newEstate("one zone", 1, n), newEstate("1000 zones", 1000, n/1000)} {
		if !slices.Contains(chosen, e.title) {
			continue
		}
		e.dir = filepath.Join(dir, strings.ReplaceAll(e.title, " ", "-"))
		steps = append(steps, step{e.title, 20, func(context.Context) error { return e.prepare() }})
		for round := range p.rounds {
			name := fmt.Sprintf("%s: round %d of %d", e.title, round+1, p.rounds)
			steps = append(steps, step{name, 60, func(ctx context.Context) error { return e.round(ctx, round, p.span) }})
		}
		steps = append(steps, step{e.title, 0, func(context.Context) error { e.addTo(&t); return nil }})
	}
	defer func() {
		fmt.Printf("%s; %s\n\n", machine(), strings.Join(versions(filepath.Join(dir, "server"), nil), ", "))
		t.write(os.Stdout)
	}()
	return follow(ctx, steps)
}

func newEstate(title string, zones, domains int) *estate {
	e := &estate{title: title, domains: domains, answers: make(map[string]string), figures: make(map[[2]string][]float64)}
	for i := range zones {
		e.zones = append(e.zones, definition.Name(fmt.Sprintf("z%04d.%s", i, zone)))
	}
	return e
}

// prepare writes the definitions, and the master files of the records that they mean.
func (e *estate) prepare() (err error) {
	if e.port, err = rig.FreePort(); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	lines := strings.Replace(domainLines, "RSA", base64.StdEncoding.EncodeToString(spki), 1)
	var text strings.Builder
	for i := range e.domains {
		if i == 0 || len(e.zones) > 1 && i%perStanza == 0 {
			text.WriteString("mail")
		}
		fmt.Fprintf(&text, " d%06d", i)
		if i == e.domains-1 || len(e.zones) > 1 && i%perStanza == perStanza-1 {
			text.WriteString(lines)
		}
	}
	err = errors.Join(os.Mkdir(e.dir, 0o755), e.fillText(definitionsFile, text.String()))
	return errors.Join(err, e.fillZones(text.String()))
}

func (e *estate) fillZones(text string) error {
	set, errs := definition.Read(definitionsFile, text, e.zones)
	if errs != nil {
		return errs
	}
	for _, z := range e.zones {
		servers := []definition.NameServer{{Host: "ns.example.net."}}
		set.Apexes = append(set.Apexes, definition.Apex{Zone: z, Servers: servers, Contact: "hostmaster." + string(z)})
	}
	t := tables.Compile(set.Index(), tables.Options{Zones: e.zones, Serial: 1})
	for _, z := range e.zones {
		if err := e.fill("db."+string(z), func(w io.Writer) { t.Render(w, z) }); err != nil {
			return err
		}
		for rrset := range t.All(z) {
			e.records += len(rrset)
		}
	}
	return nil
}

// lines returns those of a server in its Corefile.
func (e *estate) lines(server string) string {
	lines := "\terrors\n"
	if server == "file" {
		for _, z := range e.zones {
			lines += fmt.Sprintf("\tfile db.%s %[1]s {\n\t\treload 0\n\t}\n", z)
		}
		return lines
	}
	lines += "\tmxsrv"
	for _, z := range e.zones {
		lines += " " + string(z)
	}
	return lines + " {\n\t\tfile " + definitionsFile + "\n\t\tauthoritative {\n\t\t\tns ns.example.net.\n\t\t}\n\t}\n"
}

// round gives both servers their turn, another one first in every other round.
func (e *estate) round(ctx context.Context, round int, span time.Duration) error {
	for i := range 2 {
		server := []string{"mxsrv", "file"}[(round+i)%2]
		if err := e.turn(ctx, server, span); err != nil {
			return fmt.Errorf("%s: %w", server, err)
		}
	}
	return nil
}

func (e *estate) take(server, measure string, figure float64) {
	k := [2]string{server, measure}
	e.figures[k] = append(e.figures[k], figure)
}

func (e *estate) turn(ctx context.Context, server string, span time.Duration) error {
	if err := e.fillText("Corefile", corefile(e.port, e.lines(server))); err != nil {
		return err
	}
	p, err := start(ctx, e.dir, serverCore, corednsCommand...)
	if err != nil {
		return err
	}
	defer p.Kill()
	if err := e.awaitLast(ctx, p); err != nil {
		return err
	}
	e.take(server, "start", cpu(p).Seconds())
	time.Sleep(settleTime)
	awaitIdle(p)
	e.take(server, "resident", memory(p, "VmRSS"))
	e.take(server, "peak", memory(p, "VmHWM"))
	if err := e.compare(); err != nil {
		return err
	}
	for _, kind := range asked {
		if err := e.fillText(queryFile, dump(e.random(kind.prefixes))); err != nil {
			return err
		}
		before := cpu(p)
		l, err := dnsperf(ctx, e.site, "NOERROR", span)
		if err != nil {
			return err
		}
		e.take(server, kind.title, (cpu(p)-before).Seconds()/l.completed)
		e.take(server, kind.title+", answers", l.rate())
	}
	return nil
}

// awaitLast asks a server that is starting for the last domain, until it answers.
func (e *estate) awaitLast(ctx context.Context, p *rig.Process) error {
	m := new(dns.Msg).SetQuestion(e.domain(len(e.zones)*e.domains-1), dns.TypeTXT)
	_, err := e.askUntil(ctx, p, m, seldom, func(m *dns.Msg) bool { return len(m.Answer) == 1 })
	return err
}

// domain returns the name of one of all domains.
func (e *estate) domain(i int) string {
	return fmt.Sprintf("d%06d.%s", i%e.domains, e.zones[i/e.domains])
}

// random returns questions for TXT records of domains, the same in each round.
func (e *estate) random(prefixes []string) []question {
	draw := mathrand.New(mathrand.NewPCG(1, 2))
	questions := make([]question, manyDomains)
	for i := range questions {
		name := prefixes[draw.IntN(len(prefixes))] + e.domain(draw.IntN(len(e.zones)*e.domains))
		questions[i] = question{strings.TrimSuffix(name, "."), "TXT"}
	}
	return questions
}

// compare compares answers with those of the server that was asked first.
func (e *estate) compare() error {
	draw := mathrand.New(mathrand.NewPCG(3, 4))
	names := strings.Fields("_dmarc TXT s1._domainkey TXT s2._domainkey TXT _mta-sts TXT _smtp._tls TXT mta-sts CNAME " +
		"_imap._tcp SRV _imaps._tcp SRV _caldavs._tcp SRV autodiscover A _autodiscover._tcp SRV")
	for range compared {
		domain := e.domain(draw.IntN(len(e.zones) * e.domains))
		i := 2 * draw.IntN(len(names)/2)
		m := new(dns.Msg).SetQuestion(names[i]+"."+domain, dns.StringToType[names[i+1]])
		res, err := e.roundTrip("", m)
		if err != nil {
			return err
		}
		got, key := fmt.Sprint(res.Rcode, res.Authoritative, recordsOf(res.Answer)), m.Question[0].String()
		if first, ok := e.answers[key]; ok && got != first || len(res.Answer) == 0 {
			return fmt.Errorf("%s: the answer is %s, that of the other server %s", key, got, first)
		}
		e.answers[key] = got
	}
	return nil
}

// addTo adds what was measured to a table.
func (e *estate) addTo(t *table) {
	of := func(measure, format string, scale float64) (text string, ratio spread) {
		own, others := e.figures[[2]string{"mxsrv", measure}], e.figures[[2]string{"file", measure}]
		ratios := make([]float64, len(own))
		for i := range own {
			ratios[i] = own[i] / others[i]
		}
		return fmt.Sprintf(format+", *file* "+format, median(own)*scale, median(others)*scale), spreadOf(ratios)
	}
	t.add(fmt.Sprintf("%s: records, of %d domains", e.title, len(e.zones)*e.domains), "%d", e.records)
	for _, m := range []struct {
		measure, title, format string
		scale                  float64
	}{{"resident", "resident memory", "%.0f MB", 1e-6}, {"peak", "peak memory", "%.0f MB", 1e-6},
		{"start", "processor time until the first answer", "%.2f s", 1}} {
		text, ratio := of(m.measure, m.format, m.scale)
		t.demand(ratio.median <= maxOfFile, "at most that of *file*", e.title+": "+m.title,
			"%s, %s of it", text, ratio.text("%.2f"))
	}
	for _, kind := range asked {
		text, _ := of(kind.title+", answers", "%.0f", 1)
		_, ratio := of(kind.title, "", 1)
		times := spread{1 / ratio.max, 1 / ratio.median, 1 / ratio.min}
		t.demand(times.median >= leastTXTOfFile, fmt.Sprintf("at least %g times", leastTXTOfFile),
			fmt.Sprintf("%s: answers a second, TXT at random domains: %s", e.title, kind.title),
			"%s, %s times for the same processor time", text, times.text("%.2f"))
	}
}
