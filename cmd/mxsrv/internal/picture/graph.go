package picture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Dot writes the picture for Graphviz.
func (p *Picture) Dot(w io.Writer) error { return p.graph(w, dot) }

// Mermaid writes the picture as a flowchart of Mermaid, which many sites draw
// where it stands in a text.
func (p *Picture) Mermaid(w io.Writer) error { return p.graph(w, mermaid) }

// A notation is how a graph is written. The functions return lines.
type notation struct {
	start   func(title string) string
	set     func(id, kind string, lines []string) string
	rank    func(id string, lines []string) string
	network func(number int, head string) string
	host    func(id string, lines []string) string
	close   string // of a network
	edge    func(from, to, label string, number int, weight float64, backup bool) string
	remark  func(text string) string
	end     string
}

// graph writes nodes and edges: from a set to its ranks, which say in which order
// they are tried, and from ranks to hosts.
func (p *Picture) graph(w io.Writer, n notation) error {
	g := grapher{shown: p.shown(), notation: n, out: bufio.NewWriter(w)}
	g.line(n.start(g.shown.Title))
	for _, s := range g.shown.Sets {
		g.set(s)
	}
	for i, network := range g.shown.Networks {
		g.network(i, network)
	}
	for _, remark := range g.shown.remarks() {
		g.line(n.remark(remark))
	}
	g.out.WriteString(n.end)
	return g.out.Flush()
}

type grapher struct {
	notation
	shown *Picture
	out   *bufio.Writer
	edges int
}

func (g *grapher) line(text string) { g.out.WriteString(text + "\n") }

func (g *grapher) network(i int, n Network) {
	g.line(g.notation.network(i+1, (&networkBox{prefix: n.Prefix}).head()))
	for _, h := range n.Hosts {
		lines := []string{g.shown.short(h.Name)}
		for _, addr := range h.Addresses {
			lines = append(lines, addr.String())
		}
		g.line(g.host(h.ID, lines))
	}
	g.line(g.close)
}

func (g *grapher) set(s Set) {
	g.line(g.notation.set(s.ID, s.Kind, g.shown.names(s)))
	for i, r := range s.Ranks {
		id := fmt.Sprintf("%sr%d", s.ID, i+1)
		lines := []string{s.order(i)}
		if r.more > 0 {
			lines = append(lines, fmt.Sprintf("and %d more", r.more))
		}
		if i == len(s.Ranks)-1 && s.more > 0 {
			lines = append(lines, "and "+count(s.more, "further rank"))
		}
		g.line(g.rank(id, lines))
		g.connect(s.ID, id, "", 0, i > 0)
		for _, t := range r.Targets {
			g.connect(id, t.Host, t.label(s.Kind), t.Share, i > 0)
		}
	}
	if len(s.Ranks) == 0 {
		g.line(g.rank(s.ID+"r1", []string{s.none()}))
		g.connect(s.ID, s.ID+"r1", "", 0, false)
	}
}

// label says what a target gets, and where.
func (t Target) label(kind string) string {
	switch {
	case kind == Alias:
		return ""
	case t.Port == 0:
		return t.percent()
	}
	return fmt.Sprintf("%s, port %d", t.percent(), t.Port)
}

func (g *grapher) connect(from, to, label string, share float64, backup bool) {
	g.line(g.edge(from, to, label, g.edges, 1+share*0.03, backup))
	g.edges++
}

var dot = notation{
	start: func(title string) string {
		return fmt.Sprintf("digraph mxsrv {\n  label=%s; labelloc=t; rankdir=LR\n  node [shape=box, style=rounded, fontname=\"monospace\", fontsize=11]\n  edge [fontname=\"sans-serif\", fontsize=9]\n  ranksep=1", dotText(title))
	},
	set: func(id, kind string, lines []string) string {
		return fmt.Sprintf("  %s [label=%s, penwidth=2]", id, dotText(append([]string{kind + ":"}, lines...)...))
	},
	rank: func(id string, lines []string) string {
		return fmt.Sprintf("  %s [label=%s, style=\"rounded,filled\", fillcolor=\"#f0f0f0\"]", id, dotText(lines...))
	},
	network: func(number int, head string) string {
		return fmt.Sprintf("  subgraph cluster_%d {\n    label=%s; fontsize=10", number, dotText(head))
	},
	host: func(id string, lines []string) string {
		return fmt.Sprintf("    %s [label=%s]", id, dotText(lines...))
	},
	close: "  }",
	edge: func(from, to, label string, _ int, weight float64, backup bool) string {
		style := "solid"
		if backup {
			style = "dashed"
		}
		return fmt.Sprintf("  %s -> %s [label=%s, penwidth=%.1f, style=%s]", from, to, dotText(label), weight, style)
	},
	remark: func(text string) string { return "  // " + text },
	end:    "}\n",
}

// dotText puts lines in quotes, as the left-justified lines of a label.
func dotText(lines ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ")
	for i := range lines {
		lines[i] = escape.Replace(lines[i])
	}
	end := ""
	if len(lines) > 1 {
		end = `\l`
	}
	return `"` + strings.Join(lines, `\l`) + end + `"`
}

var mermaid = notation{
	start: func(title string) string {
		quoted, _ := json.Marshal(title) // which is a string in YAML, too
		return fmt.Sprintf("---\ntitle: %s\n---\nflowchart LR", quoted)
	},
	set: func(id, kind string, lines []string) string {
		return fmt.Sprintf("  %s[%s]", id, mermaidText(append([]string{kind + ":"}, lines...)...))
	},
	rank: func(id string, lines []string) string {
		return fmt.Sprintf("  %s([%s])", id, mermaidText(lines...))
	},
	network: func(number int, head string) string {
		return fmt.Sprintf("  subgraph n%d [%s]", number, mermaidText(head))
	},
	host: func(id string, lines []string) string {
		return fmt.Sprintf("    %s[%s]", id, mermaidText(lines...))
	},
	close: "  end",
	edge: func(from, to, label string, number int, weight float64, backup bool) string {
		arrow := "-->"
		if backup {
			arrow = "-.->"
		}
		if label != "" {
			arrow += "|" + mermaidText(label) + "|"
		}
		return fmt.Sprintf("  %s %s %s\n  linkStyle %d stroke-width:%.1fpx", from, arrow, to, number, weight)
	},
	remark: func(text string) string { return "  %% " + text },
}

// mermaidText puts lines in quotes. What could be taken for markup is written as
// an entity.
func mermaidText(lines ...string) string {
	escape := strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "\n", " ", "_", "#95;")
	for i := range lines {
		lines[i] = escape.Replace(lines[i])
	}
	return `"` + strings.Join(lines, "<br>") + `"`
}
