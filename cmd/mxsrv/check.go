package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/plugin/lint"
)

const checkExamples = `  mxsrv check                            ./Corefile, with what it imports and the files that it names
  mxsrv check /etc/coredns/Corefile
  mxsrv check --zone example.com hosts.conf mail.conf   definitions files
  mxsrv check --online                   and what only DNS can tell, by the resolver of this machine
  mxsrv check --online --server 192.0.2.53   or by another server
  mxsrv check --json | jq -r '.[].id'
  mxsrv check --rules                    all that it looks for

Exit code: 0 if there is nothing, or warnings alone; 1 with errors, and with --strict with warnings too; 2 if
it cannot be told.`

// checking is what the command line says of a check.
type checking struct {
	reading
	strict, json, online, rules bool
	server                      string
}

func checkCommand(u *ui) *cobra.Command {
	k := new(checking)
	c := &cobra.Command{
		Use:     "check [COREFILE|FILE...]",
		Short:   "Find mistakes in definitions",
		Long:    "Find mistakes in the mxsrv blocks of a Corefile and the files that they name, or in\ndefinitions files. A Corefile is read as CoreDNS reads it.",
		Example: checkExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return k.run(u, args) },
	}
	c.Flags().BoolVar(&k.strict, "strict", false, "exit with 1 for warnings too")
	c.Flags().BoolVar(&k.json, "json", false, "print JSON")
	c.Flags().BoolVar(&k.online, "online", false, "ask DNS too: do hosts in other zones exist, does the server answer as declared?")
	c.Flags().BoolVar(&k.rules, "rules", false, "list the rules, and check nothing")
	c.Flags().StringVar(&k.server, "server", "", "the DNS server at `ADDR` that --online asks; that in "+resolvConf+" if left out")
	k.reading.flags(c)
	return c
}

func (k *checking) run(u *ui, paths []string) error {
	if k.rules {
		return k.list(u)
	}
	if k.server != "" && !k.online {
		return withHint(fmt.Errorf("--server is for --online"), "mxsrv check --online --server %s", k.server)
	}
	if len(paths) == 0 {
		paths = []string{defaultCorefile}
	}
	findings, err := k.find(u, paths)
	if err != nil {
		return err
	}
	if k.json {
		err = u.json(findingsJSON(findings))
	} else {
		printFindings(u, findings)
		u.note("%s in %s", summary(findings), strings.Join(paths, " "))
	}
	if err == nil && k.bad(findings) {
		err = errNotFine
	}
	return err
}

// find returns all findings.
func (k *checking) find(u *ui, paths []string) ([]lint.Finding, error) {
	all, err := k.read(u, paths)
	if err != nil {
		return nil, err
	}
	var findings []lint.Finding
	for _, s := range all {
		findings = slices.Concat(findings, s.findings, s.leftOut)
	}
	if k.online {
		found, err := k.ask(u, all)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	return once(findings), nil
}

// list prints all rules.
func (k *checking) list(u *ui) error {
	all := append(lint.Rules(), onlineRules...)
	if k.json {
		return u.json(rulesJSON(all))
	}
	var rows [][]string
	for _, r := range all {
		rows = append(rows, []string{r.ID, r.Severity.String(), r.Doc, r.RFC})
	}
	u.table("", rows)
	return nil
}

// ask returns what DNS says against definitions.
func (k *checking) ask(u *ui, all []*served) ([]lint.Finding, error) {
	from := newLive(k.server)
	if k.server == "" {
		var err error
		if from, err = system(); err != nil {
			return nil, withHint(err, "mxsrv check --online --server ADDR")
		}
	}
	var findings []lint.Finding
	for _, s := range all {
		findings = append(findings, online(s, from)...)
	}
	if !k.json {
		u.note("the server asked is %s", from.addr)
	}
	return findings, from.failed()
}

func (k *checking) bad(findings []lint.Finding) bool {
	return count(findings, lint.Error) > 0 || k.strict && len(findings) > 0
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

func summary(findings []lint.Finding) string {
	return fmt.Sprintf("%s and %s", plural(count(findings, lint.Error), "error"), plural(count(findings, lint.Warning), "warning"))
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

// once sorts by place, and drops repetitions: a snippet stands in several server
// blocks.
func once(findings []lint.Finding) []lint.Finding {
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

// format writes a finding: file:line: severity id: message (RFC).
func format(f lint.Finding) string {
	line := fmt.Sprintf("%s: %s %s: %s", f.Pos, f.Rule.Severity, f.Rule.ID, f.Text)
	if f.Rule.RFC != "" {
		line += " (" + f.Rule.RFC + ")"
	}
	return line
}

// The JSON of a finding.
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
		j := jsonFinding{f.Pos.Source, f.Pos.Line, f.Rule.Severity.String(), f.Rule.ID, f.Text, f.Rule.RFC, nil}
		for _, name := range f.Names {
			j.Names = append(j.Names, string(name))
		}
		all = append(all, j)
	}
	return all
}

// printFindings prints findings, a line each.
func printFindings(u *ui, findings []lint.Finding) {
	for _, f := range findings {
		c := yellow
		if f.Rule.Severity == lint.Error {
			c = red
		}
		rfc := ""
		if f.Rule.RFC != "" {
			rfc = u.paint(dim, " ("+f.Rule.RFC+")")
		}
		u.line("%s: %s: %s%s", f.Pos, u.paint(c, fmt.Sprint(f.Rule.Severity, " ", f.Rule.ID)), f.Text, rfc)
	}
}

// The JSON of a rule.
type jsonRule struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Doc      string `json:"doc"`
	RFC      string `json:"rfc,omitempty"`
}

func rulesJSON(rules []lint.Rule) []jsonRule {
	var all []jsonRule
	for _, r := range rules {
		all = append(all, jsonRule{r.ID, r.Severity.String(), r.Doc, r.RFC})
	}
	return all
}
