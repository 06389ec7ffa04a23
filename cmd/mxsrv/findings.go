package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// finding returns a finding with the colors of the terminal.
func (u *ui) finding(f lint.Finding) string {
	return f.Format(
		func(severity string) string { return u.paint(severityColor[f.Rule.Severity], severity) },
		func(rule string) string { return u.paint(dim, rule) })
}

var severityColor = map[lint.Severity]color{lint.Error: red, lint.Warning: yellow}

func (u *ui) findings(findings []lint.Finding) {
	for _, f := range findings {
		u.line("%s", u.finding(f))
	}
}

// unique returns findings by file and line, each once: a snippet of a Corefile stands in several server blocks.
func unique(findings []lint.Finding) []lint.Finding {
	seen := map[string]bool{}
	all := filter(findings, func(f lint.Finding) bool {
		n := len(seen)
		seen[f.String()] = true
		return len(seen) > n
	})
	slices.SortStableFunc(all, func(a, b lint.Finding) int {
		return cmp.Or(strings.Compare(a.Pos.Source, b.Pos.Source), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	return all
}

func count(findings []lint.Finding, severity lint.Severity) int {
	return len(filter(findings, func(f lint.Finding) bool { return f.Rule.Severity == severity }))
}

func summary(findings []lint.Finding) string {
	return plural(count(findings, lint.Error), "error") + " and " + plural(count(findings, lint.Warning), "warning")
}

func plural(n int, word string) string {
	switch n {
	case 0:
		return "no " + word + "s"
	case 1:
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

type jsonFinding struct {
	File     string            `json:"file"`
	Line     int               `json:"line"`
	Severity string            `json:"severity"`
	ID       string            `json:"id"`
	Message  string            `json:"message"`
	RFC      string            `json:"rfc,omitempty"`
	Names    []definition.Name `json:"names,omitempty"`
}

func findingsJSON(findings []lint.Finding) []jsonFinding {
	return convert(findings, func(f lint.Finding) jsonFinding {
		return jsonFinding{f.Pos.Source, f.Pos.Line, f.Rule.Severity.String(), f.Rule.ID, f.Text, f.Rule.RFC, f.Names}
	})
}
