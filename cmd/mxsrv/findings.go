package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/lint"
)

// format writes a finding as file:line: severity id: message (RFC).
func format(f lint.Finding) string { return new(ui).finding(f) }

// finding is format with the colors of the terminal.
func (u *ui) finding(f lint.Finding) string {
	c, rfc := yellow, ""
	if f.Rule.Severity == lint.Error {
		c = red
	}
	if f.Rule.RFC != "" {
		rfc = u.paint(dim, " ("+f.Rule.RFC+")")
	}
	return fmt.Sprintf("%s: %s: %s%s", f.Pos, u.paint(c, f.Rule.Severity.String()+" "+f.Rule.ID), f.Text, rfc)
}

func (u *ui) findings(findings []lint.Finding) {
	for _, f := range findings {
		u.line("%s", u.finding(f))
	}
}

// unique returns findings by file and line, each once: a snippet of a Corefile stands in several server blocks.
func unique(findings []lint.Finding) []lint.Finding {
	seen := map[string]bool{}
	var all []lint.Finding
	for _, f := range findings {
		if line := format(f); !seen[line] {
			seen[line] = true
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b lint.Finding) int {
		return cmp.Or(strings.Compare(a.Pos.Source, b.Pos.Source), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	return all
}

func count(findings []lint.Finding, severity lint.Severity) int {
	n := 0
	for _, f := range findings {
		if f.Rule.Severity == severity {
			n++
		}
	}
	return n
}

// summary counts errors and warnings.
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

// jsonFinding is the JSON of a finding.
type jsonFinding struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Severity string   `json:"severity"`
	ID       string   `json:"id"`
	Message  string   `json:"message"`
	RFC      string   `json:"rfc,omitempty"`
	Names    []string `json:"names,omitempty"`
}

func findingsJSON(findings []lint.Finding) []jsonFinding {
	all := []jsonFinding{}
	for _, f := range findings {
		all = append(all, jsonFinding{f.Pos.Source, f.Pos.Line, f.Rule.Severity.String(), f.Rule.ID, f.Text, f.Rule.RFC, texts(f.Names)})
	}
	return all
}

// texts returns names as strings.
func texts[S ~string](names []S) []string {
	var all []string
	for _, name := range names {
		all = append(all, string(name))
	}
	return all
}
