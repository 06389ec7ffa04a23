package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// The scale benchmark serves many records, from definitions by mxsrv and from
// the same as a zone by file, each as a process of its own with all cores, in
// turn. It takes the time from the start to the first right answer, and the
// memory that Linux says the process has, now and at its peak. Then one line of
// the definitions is changed while dnsperf asks, and at last the memory is taken
// that one stanza with many domains needs beyond the same stanza with one.

var (
	records = flag.Int("records", 600000, "records of the scale benchmark")
	many    = flag.Int("domains", 1000000, "mail domains of its one large stanza")
)

const (
	settle         = 5 * time.Second // until memory that is not needed has been given back
	reloadInterval = 2 * time.Second // the default of mxsrv
	idleFor        = 5 * time.Second // before the change
	askedPerSecond = 2000
)

// scale is what all rounds have given, by contender where there are two.
type scale struct {
	version                  string
	first, resident, peak    map[string][]float64 // seconds, bytes, bytes
	noticed                  []float64            // seconds from the change to the first answer with it
	idle, reloading          []float64            // 99th percentile of latency, seconds
	peakReloading, perDomain []float64            // bytes
	lost, compared           int
}

func runScale(ctx context.Context) error {
	return prepared(ctx, func(dir string, port int) error {
		fmt.Fprintf(os.Stderr, "writing %d records\n", *records)
		if err := writeScale(dir, port, *records, *many); err != nil {
			return err
		}
		s := &scale{first: map[string][]float64{}, resident: map[string][]float64{}, peak: map[string][]float64{}}
		for round := range *rounds {
			fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, *rounds)
			if err := s.round(ctx, dir, port); err != nil {
				return err
			}
		}
		s.print(os.Stdout)
		return nil
	})
}

// round lets each contender start once.
func (s *scale) round(ctx context.Context, dir string, port int) error {
	answers := map[string][]string{}
	for _, name := range []string{"mxsrv", "file"} {
		if err := s.turn(ctx, dir, port, name, answers); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for i, answer := range answers["file"] {
		if answers["mxsrv"][i] != answer {
			return fmt.Errorf("mxsrv answers\n%s\nand file\n%s", answers["mxsrv"][i], answer)
		}
	}
	s.compared += len(answers["file"])
	return s.stanza(ctx, dir, port)
}

// free is a server with all cores.
func free(ctx context.Context, dir, name string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "server"), "-conf", "scale."+name)
	cmd.Dir = dir
	return cmd
}

func (s *scale) turn(ctx context.Context, dir string, port int, name string, answers map[string][]string) error {
	last := domainName(domains(*records))
	began := time.Now()
	p, err := start(free(ctx, dir, name))
	if err != nil {
		return err
	}
	defer p.stop()
	if err := answered(port, last+".example.org.", dns.TypeMX); err != nil {
		return err
	}
	s.first[name] = append(s.first[name], time.Since(began).Seconds())
	s.version = p.version
	time.Sleep(settle)
	s.resident[name] = append(s.resident[name], p.memory("VmRSS"))
	s.peak[name] = append(s.peak[name], p.memory("VmHWM"))
	if answers[name], err = sample(dir, port); err != nil {
		return err
	}
	if name == "mxsrv" {
		return s.change(ctx, dir, port, p)
	}
	return nil
}

// answered asks for the records of a name.
func answered(port int, name string, qtype uint16) error {
	res, _, err := new(dns.Client).Exchange(new(dns.Msg).SetQuestion(name, qtype), address(port))
	if err == nil && len(res.Answer) == 0 {
		err = fmt.Errorf("%s has no answer", name)
	}
	return err
}

// memory returns a line of the status of the process, in bytes.
func (s *server) memory(line string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for l := range strings.Lines(string(text)) {
		if f := strings.Fields(l); len(f) == 3 && f[0] == line+":" {
			kilobytes, _ := strconv.ParseFloat(f[1], 64)
			return kilobytes * 1024
		}
	}
	return 0
}

// sample returns the records that answer each question of dnsperf, sorted.
func sample(dir string, port int) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, manyRecordsFile))
	if err != nil {
		return nil, err
	}
	var answers []string
	for l := range strings.Lines(string(text)) {
		f := strings.Fields(l)
		res, _, err := new(dns.Client).Exchange(new(dns.Msg).SetQuestion(f[0]+".", dns.StringToType[f[1]]), address(port))
		if err != nil {
			return nil, err
		}
		var rrs []string
		for _, rr := range res.Answer {
			rrs = append(rrs, rr.String())
		}
		slices.Sort(rrs)
		answers = append(answers, strings.Join(rrs, "\n"))
	}
	return answers, nil
}

// change changes one line while dnsperf asks.
func (s *scale) change(ctx context.Context, dir string, port int, p *server) error {
	seen := make(chan watched)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { seen <- watch(ctx, dir, port) }()
	time.Sleep(idleFor)
	changed := time.Now()
	if err := replace(dir, changedFile, definitions); err != nil {
		return err
	}
	if err := await(port, hostName(1)+".example.org.", changedAddress); err != nil {
		return err
	}
	inService := time.Now()
	time.Sleep(time.Second)
	stop()
	w := <-seen
	if w.err != nil {
		return w.err
	}
	s.lost += w.lost
	s.noticed = append(s.noticed, inService.Sub(changed).Seconds())
	s.idle = append(s.idle, w.percentile99(changed.Add(-idleFor+time.Second), changed))
	s.reloading = append(s.reloading, w.percentile99(changed.Add(reloadInterval/2), inService.Add(time.Second/2)))
	s.peakReloading = append(s.peakReloading, p.memory("VmHWM"))
	return fill(dir, definitions, func(s sheet) { declare(s, *records, hostAddress(1)) })
}

// replace puts a copy of a file in the place of another one, at once.
func replace(dir, from, to string) error {
	text, err := os.ReadFile(filepath.Join(dir, from))
	if err != nil {
		return err
	}
	next := filepath.Join(dir, to+".next")
	if err := os.WriteFile(next, text, 0o644); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, to))
}

// await asks until a host has an address.
func await(port int, name, addr string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		res, _, err := new(dns.Client).Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), address(port))
		if err != nil {
			return err
		}
		if len(res.Answer) == 1 && strings.HasSuffix(res.Answer[0].String(), "\t"+addr) {
			return nil
		}
	}
	return fmt.Errorf("%s does not get the address %s within a minute", name, addr)
}

// watched is what dnsperf has said, answer by answer.
type watched struct {
	answers []answer
	lost    int // without an answer, or with another code than NOERROR
	err     error
}

type answer struct {
	at      time.Time
	latency float64 // seconds
}

// watch runs dnsperf until ctx ends.
func watch(ctx context.Context, dir string, port int) (w watched) {
	cmd := exec.Command("stdbuf", "-oL", "dnsperf", "-s", "127.0.0.1", "-p", fmt.Sprint(port),
		"-d", manyRecordsFile, "-Q", fmt.Sprint(askedPerSecond), "-l", "600", "-v")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		return watched{err: err}
	}
	if err := cmd.Start(); err != nil {
		return watched{err: err}
	}
	defer context.AfterFunc(ctx, func() { cmd.Process.Signal(os.Interrupt) })()
	w.read(out)
	if err := cmd.Wait(); err != nil {
		w.err = fmt.Errorf("dnsperf: %w", err)
	}
	return w
}

// read takes lines like "> NOERROR example.org MX 0.000123"; in place of the code
// a lost query has T.
func (w *watched) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) < 5 || f[0] != ">" || f[1] == "I": // I is what dnsperf waited for when it was stopped
		case f[1] != "NOERROR":
			w.lost++
		default:
			latency, _ := strconv.ParseFloat(f[4], 64)
			w.answers = append(w.answers, answer{time.Now(), latency})
		}
	}
}

// percentile99 returns the 99th percentile of the latency of what was answered
// between two times.
func (w *watched) percentile99(from, to time.Time) float64 {
	var latencies []float64
	for _, a := range w.answers {
		if a.at.After(from) && a.at.Before(to) {
			latencies = append(latencies, a.latency)
		}
	}
	if len(latencies) == 0 {
		return 0
	}
	slices.Sort(latencies)
	return latencies[len(latencies)*99/100]
}

// stanza takes the memory of one stanza with many domains and with one.
func (s *scale) stanza(ctx context.Context, dir string, port int) error {
	var resident []float64
	for name, domain := range map[string]string{"stanza": longName(*many), "onedomain": longName(1)} {
		p, err := start(free(ctx, dir, name))
		if err != nil {
			return err
		}
		err = answered(port, domain+".example.org.", dns.TypeMX)
		time.Sleep(settle)
		resident = append(resident, p.memory("VmRSS"))
		p.stop()
		if err != nil {
			return err
		}
	}
	slices.Sort(resident)
	name := float64(len(longName(1) + ".example.org."))
	s.perDomain = append(s.perDomain, (resident[1]-resident[0])/float64(*many)-name)
	return nil
}

// print writes the figures beside what they are held against.
func (s *scale) print(w io.Writer) {
	const mb = 1e6
	fmt.Fprintf(w, "%s, %s, %s, %d cores; %d records, medians of %d rounds; %d answers of both compared, all equal\n\n",
		s.version, runtime.Version(), cpu(), runtime.NumCPU(), *records, *rounds, s.compared)
	fmt.Fprintf(w, "| | mxsrv | file | mxsrv / file | at most |\n|---|--:|--:|--:|--:|\n")
	versus := func(what string, by map[string][]float64, unit, limit float64) {
		ratio := spreadOf(ratios(by["mxsrv"], by["file"])).median
		fmt.Fprintf(w, "| %s | %.1f | %.1f | %.2f | %.1f%s |\n", what,
			spreadOf(by["mxsrv"]).median/unit, spreadOf(by["file"]).median/unit, ratio, limit, verdict(ratio, limit))
	}
	versus("start to first answer, s", s.first, 1, 1)
	versus("resident memory, MB", s.resident, mb, 0.6)
	versus("peak memory, MB", s.peak, mb, 1)

	fmt.Fprintf(w, "\n| mxsrv | | at most |\n|---|--:|--:|\n")
	row := func(what string, figure, limit float64) {
		fmt.Fprintf(w, "| %s | %.2f | %.2f%s |\n", what, figure, limit, verdict(figure, limit))
	}
	row("one changed line to an answer with it, s", spreadOf(s.noticed).median,
		reloadInterval.Seconds()+spreadOf(s.first["mxsrv"]).median)
	row("queries lost", float64(s.lost), 0)
	slower := spreadOf(ratios(s.reloading, s.idle))
	row(fmt.Sprintf("99th percentile of latency while loading (%.2f ms) / before (%.2f ms); %.2f to %.2f in a round",
		spreadOf(s.reloading).median*1e3, spreadOf(s.idle).median*1e3, slower.min, slower.max), slower.median, 2)
	row(fmt.Sprintf("bytes for each of %d domains of a stanza, beyond its name", *many), spreadOf(s.perDomain).median, 150)
	fmt.Fprintf(w, "\npeak memory while a change is loaded: %.0f MB\n", spreadOf(s.peakReloading).median/mb)
}

func verdict(figure, limit float64) string {
	if figure <= limit {
		return ", met"
	}
	return ", not met"
}
