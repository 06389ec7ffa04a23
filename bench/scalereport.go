package main

import "fmt"

// A measure is a figure that is taken at each size.
type measure struct {
	name, title string
	scale       float64 // figures are multiplied by it
}

// A scalePlot is the measures that are drawn together, and read in one table.
type scalePlot struct {
	file, title, unit string
	measures          []measure
	sentence          string
}

var scalePlots = []scalePlot{
	{"scale-first.svg", "Time to the first answer", "s", []measure{{"first", "start to first answer", 1}},
		"From the start of the process to the first right answer."},
	{"scale-memory.svg", "Memory", "MB",
		[]measure{{"resident", "resident memory", 1e-6}, {"peak", "peak at start", 1e-6},
			{"peakchange", "peak around a change", 1e-6}},
		`What Linux says the process has, two seconds after its first answer, the most that it had until then, and the
most that it has from a change of one line until half a second after it is in answers.`},
	{"scale-reload.svg", "Processor time of a reload", "ms",
		[]measure{{"line", "one line changed", 1e3}, {"all", "everything loaded again", 1e3}},
		`What a server spends from the change of its file until half a second after the change is in answers, without
load. *file* always loads everything again; *mxsrv* does so when a default TTL changes, here of all records.`},
	{"scale-service.svg", "Time until a change is in answers", "s", []measure{{"service", "one changed line", 1}},
		`From the change of the file to the first answer with it. Both look at the file every 2s, and *mxsrv* waits half
of that for the writer to be done.`},
	{"scale-latency.svg", fmt.Sprintf("Latency at %d queries a second", watchedRate), "ms",
		[]measure{{"p50", "median", 1e3}, {"p99", "99th percentile", 1e3},
			{"p99change", "99th percentile around a change", 1e3}},
		`How long clients wait, on a quiet server and from a change of its file until half a second after it is in
answers.`},
}

// A curve is a measure of one server, by size.
type curve struct {
	server, name string
	measure      int // which of those in one plot
	sizes        []float64
	figures      []float64
	growth       growth
}

func (sc *scale) curves(p scalePlot) []curve {
	var all []curve
	for _, server := range scaledServers {
		for i, m := range p.measures {
			c := curve{server: server.name, name: server.name, measure: i}
			if len(p.measures) > 1 {
				c.name += ", " + m.title
			}
			for _, n := range sc.sizes {
				if f := sc.figures[key{server.name, m.name, n}]; len(f) > 0 {
					c.sizes, c.figures = append(c.sizes, float64(n)), append(c.figures, median(f)*m.scale)
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

// addScale adds a plot and a table for each group of measures.
func (r *report) addScale(v values, dir string) error {
	if len(r.scale.figures) == 0 {
		return nil
	}
	v["oneStanza"], v["scaleRounds"], v["sizes"] = oneStanza, r.scaleRounds, r.scale.sizes
	v["checked"], v["scaleLost"] = r.scale.checked, r.scale.lost
	var groups []values
	for _, p := range scalePlots {
		curves := r.scale.curves(p)
		if err := drawScale(p, curves, dir); err != nil {
			return err
		}
		var rows []string
		for _, c := range curves {
			rows = append(rows, c.row(p.unit))
		}
		groups = append(groups, values{"title": p.title, "sentence": p.sentence, "rows": rows,
			"picture": fmt.Sprintf("![%s](%s)", p.title, p.file)})
	}
	v["scale"] = groups
	return nil
}

func (c curve) row(unit string) string {
	cells := []string{c.name}
	for _, f := range c.figures {
		cells = append(cells, digits(f)+" "+unit)
	}
	return row(append(cells, c.growth.name, c.growth.formula(unit))...)
}

// formula returns a linear fit in words, in smaller units for each record.
func (g growth) formula(unit string) string {
	if g.name != "linear" {
		return ""
	}
	smaller := map[string]string{"s": "µs", "ms": "ns", "MB": "bytes"}[unit]
	return fmt.Sprintf("%s %s + %s %s", digits(max(g.fixed, 0)), unit, digits(g.each*1e6), smaller)
}
