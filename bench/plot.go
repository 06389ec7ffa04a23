package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Colors that people with any sight tell apart, on white.
const (
	blue   = "#0072B2" // mxsrv
	sky    = "#56B4E9" // what bounds it
	orange = "#E69F00" // plugins of CoreDNS
	gray   = "#999999" // other servers
	faint  = "#DDDDDD"
	ink    = "#222222"
	white  = "#FFFFFF"
)

// A drawing is an SVG on white, which the dark mode of a browser leaves as it is.
type drawing struct{ bytes.Buffer }

func newDrawing(width, height float64) *drawing {
	d := new(drawing)
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %[1]g %[2]g" `+
		`font-family="Liberation Sans,Arial,Helvetica,sans-serif">`+"\n", width, height)
	d.rect(0, 0, width, height, white)
	return d
}

func (d *drawing) rect(x, y, width, height float64, color string) {
	fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, width, height, color)
}

// text writes some words; anchor is start, middle or end.
func (d *drawing) text(x, y float64, anchor string, size int, words string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="%s">%s</text>`+"\n",
		x, y, anchor, size, ink, words)
}

// line draws a line through points, given as x,y with spaces between.
func (d *drawing) line(points, color, dashes string, width float64) {
	fmt.Fprintf(d, `<polyline points="%s" fill="none" stroke="%s" stroke-dasharray="%s" stroke-width="%g"/>`+"\n",
		points, color, dashes, width)
}

func (d *drawing) save(dir, file string) error {
	d.WriteString("</svg>\n")
	return os.WriteFile(filepath.Join(dir, file), d.Bytes(), 0o644)
}

// A panelGroup is the workloads that are in one picture, side by side.
type panelGroup struct {
	file, title string
	names       []string // of workloads
}

var panelGroups = []panelGroup{
	{"errors.svg", "Answers per CPU second, after errors", afterAll("errors")},
	{"prometheus.svg", "Answers per CPU second, after prometheus and errors", afterAll("prometheus+errors")},
	{"log.svg", "Answers per CPU second, after log and errors", afterAll("log+errors")},
	{"mail.svg", "Answers per CPU second: MX", []string{"MX 2", "MX 6"}},
	{"services.svg", "Answers per CPU second: SRV", []string{"SRV 2", "SRV 40"}},
	{"names.svg", "Answers per CPU second: random names", []string{"thousand", "million"}},
	{"others.svg", "Answers per CPU second: addresses and denials", []string{"address", "NXDOMAIN"}},
	{"ways.svg", "Answers per CPU second: signed, and over TCP", []string{"signed", "TCP"}},
	{"around.svg", "Answers per CPU second: next plugin, and cached", []string{"next", "cache"}},
}

func afterAll(before string) (names []string) {
	for _, w := range after(before, mx2, mx6, srv40) {
		names = append(names, w.name)
	}
	return names
}

const (
	panelWidth = 400.0
	barHeight  = 19.0
	barsAt     = 85.0  // where bars begin, after the names
	barsWidth  = 260.0 // of the longest
)

// draw draws a bar for each contender, the first on top, if any workload was measured.
func (g panelGroup) draw(all []*contest, dir string) (bool, error) {
	panels := slices.DeleteFunc(slices.Clone(all), func(c *contest) bool { return !slices.Contains(g.names, c.name) })
	if len(panels) == 0 {
		return false, nil
	}
	most := 0
	for _, c := range panels {
		most = max(most, len(c.contenders))
	}
	height := float64(most)*barHeight + 55
	d := newDrawing(float64(len(panels))*panelWidth, height)
	for i, c := range panels {
		left := float64(i) * panelWidth
		d.text(left+panelWidth/2, 20, "middle", 13, c.title)
		d.text(left+panelWidth/2, height-9, "middle", 11, "thousand answers per CPU second")
		c.bars(d, left)
	}
	return true, d.save(dir, g.file)
}

func (c *contest) bars(d *drawing, left float64) {
	figure := func(one *contender) float64 { return 1e-3 / median(one.of(cpuTime)) }
	longest, y := 0.0, 32.0
	drawn := slices.DeleteFunc(slices.Clone(c.contenders), func(one *contender) bool { return len(one.turns) == 0 })
	for _, one := range drawn {
		longest = max(longest, figure(one))
	}
	for _, one := range drawn {
		width := barsWidth * figure(one) / longest
		d.text(left+barsAt-5, y+13, "end", 12, one.name)
		d.rect(left+barsAt, y+2, width, barHeight-5, one.color())
		d.text(left+barsAt+width+4, y+13, "start", 11, digits(figure(one)))
		y += barHeight
	}
}

func (one *contender) color() string {
	switch {
	case strings.Contains(one.name, "mxsrv"):
		return blue
	case one.name == "fixed":
		return sky
	case one.program != "" && !one.etcd:
		return gray
	default:
		return orange
	}
}

// drawScale draws curves on logarithmic axes, with a legend beside them.
func drawScale(group scalePlot, curves []curve, dir string) error {
	const left, top, width, height = 70.0, 35.0, 430.0, 270.0
	var sizes, figures []float64
	for _, c := range curves {
		sizes, figures = append(sizes, c.sizes...), append(figures, c.figures...)
	}
	marks := ticks(slices.Min(figures), slices.Max(figures))
	x := logarithmic(slices.Min(sizes), slices.Max(sizes), left, left+width)
	y := logarithmic(marks[0], marks[len(marks)-1], top+height, top)
	d := newDrawing(left+width+350, top+height+45)
	d.text(left+width/2, 20, "middle", 13, group.title)
	d.text(left+width/2, top+height+36, "middle", 12, "records")
	d.text(12, top-10, "start", 12, group.unit)
	for _, v := range marks {
		d.line(fmt.Sprintf("%.1f,%.1f %.1f,%[2]f", left, y(v), left+width), faint, "", 1)
		if len(marks) < 8 || powerOfTen(v) {
			d.text(left-6, y(v)+4, "end", 11, number(v))
		}
	}
	for _, v := range ticks(slices.Min(sizes), slices.Max(sizes)) {
		if powerOfTen(v) {
			d.line(fmt.Sprintf("%.1f,%.1f %[1]f,%.1[3]f", x(v), top, top+height), faint, "", 1)
			d.text(x(v), top+height+18, "middle", 11, number(v))
		}
	}
	for i, c := range curves {
		c.draw(d, x, y)
		at := top + 8 + 20*float64(i)
		d.line(fmt.Sprintf("%g,%g %g,%[2]g", left+width+15, at, left+width+45), c.color(), c.dashes(), 2)
		d.text(left+width+51, at+4, "start", 12, c.name+": "+c.growth.name)
	}
	return d.save(dir, group.file)
}

func (c curve) draw(d *drawing, x, y func(float64) float64) {
	var points []string
	for i, size := range c.sizes {
		points = append(points, fmt.Sprintf("%.1f,%.1f", x(size), y(c.figures[i])))
		fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(size), y(c.figures[i]), c.color())
	}
	d.line(strings.Join(points, " "), c.color(), c.dashes(), 2)
}

func (c curve) color() string {
	return map[string]string{"mxsrv": blue, oneStanza: sky, "file": orange}[c.server]
}

// dashes tells apart the measures of one server.
func (c curve) dashes() string { return []string{"", "6 3", "2 2"}[c.measure] }

// logarithmic returns where on an axis a figure is.
func logarithmic(least, most, from, to float64) func(float64) float64 {
	return func(v float64) float64 { return from + (to-from)*math.Log(v/least)/math.Log(most/least) }
}

// ticks returns powers of ten and their double and fivefold, from the last one that is not
// more than least to the first that is not less than most, two at least.
func ticks(least, most float64) []float64 {
	var all []float64
	for t := math.Pow(10, math.Floor(math.Log10(least)+1e-9)); ; t *= 10 {
		for _, v := range []float64{t, 2 * t, 5 * t} {
			if v <= least*1.001 {
				all = nil
			}
			all = append(all, v)
			if v >= most*0.999 && len(all) > 1 {
				return all
			}
		}
	}
}

func powerOfTen(v float64) bool { return math.Abs(math.Log10(v)-math.Round(math.Log10(v))) < 1e-9 }

// number writes a round figure with few zeros.
func number(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g million", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.0f,000", v/1e3)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}
