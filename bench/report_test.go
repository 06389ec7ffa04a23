package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// invented makes a report of figures that nobody has measured.
func invented(t *testing.T) *report {
	t.Helper()
	r := &report{plan: fullPlan, began: time.Unix(0, 0), took: 25 * time.Minute, versions: []string{"mxsrv abc"},
		scale: scale{sizes: fullPlan.sizes, figures: map[key][]float64{}}}
	for i := range workloads {
		c := &contest{workload: &workloads[i]}
		if c.name == "million" {
			c.workload = &workload{name: c.name, title: c.title, peers: c.peers, questions: random("d", 1000, 2)}
		}
		for j, name := range strings.Fields(c.peers) {
			p := peers[slices.IndexFunc(peers, func(p peer) bool { return p.name == name })]
			cost := 8e-6 * float64(j+1)
			turns := []turn{{0, 0.99 / cost, cost, 0.99, 0.6, 0}, {1, 0.9 / cost, cost * 1.1, 0.99, 0.7, 1}}
			one := &contender{peer: p, size: 175, turns: turns}
			if name == "BIND" {
				one.turns, one.failed = nil, 2
			}
			c.contenders = append(c.contenders, one)
		}
		r.contests = append(r.contests, c)
	}
	for i, server := range scaledServers {
		for _, n := range r.scale.sizes {
			for _, p := range scalePlots {
				for k, m := range p.measures {
					if !server.follows && m.name != "first" && m.name != "resident" && m.name != "peak" {
						continue
					}
					r.scale.figures[key{server.name, m.name, n}] = []float64{(0.01 + 1e-6*float64(n)) * float64(i+k+1) / m.scale}
				}
			}
		}
	}
	r.handler = []*benchmark{{"MX/mxsrv", []float64{137.7, 140}, []float64{160, 160}, []float64{1, 1}}}
	return r
}

// TestReport: every table has its figures, and every picture it shows is there,
// is XML and has a white background.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	if keep := os.Getenv("MXSRV_BENCH_REPORT"); keep != "" {
		dir = keep // to look at
	}
	r := invented(t)
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads {
		if !strings.Contains(string(text), "### "+w.title+"\n") {
			t.Errorf("no table of %s", w.name)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("%s in the report", bad)
		}
	}
	for _, want := range []string{"| MX, two exchanges, after errors | 2.00 | 3.00 |  | 4.00 |  |", "linear",
		"| MX/mxsrv | 139 (138-140) | 160 | 1 |", "Demands: 74; not met: 2.", "| BIND |  |  |  |  | 2 turns failed |",
		"129 queries were not answered"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in the report", want)
		}
	}
	pictures := regexp.MustCompile(`\]\(([a-z-]+\.svg)\)`).FindAllStringSubmatch(string(text), -1)
	if len(pictures) != len(panelGroups)+len(scalePlots) {
		t.Errorf("%d pictures, want %d", len(pictures), len(panelGroups)+len(scalePlots))
	}
	for _, p := range pictures {
		checkPicture(t, filepath.Join(dir, p[1]))
	}
}

func checkPicture(t *testing.T, path string) {
	t.Helper()
	svg, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if !strings.Contains(string(svg), `fill="#FFFFFF"`) || len(svg) > 40000 {
		t.Errorf("%s: %d bytes, want at most 40000 and a white background", path, len(svg))
	}
}
