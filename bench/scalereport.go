package main

import (
	"fmt"
	"io"
)

// A measure is a figure that is taken at each size.
type measure struct {
	name, title, unit string
	scale             float64 // figures are multiplied by it
}

// A scalePlot is the measures that are drawn together, and read in one table.
type scalePlot struct {
	file, title, axis string
	measures          []measure
	sentence          string
}

var scalePlots = []scalePlot{
	{"scale-first.svg", "Time to the first answer", "s", []measure{{"first", "start to first answer", "s", 1}},
		"From the start of the process to the first right answer."},
	{"scale-memory.svg", "Memory", "MB", []measure{{"resident", "resident memory", "MB", 1e-6}, {"peak", "peak at start", "MB", 1e-6}},
		"What Linux says the process has, two seconds after its first answer, and the most that it had until then."},
	{"scale-reload.svg", "Processor time of a reload", "ms", []measure{{"line", "one line changed", "ms", 1e3}, {"all", "all loaded anew", "ms", 1e3}},
		"What a server spends from the change of its file until half a second after the change is in service, without load. *file* always loads all anew; " +
			"*mxsrv* does so when a default TTL changes, here of all records."},
	{"scale-service.svg", "Time to service", "s", []measure{{"service", "one changed line to an answer with it", "s", 1}},
		"From the change of the file to the first answer with it. Both look at the file every 2s, and *mxsrv* waits half of that for the writer to be done."},
	{"scale-latency.svg", "Latency at 2000 queries a second", "ms", []measure{{"p50", "median", "ms", 1e3}, {"p99", "99th percentile", "ms", 1e3},
		{"p99change", "99th percentile around a change", "ms", 1e3}},
		"How long clients wait, on a quiet server and from a change of its file until half a second after it is in service."},
}

// A curve is a measure of one server, by size.
type curve struct {
	name    string
	measure int // which of those in one plot
	sizes   []float64
	figures []float64
	growth  growth
}

func (sc *scale) curves(p scalePlot) []curve {
	var all []curve
	for _, server := range scaledServers {
		for i, m := range p.measures {
			c := curve{name: server.name, measure: i}
			if len(p.measures) > 1 {
				c.name += ", " + m.title
			}
			for _, n := range sc.sizes {
				if f := sc.figures[server.name][m.name][n]; len(f) > 0 {
					c.sizes, c.figures = append(c.sizes, float64(n)), append(c.figures, spreadOf(f).median*m.scale)
				}
			}
			if len(c.sizes) > 1 {
				c.growth = growthOf(c.sizes, c.figures)
				all = append(all, c)
			}
		}
	}
	return all
}

// scaleTables writes a plot and a table for each group of measures.
func (r *report) scaleTables(w io.Writer, dir string) error {
	fmt.Fprintf(w, "## Many records\n\nA third are addresses, a third exchanges, a third targets; *%s* is one `mail` stanza that names so many domains. "+
		"Each server has both cores; medians of %d rounds. %d answers were compared with what is declared, and %d queries lost.\n\n",
		oneStanza, r.plan.scaleRounds, r.scale.checked, r.scale.lost)
	for _, p := range scalePlots {
		curves := r.scale.curves(p)
		if err := drawScale(p, curves, dir); err != nil {
			return err
		}
		fmt.Fprintf(w, "### %s\n\n%s\n\n![%s](%s)\n\n| |", p.title, p.sentence, p.title, p.file)
		for _, n := range r.scale.sizes {
			fmt.Fprintf(w, " %d |", n)
		}
		fmt.Fprint(w, " growth | fixed + for each record |\n|---|")
		for range r.scale.sizes {
			fmt.Fprint(w, "--:|")
		}
		fmt.Fprintln(w, "---|---|")
		for _, c := range curves {
			c.row(w, p.axis)
		}
		fmt.Fprintln(w)
	}
	return nil
}

func (c curve) row(w io.Writer, unit string) {
	fmt.Fprintf(w, "| %s |", c.name)
	for _, f := range c.figures {
		fmt.Fprintf(w, " %s %s |", digits(f), unit)
	}
	fmt.Fprintf(w, " %s | %s |\n", c.growth.name, c.growth.formula(unit))
}

// formula is the fit in words, in smaller units for each record.
func (g growth) formula(unit string) string {
	smaller := map[string]string{"s": "µs", "ms": "ns", "MB": "octets"}[unit]
	if g.name != "linear" {
		return ""
	}
	return fmt.Sprintf("%s %s + %s %s", digits(max(g.fixed, 0)), unit, digits(g.each*1e6), smaller)
}

// digits writes a figure with two of them at least.
func digits(f float64) string {
	switch {
	case f >= 10:
		return fmt.Sprintf("%.0f", f)
	case f >= 1:
		return fmt.Sprintf("%.1f", f)
	case f >= 0.1:
		return fmt.Sprintf("%.2f", f)
	default:
		return fmt.Sprintf("%.3f", f)
	}
}
