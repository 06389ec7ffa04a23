package picture

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"
)

// Dot writes the picture for Graphviz.
func (p *Picture) Dot(w io.Writer) error { return p.graph(w, quoteDot, dot) }

// Mermaid writes the picture as a flowchart of Mermaid, which many sites draw where it stands in a text.
func (p *Picture) Mermaid(w io.Writer) error { return p.graph(w, quoteMermaid, mermaid) }

// graph writes nodes for sets, their ranks and hosts, and edges from sets to ranks and from ranks to hosts.
func (p *Picture) graph(w io.Writer, quote func(lines ...string) string, text string) error {
	d := p.drawn()
	d.Title = strings.ReplaceAll(d.Title, "\n", " ")
	edges := 0
	t, err := template.New("").Funcs(template.FuncMap{
		"json":    toJSON,
		"none":    Set.none,
		"head":    Network.head,
		"quote":   func(text string) string { return quote(text) },
		"set":     func(s Set) string { return quote(append([]string{s.Kind + ":"}, d.names(s)...)...) },
		"rank":    func(s Set, i int) string { return quote(s.rankLines(i)...) },
		"host":    func(h Host) string { return quote(d.hostLines(h)...) },
		"id":      func(s Set, i int) string { return fmt.Sprint(s.ID, "r", i+1) },
		"label":   func(s Set, t Target) string { return t.label(s.Kind) },
		"width":   func(share float64) string { return fmt.Sprintf("%.1f", 1+share*0.03) },
		"number":  func() int { edges++; return edges - 1 },
		"inc":     func(i int) int { return i + 1 },
		"remarks": d.remarks,
	}).Parse(text)
	if err != nil {
		return err
	}
	return t.Execute(w, d)
}

func toJSON(text string) (string, error) {
	b, err := json.Marshal(text)
	return string(b), err
}

// rankLines returns when a rank is tried, and what of it is not drawn.
func (s Set) rankLines(i int) []string {
	lines := withMore([]string{s.order(i)}, s.Ranks[i].more)
	if i == len(s.Ranks)-1 && s.more > 0 {
		lines = append(lines, "and "+count(s.more, "further rank"))
	}
	return lines
}

func (p *Picture) hostLines(h Host) []string {
	lines := []string{p.short(h.Name)}
	for _, addr := range h.Addresses {
		lines = append(lines, addr.String())
	}
	return lines
}

// label returns the share and the port of a target.
func (t Target) label(kind string) string {
	switch {
	case kind == Alias:
		return ""
	case t.Port == 0:
		return t.percent()
	}
	return fmt.Sprintf("%s, port %d", t.percent(), t.Port)
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// quoteDot makes lines left-justified if there are several.
func quoteDot(lines ...string) string {
	if len(lines) > 1 {
		lines = append(lines, "")
	}
	for i := range lines {
		lines[i] = dotEscapes.Replace(lines[i])
	}
	return `"` + strings.Join(lines, `\l`) + `"`
}

// A set without ranks has one that says why.
const dot = `digraph mxsrv {
  label={{quote .Title}}; labelloc=t; rankdir=LR
  node [shape=box, style=rounded, fontname="monospace", fontsize=11]
  edge [fontname="sans-serif", fontsize=9]
  ranksep=1
{{range $s := .Sets}}  {{.ID}} [label={{set .}}, penwidth=2]
{{range $i, $r := .Ranks}}  {{id $s $i}} [label={{rank $s $i}}, style="rounded,filled", fillcolor="#f0f0f0"]
{{$style := "solid"}}{{if $i}}{{$style = "dashed"}}{{end}}  {{$s.ID}} -> {{id $s $i}} [label="", penwidth=1.0, style={{$style}}]
{{range .Targets}}  {{id $s $i}} -> {{.Host}} [label={{label $s . | quote}}, penwidth={{width .Share}}, style={{$style}}]
{{end}}{{else}}  {{id . 0}} [label={{none . | quote}}, style="rounded,filled", fillcolor="#f0f0f0"]
  {{.ID}} -> {{id . 0}} [label="", penwidth=1.0, style=solid]
{{end}}{{end}}{{range $i, $n := .Networks}}  subgraph cluster_{{inc $i}} {
    label={{head . | quote}}; fontsize=10
{{range .Hosts}}    {{.ID}} [label={{host .}}]
{{end}}  }
{{end}}{{range remarks}}  // {{.}}
{{end}}}
`

// mermaidEscapes writes what could be taken for markup as an entity.
var mermaidEscapes = strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "_", "#95;", "\n", "<br>")

func quoteMermaid(lines ...string) string {
	return `"` + mermaidEscapes.Replace(strings.Join(lines, "\n")) + `"`
}

// The title is in YAML, which takes a JSON string.
const mermaid = `---
title: {{json .Title}}
---
flowchart LR
{{range $s := .Sets}}  {{.ID}}[{{set .}}]
{{range $i, $r := .Ranks}}  {{id $s $i}}([{{rank $s $i}}])
{{$arrow := "-->"}}{{if $i}}{{$arrow = "-.->"}}{{end}}  {{$s.ID}} {{$arrow}} {{id $s $i}}
  linkStyle {{number}} stroke-width:1.0px
{{range .Targets}}  {{id $s $i}} {{$arrow}}{{with label $s .}}|{{quote .}}|{{end}} {{.Host}}
  linkStyle {{number}} stroke-width:{{width .Share}}px
{{end}}{{else}}  {{id . 0}}([{{none . | quote}}])
  {{.ID}} --> {{id . 0}}
  linkStyle {{number}} stroke-width:1.0px
{{end}}{{end}}{{range $i, $n := .Networks}}  subgraph n{{inc $i}} [{{head . | quote}}]
{{range .Hosts}}    {{.ID}}[{{host .}}]
{{end}}  end
{{end}}{{range remarks}}  %% {{.}}
{{end}}`
