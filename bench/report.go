package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"
)

// A report is all that was measured.
type report struct {
	plan
	versions []string
	began    time.Time
	took     time.Duration
	contests []*contest
	scale    scale
	handler  []*benchmark
}

//go:embed hotpath.md
var hotPath string

//go:embed report.tmpl
var reportText string

var reportTemplate = template.Must(template.New("report").Parse(reportText))

// values are what a template has by name.
type values map[string]any

// write writes the report and its plots into a directory.
func (r *report) write(dir string) error {
	v := r.demands()
	r.addHead(v)
	if err := r.addContests(v, dir); err != nil {
		return err
	}
	if err := r.addScale(v, dir); err != nil {
		return err
	}
	var handler []string
	for _, b := range r.handler {
		handler = append(handler, row(b.name, spreadOf(b.ns).text("%.0f"), fmt.Sprint(median(b.bytes)),
			fmt.Sprint(median(b.allocations))))
	}
	v["handler"] = handler
	f, err := os.Create(filepath.Join(dir, "report.md"))
	if err != nil {
		return err
	}
	defer f.Close()
	return reportTemplate.Execute(f, v)
}

// row returns a row of a table in Markdown.
func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |" }

func (r *report) addHead(v values) {
	v["command"] = "make bench"
	if *quick {
		v["command"] = "make bench-quick"
	}
	v["minutes"], v["date"] = int(r.took.Minutes()+0.5), r.began.Format(time.DateOnly)
	v["machine"], v["versions"], v["hotPath"] = machine(), strings.Join(r.versions, ", "), hotPath
	v["serverCore"], v["dnsperfCore"], v["span"] = serverCore, dnsperfCore, r.span
	v["rounds"], v["fewRounds"] = r.rounds, (r.rounds+r.every-1)/r.every
	v["benchmarks"] = strings.Join(r.benchCommand(), " ")
	var absent, all []string
	for _, p := range missing() {
		absent = append(absent, fmt.Sprintf("%s: `apt-get install %s`.", p.name, p.debian))
	}
	for _, p := range peers {
		all = append(all, fmt.Sprintf("%s: %s.", p.name, p.what))
	}
	v["missing"], v["peers"] = absent, all
}

// demands returns what counts most: mxsrv and others, with what is demanded.
func (r *report) demands() values {
	v := values{"columns": columns}
	var verdicts []string
	for _, c := range r.contests {
		cells := []string{c.title}
		for _, name := range columns {
			cell := ""
			if v, ok := c.verdict(name); ok {
				cell = v.String()
			}
			cells = append(cells, cell)
		}
		verdicts = append(verdicts, row(cells...))
	}
	v["verdicts"] = verdicts
	var text strings.Builder
	if t := r.scale.demands(); len(t) > 0 {
		t.write(&text)
	}
	v["scaleDemands"] = text.String()
	v["unmet"], v["all"] = r.unmet()
	return v
}

// printDemands prints the part of the report that counts most.
func (r *report) printDemands(w io.Writer) error {
	return reportTemplate.ExecuteTemplate(w, "demands", r.demands())
}

func (r *report) addContests(v values, dir string) error {
	var pictures []string
	for _, g := range panelGroups {
		drawn, err := g.draw(r.contests, dir)
		if err != nil {
			return err
		}
		if drawn {
			pictures = append(pictures, fmt.Sprintf("![%s](%s)", g.title, g.file))
		}
	}
	lost := 0.0
	var contests []values
	for _, c := range r.contests {
		own := c.find("mxsrv")
		var rows []string
		for _, one := range c.contenders {
			rows = append(rows, one.row(own))
			for _, t := range one.turns {
				lost += t.lost
			}
		}
		contests = append(contests, values{"title": c.title, "sentence": c.sentence(), "rows": rows})
	}
	v["pictures"], v["contests"], v["lost"] = pictures, contests, lost
	return nil
}

// row returns all figures of a contender, beside those of mxsrv.
func (one *contender) row(own *contender) string {
	differs := slices.Clone(one.deviations)
	if one.failed > 0 {
		differs = append(differs, fmt.Sprintf("%d turns failed", one.failed))
	}
	cells := []string{one.name, "", "", "", "", strings.Join(differs, ", ")}
	if len(one.turns) > 0 {
		cells[1] = spreadOf(one.of(rate)).text("%.0f") + one.limit()
		cells[2] = spreadOf(one.of(func(t turn) float64 { return t.cpu * 1e6 })).text("%.2f")
		cells[3] = spreadOf(ratios(one, own, cpuTime)).text("%.2f x")
		cells[4] = fmt.Sprint(one.size)
	}
	return row(cells...)
}

// sentence says what is asked, and how.
func (c *contest) sentence() string {
	q := c.questions()
	asked := fmt.Sprintf("Asked: `%s`", q[0])
	if len(q) > 1 {
		asked = fmt.Sprintf("Asked: `%s` and so on, %d questions in random order", q[0], len(q))
	}
	switch {
	case c.signed:
		asked += ", with EDNS and DO; *dnssec* signs answers of CoreDNS, and the zones of the others are signed"
	case c.edns:
		asked += ", with EDNS"
	case c.next != nil:
		asked += ", which is not declared: *fixed*, as the next plugin after *mxsrv* and alone, or *file* answers"
	case c.network == "tcp":
		asked += ", over 20 connections with 400 queries under way, which keep the servers busy"
	}
	if c.before != "" {
		asked += ", after *" + strings.ReplaceAll(c.before, "+", "* and *") + "*"
	}
	return asked + "."
}
