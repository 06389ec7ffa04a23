package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/foreign"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

const importExamples = `  mxsrv import db.example.com > mail.conf         a zone file
  mxsrv import --zone example.com /etc/dnsmasq.conf > mail.conf
  mxsrv import db.example.com --json | jq -r '.unsaid[].why'

Definitions go to standard output, and what they cannot say to standard error.

Exit code: 0 if there are no errors in the definitions, even if some lines could not be said; 1 with
errors, and with --strict with lines that could not be said; 2 if the file cannot be read.`

// importing is what the command line says of an import.
type importing struct {
	zone         string
	strict, json bool
}

func importCommand(u *ui) *cobra.Command {
	i := new(importing)
	c := &cobra.Command{
		Use:     "import FILE",
		Short:   "Make definitions of a zone file or of dnsmasq options",
		Long:    "Make definitions of a zone file (RFC 1035 §5) or of the options of dnsmasq: mx-host,\nsrv-host, host-record, address, cname. What cannot be said is listed.",
		Example: importExamples,
		Args:    one("file", "db.example.com"),
		RunE:    func(_ *cobra.Command, args []string) error { return i.run(u, args[0]) },
	}
	c.Flags().StringVar(&i.zone, "zone", "", "the `ZONE` of the names; that of the SOA record, $ORIGIN or domain option if left out")
	c.Flags().BoolVar(&i.strict, "strict", false, "exit with 1 if a line could not be said")
	c.Flags().BoolVar(&i.json, "json", false, "print JSON")
	return c
}

func (i *importing) run(u *ui, path string) error {
	opt := foreign.Options{Include: func(name string) (string, error) { return include(path, name) }}
	if i.zone != "" {
		zone, err := definition.ParseName(i.zone, ".")
		if err != nil {
			return withHint(fmt.Errorf("zone %v", err), "--zone example.org")
		}
		opt.Zone = zone
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return withHint(fmt.Errorf("%s: %v", path, pathCause(err)), "mxsrv import PATH/TO/FILE")
	}
	r, err := foreign.Read(path, string(text), opt)
	if err != nil {
		return err
	}
	if x := r.Set.Index(); x.Len() == 0 && len(r.Unsaid) > 0 {
		return withHint(fmt.Errorf("nothing in %s can be said in definitions, the first being %s", path, r.Unsaid[0]), "mxsrv import --zone example.com %s", path)
	}
	findings := lint.Check(r.Set.Index(), nil, lint.Options{Zones: r.Zones, Pos: definition.Pos{Source: path, Line: 1}})
	var b strings.Builder
	if err := r.Set.Print(&b, r.Zones); err != nil {
		return err
	}
	if i.json {
		err = u.json(importJSON(r, b.String(), findings))
	} else {
		printImport(u, r, b.String(), findings, path)
	}
	if err == nil && (count(findings, lint.Error) > 0 || i.strict && len(r.Unsaid) > 0) {
		err = errNotFine
	}
	return err
}

// include reads a file that $INCLUDE names, relative to the file that it is in.
func include(path, name string) (string, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(path), name)
	}
	text, err := os.ReadFile(name)
	return string(text), err
}

func printImport(u *ui, r *foreign.Result, definitions string, findings []lint.Finding, path string) {
	names := "absolute names"
	if len(r.Zones) > 0 {
		names = "names relative to " + listZones(r.Zones)
	}
	u.line("# made of the %s %s, with %s", r.Kind, path, names)
	u.line("%s", strings.TrimSuffix(definitions, "\n"))
	for _, unsaid := range r.Unsaid {
		u.note("%s", unsaid)
	}
	for _, f := range findings {
		u.note("%s", format(f))
	}
	u.note("%s not said, %s", plural(len(r.Unsaid), "line"), summary(findings))
}

// The JSON of an import.
type (
	jsonImport struct {
		Kind        string        `json:"kind"`
		Zones       []string      `json:"zones"`
		Definitions string        `json:"definitions"`
		Unsaid      []jsonUnsaid  `json:"unsaid"`
		Findings    []jsonFinding `json:"findings"`
	}
	jsonUnsaid struct {
		File string `json:"file"`
		Line int    `json:"line"`
		Text string `json:"text"`
		Why  string `json:"why"`
	}
)

func importJSON(r *foreign.Result, definitions string, findings []lint.Finding) jsonImport {
	j := jsonImport{string(r.Kind), []string{}, definitions, []jsonUnsaid{}, findingsJSON(findings)}
	for _, zone := range r.Zones {
		j.Zones = append(j.Zones, string(zone))
	}
	for _, x := range r.Unsaid {
		j.Unsaid = append(j.Unsaid, jsonUnsaid{x.Source, x.Line, x.Text, x.Why})
	}
	return j
}
