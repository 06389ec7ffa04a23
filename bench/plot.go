package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Colors that people with any sight tell apart, on white.
var (
	ours   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	bound  = color.RGBA{0x56, 0xb4, 0xe9, 0xff}
	plugin = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
	beyond = color.RGBA{0x99, 0x99, 0x99, 0xff}
	ink    = color.RGBA{0x22, 0x22, 0x22, 0xff}
)

func init() {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	plotter.DefaultFont = plot.DefaultFont
}

// A panelGroup is the workloads that are in one picture.
type panelGroup struct {
	file, title string
	names       []string // of workloads
}

var panelGroups = []panelGroup{
	{"mail.svg", "Answers for a second of processor time: MX", []string{"MX 2", "MX 6"}},
	{"errors.svg", "Answers for a second of processor time, after errors", each("errors")},
	{"prometheus.svg", "Answers for a second of processor time, after prometheus and errors", each("prometheus+errors")},
	{"log.svg", "Answers for a second of processor time, after log and errors", each("log+errors")},
	{"services.svg", "Answers for a second of processor time: SRV", []string{"SRV 2", "SRV 40"}},
	{"names.svg", "Answers for a second of processor time: random names", []string{"thousand", "million"}},
	{"others.svg", "Answers for a second of processor time: addresses and denials", []string{"address", "NXDOMAIN"}},
	{"ways.svg", "Answers for a second of processor time: signed, and over TCP", []string{"signed", "TCP"}},
	{"around.svg", "Answers for a second of processor time: next plugin, and cached", []string{"next", "cache"}},
}

// each names the workloads after some plugins.
func each(before string) []string {
	return []string{"MX 2 " + before, "MX 6 " + before, "SRV 40 " + before}
}

// draw draws the panels side by side, if there is one.
func (g panelGroup) draw(all []*contest, dir string) (bool, error) {
	var panels []*plot.Plot
	most := 0
	for _, c := range all {
		if !slices.Contains(g.names, c.name) {
			continue
		}
		p, err := c.bars()
		if err != nil {
			return false, err
		}
		panels, most = append(panels, p), max(most, len(c.contenders))
	}
	if len(panels) == 0 {
		return false, nil
	}
	width, height := vg.Length(len(panels))*4.2*vg.Inch, vg.Length(most)*0.26*vg.Inch+0.8*vg.Inch
	return true, save(filepath.Join(dir, g.file), width, height, panels)
}

// bars has a bar for each peer, the first on top, with its figure.
func (c *contest) bars() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = c.title
	p.X.Label.Text, p.X.Label.TextStyle.Font.Size = "thousand answers for a second of processor time", vg.Points(9)
	var names []string
	labels := plotter.XYLabels{}
	for _, one := range slices.Backward(c.contenders) {
		if len(one.turns) == 0 {
			continue
		}
		row := float64(len(names))
		figure := 1e-3 / spreadOf(one.of(cpu)).median
		bar, err := plotter.NewBarChart(plotter.Values{figure}, 0.16*vg.Inch)
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, row, one.color(), 0
		p.Add(bar)
		names = append(names, one.name)
		labels.XYs, labels.Labels = append(labels.XYs, plotter.XY{X: figure, Y: row}), append(labels.Labels, digits(figure))
	}
	texts, err := plotter.NewLabels(labels)
	if err != nil {
		return nil, err
	}
	for i := range texts.TextStyle {
		texts.TextStyle[i].YAlign, texts.TextStyle[i].Color, texts.TextStyle[i].Font.Size = draw.YCenter, ink, vg.Points(9)
	}
	texts.Offset.X = vg.Points(3)
	p.Add(texts)
	p.NominalY(names...)
	p.X.Tick.Marker = plot.TickerFunc(evenly)
	p.X.Min, p.X.Max = 0, p.X.Max*1.12
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4
	return p, nil
}

func (one *contender) color() color.Color {
	switch {
	case strings.Contains(one.name, "mxsrv"):
		return ours
	case one.name == "fixed":
		return bound
	case one.program != "" && !one.loose:
		return beyond
	default:
		return plugin
	}
}

// drawScale draws curves on logarithmic axes.
func drawScale(group scalePlot, curves []curve, dir string) error {
	p := plot.New()
	p.Title.Text = group.title
	p.X.Label.Text, p.Y.Label.Text = "records", group.axis
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(decades), plot.TickerFunc(decades)
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(3)
	p.Legend.TextStyle.Font.Size = vg.Points(10)
	p.Add(plotter.NewGrid())
	for _, c := range curves {
		points := make(plotter.XYs, len(c.sizes))
		for j := range c.sizes {
			points[j] = plotter.XY{X: c.sizes[j], Y: c.figures[j]}
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Width, line.Color, line.Dashes = vg.Points(2), scaleColor(c.name), dashes(c.measure)
		dots.Shape, dots.Color = draw.CircleGlyph{}, line.Color
		p.Add(line, dots)
		p.Legend.Add(c.name+": "+c.growth.name, line, dots)
	}
	p.Y.Min, p.Y.Max = roomy(p.Y.Min, p.Y.Max)
	return save(filepath.Join(dir, group.file), 7*vg.Inch, 4*vg.Inch, []*plot.Plot{p})
}

func scaleColor(name string) color.Color {
	switch {
	case strings.HasPrefix(name, oneStanza):
		return bound
	case strings.HasPrefix(name, "mxsrv"):
		return ours
	default:
		return plugin
	}
}

// dashes tells apart the measures of one server.
func dashes(measure int) []vg.Length {
	return [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(2), vg.Points(2)}}[measure%3]
}

// save draws panels side by side into an SVG on white, which the dark mode of a
// browser leaves as it is.
func save(path string, width, height vg.Length, panels []*plot.Plot) error {
	canvas := vgsvg.New(width, height)
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadX: 0.2 * vg.Inch, PadTop: 6, PadBottom: 6, PadLeft: 6, PadRight: 12}
	for i, tile := range plot.Align([][]*plot.Plot{panels}, tiles, c)[0] {
		panels[i].Draw(tile)
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	return os.WriteFile(path, bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), 0o644)
}

// evenly marks round figures, some four of them.
func evenly(least, most float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((most-least)/2)))
	for (most-least)/step > 6 {
		step *= 2
	}
	var ticks []plot.Tick
	for i := 0; float64(i)*step <= most; i++ {
		v := float64(i) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v)})
	}
	return ticks
}

// decades marks powers of ten, and names them.
func decades(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for t := 1e-6; t <= most*1.001; t *= 10 {
		for _, times := range []float64{1, 2, 5} {
			if v := t * times; v >= least*0.999 && v <= most*1.001 {
				label := ""
				if times == 1 || most/least < 100 {
					label = number(v)
				}
				ticks = append(ticks, plot.Tick{Value: v, Label: label})
			}
		}
	}
	return ticks
}

// number writes a round figure with few zeros.
func number(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g million", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%g,000", v/1e3)
	default:
		return fmt.Sprintf("%g", v)
	}
}

// roomy leaves room for the legend above the curves.
func roomy(least, most float64) (float64, float64) {
	return least / 1.5, most * max(3, most/least)
}
