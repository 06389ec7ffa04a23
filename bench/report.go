package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is all that there is to say.
type report struct {
	plan     plan
	versions []string
	began    time.Time
	took     time.Duration
	contests []*contest
	scale    *scale
	handler  *handlerFigures
}

//go:embed hotpath.md
var hotPath string

// write writes the report and its plots into a directory.
func (r *report) write(dir string) error {
	var text bytes.Buffer
	r.head(&text)
	r.demands(&text)
	if err := r.workloads(&text, dir); err != nil {
		return err
	}
	if r.handler != nil {
		r.handlerTable(&text)
	}
	fmt.Fprintf(&text, "## Where the time of a query goes\n\nFrom profiles by hand, and not measured anew by this command. %s\n", hotPath)
	if r.scale != nil {
		if err := r.scaleTables(&text, dir); err != nil {
			return err
		}
	}
	r.trust(&text)
	return os.WriteFile(filepath.Join(dir, "report.md"), text.Bytes(), 0o644)
}

func (r *report) head(w io.Writer) {
	command := "make bench"
	if *quick {
		command = "make bench-quick"
	}
	fmt.Fprintf(w, "# mxsrv and its peers\n\nWritten by `%s` in %d minutes on %s. To repeat it: `%s`.\n\n",
		command, int(r.took.Minutes()+0.5), r.began.Format(time.DateOnly), command)
	fmt.Fprintf(w, "* Machine: %s.\n* Versions: %s.\n", machine(), strings.Join(r.versions, ", "))
	fmt.Fprintf(w, "* Each server on core %s, dnsperf with 100 queries under way on core %s, over loopback. A turn is %s long. There are %d rounds, %d for "+
		"peers that no demand is about, and %d of the workload with a million names. Medians, with the least and the most in brackets.\n",
		serverCore, dnsperfCore, r.plan.span, r.plan.rounds, r.plan.rareRounds(), r.plan.heavy)
	if r.plan.rounds == 1 {
		fmt.Fprintln(w, "* One short turn each: this shows that all works. Its figures say little, and what holds is not to be read in them.")
	}
	for _, p := range missing() {
		fmt.Fprintf(w, "* Left out: %s, whose %s is not installed (`apt-get install %s`).\n", p.name, p.program, p.pkg)
	}
	fmt.Fprintln(w)
}

// demands tells what had to come out, and what has.
func (r *report) demands(w io.Writer) {
	fmt.Fprint(w, "## What must hold\n\nHow many times as many answers *mxsrv* gives for the same processor time; beside it the same of answers a second.\n\n")
	fmt.Fprint(w, "| against | workload | at least | for the same processor time | a second | holds |\n|---|---|--:|--:|--:|---|\n")
	for _, v := range verdicts(r.contests) {
		fmt.Fprintf(w, "| %s | %s | %.2f | %s | %.2f | %s |\n", v.against, v.title, v.least, v.times.text("%.3f"), v.rate, v)
	}
	fmt.Fprintln(w)
}

// text writes a median, and the range if there is one.
func (s spread) text(format string) string {
	if s.min == s.max {
		return fmt.Sprintf(format, s.median)
	}
	return fmt.Sprintf(format+" ("+format+"-"+format+")", s.median, s.min, s.max)
}

func (r *report) workloads(w io.Writer, dir string) error {
	fmt.Fprint(w, "## Answers\n\nAnswers a second, and what one costs: the processor time of the server, with that of the kernel for it. "+
		"What counts is the time where dnsperf was the limit (†) or no core was busy for 95 % of a turn (‡), because something else ran on it or all waited.\n\n")
	fmt.Fprint(w, "The peers:\n\n")
	for _, p := range peers {
		fmt.Fprintf(w, "* %s: %s.\n", p.name, p.what)
	}
	fmt.Fprintln(w)
	for _, g := range panelGroups {
		drawn, err := g.draw(r.contests, dir)
		if err != nil {
			return err
		}
		if drawn {
			fmt.Fprintf(w, "![%s](%s)\n\n", g.title, g.file)
		}
	}
	for _, c := range r.contests {
		c.table(w)
	}
	return nil
}

// table writes all figures of a workload.
func (c *contest) table(w io.Writer) {
	fmt.Fprintf(w, "### %s\n\n%s %s\n\n", c.title, c.sentence(), c.finding())
	fmt.Fprint(w, "| | answers/s | µs for each | mxsrv gives, in the same time | octets | differs in |\n|---|--:|--:|--:|--:|---|\n")
	own := c.find("mxsrv")
	for _, one := range c.contenders {
		differs := one.deviations
		if one.failed > 0 {
			differs = append(slices.Clip(differs), fmt.Sprintf("%d turns failed", one.failed))
		}
		if len(one.turns) == 0 {
			fmt.Fprintf(w, "| %s | | | | | %s |\n", one.name, strings.Join(differs, ", "))
			continue
		}
		micros := one.of(func(t turn) float64 { return t.cpu * 1e6 })
		fmt.Fprintf(w, "| %s | %s%s | %s | %s | %d | %s |\n", one.name, spreadOf(one.of(qps)).text("%.0f"), one.limit(),
			spreadOf(micros).text("%.2f"), spreadOf(ratios(one, own, cpu)).text("%.2f x"), one.octets, strings.Join(differs, ", "))
	}
	fmt.Fprintln(w)
}

// sentence says what is asked, and how.
func (c *contest) sentence() string {
	q := c.questions()
	asked := fmt.Sprintf("Asked: `%s`", q[0])
	if len(q) > 1 {
		asked = fmt.Sprintf("Asked: `%s` and so on, %d questions in random order", q[0], len(q))
	}
	switch s := c.shape; {
	case s.do:
		asked += ", with EDNS and DO; the plugin *dnssec* signs answers of CoreDNS, and the zones of the others are signed"
	case s.edns:
		asked += ", with EDNS"
	case s.before != "":
		asked += ", after *" + s.before + "*"
	case c.next != nil:
		asked += ", which is not declared: *mxsrv* passes it on to the plugin that writes one message (*fixed* alone, beside it), or to *file*"
	}
	if c.network == "tcp" {
		asked += ", over 20 connections with 400 queries under way, which keep the servers busy"
	}
	return asked + "."
}

// finding says what the table shows.
func (c *contest) finding() string {
	own, fixed := c.find("mxsrv"), c.find("fixed")
	if own == nil || fixed == nil {
		return ""
	}
	times := func(one *contender) float64 { return spreadOf(ratios(one, own, cpu)).median }
	text := fmt.Sprintf("For the same processor time *mxsrv* gives %.2f of the answers of the fixed-answer plugin", times(fixed))
	var slower, faster []string
	for _, one := range c.contenders {
		switch {
		case one == own || one == fixed || len(one.turns) == 0:
		case times(one) >= 1:
			slower = append(slower, fmt.Sprintf("%s (%.1f)", one.name, times(one)))
		default:
			faster = append(faster, fmt.Sprintf("%s (%.1f)", one.name, 1/times(one)))
		}
	}
	if len(slower) > 0 {
		text += ", and as many times more than these: " + strings.Join(slower, ", ")
	}
	if len(faster) > 0 {
		text += "; these give as many times more than it: " + strings.Join(faster, ", ")
	}
	return text + "."
}

// cores is at the end of the name of a benchmark: how many there were.
var cores = regexp.MustCompile(`-[0-9]+$`)

func (r *report) handlerTable(w io.Writer) {
	fmt.Fprintf(w, "## The handler alone\n\n`go test -run '^$' -bench . -benchmem -benchtime %s -count %d .`, by benchstat.\n\n| | ns | ± | octets | allocations |\n|---|--:|--:|--:|--:|\n",
		r.plan.benchtime, r.plan.handlerRounds)
	for _, name := range r.handler.names {
		f := r.handler.figures[name]
		name = cores.ReplaceAllString(name, "")
		seconds, _ := strconv.ParseFloat(f["sec/op"], 64)
		fmt.Fprintf(w, "| %s | %.0f | %s | %s | %s |\n", name, seconds*1e9, f["sec/op CI"], f["B/op"], f["allocs/op"])
	}
	fmt.Fprintln(w)
}

func (r *report) trust(w io.Writer) {
	lost := 0.0
	for _, c := range r.contests {
		for _, one := range c.contenders {
			for _, t := range one.turns {
				lost += t.lost
			}
		}
	}
	fmt.Fprintf(w, `## How far to trust this

* Every server is asked before each turn, and what it answers compared with what is declared; *etcd* may have other weights. Octets
  are those of the first answer: who leaves out addresses, or adds NS records, has so much less or more to write.
* The fixed-answer plugin writes the message that *mxsrv* has given, through the same server. For random names it makes the records for the name
  that was asked, and looks up nothing.
* Processor time is that of the process and its children, in the kernel too, by its clock of nanoseconds. Answers a second fall when something
  else runs on the core, this does not; but what shares caches with a neighbour is slower by both.
* Over loopback the kernel of the server delivers its answers to dnsperf: that is in the figures, for all alike.
* NSD, Knot and BIND could use more cores; so could CoreDNS. One core for each says what an answer costs.
* %.0f queries were not answered within a second.
`, lost)
}
