package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/foreign"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/serial"
)

const importExamples = `  mxsrv import --corefile db.example.com -o Corefile     a zone file, as a server block of its own
  mxsrv import db.example.com -o mail.conf               its definitions, for a file line in a Corefile
  mxsrv import --zone example.com /etc/dnsmasq.conf -o mail.conf
  mxsrv import --skydns /skydns --etcd 192.0.2.7:2379 --zone example.com      the tree of the etcd plugin
  etcdctl get --prefix -w json /skydns | mxsrv import --zone example.com -    the same
  mxsrv import --corefile db.example.com | mxsrv render - the zone file again
  mxsrv import db.example.com --json | jq -r '.not_converted[].why'

Definitions go to standard output, lines that are not converted, or not exactly, to standard error. What the SOA and NS
records of the zone say belongs in a Corefile: without --corefile it is in comments. $INCLUDE is followed within the
directory of FILE.

Exit status: 0 no errors in the definitions; 1 errors, or with --strict lines that are not converted exactly; 2 usage
or I/O error.`

type importFlags struct {
	zone     string
	corefile bool
	strict   bool
	include  bool
	skydns   string
	etcd     storeFlags // where that is
}

func importCommand(u *ui) *cobra.Command {
	f := new(importFlags)
	c := &cobra.Command{
		Use:     "import FILE | --skydns PATH",
		Short:   "Convert a zone file, dnsmasq options or a file of hosts to definitions",
		Long:    "Convert a zone file (RFC 1035 §5), the options of dnsmasq for records, a file like\n/etc/hosts, or the keys of the etcd plugin of CoreDNS, from a file or from etcd, to\ndefinitions. What is not converted is listed.",
		Example: importExamples,
		Args:    f.oneSource,
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, first(args)) },
	}
	c.Flags().StringVar(&f.zone, "zone", "", "the `ZONE` of the names, or its network (default that of the SOA record, $ORIGIN or domain option, or what all names have in common)")
	c.Flags().BoolVar(&f.corefile, "corefile", false, "print a server block for a Corefile, with what the SOA and NS records say")
	c.Flags().BoolVar(&f.strict, "strict", false, "exit with 1 if a line is not converted exactly")
	c.Flags().BoolVar(&f.include, "include", false, "follow $INCLUDE out of the directory of FILE")
	c.Flags().StringVar(&f.skydns, "skydns", "", "instead of FILE, read the keys of the etcd plugin below `PATH` from etcd")
	f.etcd.addConnection(c)
	u.addJSON(c)
	u.addOutput(c)
	return c
}

// oneSource refuses anything but a file or a path in etcd.
func (f *importFlags) oneSource(c *cobra.Command, args []string) error {
	flag := slices.IndexFunc(connectionFlags, c.Flags().Changed)
	switch {
	case f.skydns == "" && flag >= 0: // the hint has no values, which may be secrets
		return hint.Add(fmt.Errorf("--%s is for --skydns", connectionFlags[flag]), "mxsrv import --skydns /skydns --etcd HOST:PORT --zone example.com")
	case f.skydns == "":
		return oneArg("file", "db.example.com")(c, args)
	case len(args) > 0:
		return fmt.Errorf("%s and --skydns %s: write one of them", args[0], f.skydns)
	case f.zone == "":
		return hint.Add(errors.New("--skydns needs the zone of the names"), "mxsrv import --skydns %s --zone example.com", f.skydns)
	}
	return nil
}

func (f *importFlags) run(u *ui, path string) error {
	r, name, err := f.read(u, path)
	if err != nil {
		return err
	}
	index := r.Set.Index()
	if index.Len() == 0 && len(r.NotConverted) > 0 {
		return hint.Add(fmt.Errorf("nothing in %s can be converted, the first line being %s", name, r.NotConverted[0]), "mxsrv import --zone example.com %s", f.source(path))
	}
	opt := lint.Options{Zones: r.Zones, Pos: definition.Pos{Source: name, Line: 1}}
	if acceptsWildcardMail(r) {
		opt.Ignore = map[string]definition.Pos{mailWildcard: r.Apex().Pos}
	}
	var findings []lint.Finding
	u.during(doing("checking"), func() { findings = lint.Check(index, nil, opt) })
	if len(r.Zones) == 0 { // every name is outside of no zones
		findings = slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Rule.ID == "owner-outside-zone" })
	}
	text, err := f.text(r, name)
	if err != nil {
		return err
	}
	ok := count(findings, lint.Error) == 0 && !(f.strict && len(r.NotConverted)+len(r.Changed) > 0)
	return u.result(importJSON(r, text, findings), ok, func() {
		u.line("%s", strings.TrimSuffix(text, "\n"))
		noteImport(u, r, findings)
	})
}

// text returns the definitions, or the server block that has them.
func (f *importFlags) text(r *foreign.Result, path string) (string, error) {
	var b, definitions strings.Builder
	if err := r.List(&definitions); err != nil {
		return "", err
	}
	apex, err := apexText(r)
	if err != nil {
		return "", err
	}
	if f.corefile {
		if len(r.Zones) == 0 {
			return "", hint.Add(fmt.Errorf("the names of %s are in several zones: name the one of the server block", path),
				"mxsrv import --corefile --zone example.com %s", path)
		}
		fmt.Fprintf(&b, "# converted from the %s %s\n%s {\n    mxsrv {\n", r.Kind, path, cmp.Or(strings.TrimSuffix(string(r.Zones[0]), "."), "."))
		b.WriteString(indented(comments(r.Comments)+apex, "        "))
		if apex != "" && definitions.Len() > 0 {
			b.WriteString("\n")
		}
		b.WriteString(indented(definitions.String(), "        ") + "    }\n}\n")
		return b.String(), nil
	}
	names := "absolute names"
	if len(r.Zones) > 0 {
		names = "names relative to " + listZones(r.Zones)
	}
	fmt.Fprintf(&b, "# converted from the %s %s, with %s\n%s", r.Kind, path, names, comments(r.Comments))
	if apex != "" {
		b.WriteString("#\n# what its SOA and NS records say, for the mxsrv block in the Corefile:\n#\n" + indented(apex, "#   ") + "\n")
	}
	return b.String() + definitions.String(), nil
}

// apexText returns the lines of a Corefile that are beside the definitions.
func apexText(r *foreign.Result) (string, error) {
	var b strings.Builder
	if r.Apex() == nil {
		return "", nil
	}
	if err := r.Apex().Print(&b, r.Zones); err != nil {
		return "", err
	}
	if acceptsWildcardMail(r) {
		b.WriteString("ignore " + mailWildcard + "\n")
	}
	return b.String(), nil
}

const mailWildcard = "mail-wildcard"

// acceptsWildcardMail reports whether there are wildcards with MX records, which are served if the Corefile says so.
func acceptsWildcardMail(r *foreign.Result) bool {
	return r.Apex() != nil && slices.ContainsFunc(r.Set.Mails, func(m definition.Mail) bool { return m.Owner.IsWildcard() })
}

// comments returns lines as comments, with an empty one where they are.
func comments(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("#" + line + "\n")
	}
	return b.String()
}

// indented returns a text with something before each line but empty ones.
func indented(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	return b.String()
}

// read converts a file, with the files that it includes, or what is in etcd. It returns the name of what it has read.
func (f *importFlags) read(u *ui, path string) (r *foreign.Result, name string, err error) {
	opt := foreign.Options{Include: func(name string) (string, error) { return f.included(path, name) }}
	if opt.Zone, err = f.oneZone(path); err != nil {
		return nil, "", err
	}
	var text string
	if f.skydns != "" {
		text, path, opt.Path, err = f.keys(u)
	} else {
		u.reading([]string{path}, func() { text, err = readFile(path) })
	}
	if err != nil {
		return nil, "", err
	}
	u.during(doing("converting %s", path), func() { r, err = foreign.Read(path, text, opt) })
	if errors.Is(err, foreign.ErrNoZone) {
		err = hint.Add(err, "mxsrv import --zone example.com %s", path)
	}
	return r, path, err
}

func readFile(path string) (string, error) {
	text, err := readText(path)
	if err != nil {
		err = hint.Add(err, "mxsrv import PATH/TO/FILE")
	}
	return text, err
}

// oneZone returns the zone of --zone, or "".
func (f *importFlags) oneZone(path string) (definition.Name, error) {
	if f.zone == "" {
		return "", nil
	}
	zones, err := zonesOf(f.zone)
	if err != nil {
		return "", err
	}
	if len(zones) != 1 {
		return "", hint.Add(fmt.Errorf("--zone %s is %d zones, and import is of one: write one of them", f.zone, len(zones)),
			"mxsrv import --zone %s %s", strings.TrimSuffix(string(zones[0]), "."), f.source(path))
	}
	return zones[0], nil
}

// source returns what is read, as it is written in a command.
func (f *importFlags) source(path string) string {
	if f.skydns != "" {
		return "--skydns " + f.skydns
	}
	return path
}

// keys returns the keys below --skydns as etcdctl prints them, the name of their place, and the path of all of them.
func (f *importFlags) keys(u *ui) (text, place, path string, err error) {
	s := &store.Store{Config: etcd.New(defaultEndpoint)}
	s.SetPrefix("/" + strings.Trim(f.skydns, "/"))
	if err := f.etcd.override(s.Config); err != nil {
		return "", "", "", err
	}
	err = f.etcd.open(u, s, func(entries []store.Entry, _ int64) error {
		text = foreign.Listing(convert(entries, func(e store.Entry) foreign.KeyValue {
			return foreign.KeyValue{Key: []byte(e.Key), Value: []byte(e.Text), Lease: int64(e.Lease)}
		}))
		return nil
	})
	return text, "etcd " + s.String(), s.Prefix, err
}

// included returns the text of a file that the file at path includes. Whoever wrote that shall not make others print
// files from elsewhere, unless they say so.
func (f *importFlags) included(path, name string) (string, error) {
	dir := dirOf(path)
	if f.include {
		text, err := os.ReadFile(resolve(dir, name))
		return string(text), pathError(name, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", pathError(dir, err)
	}
	defer root.Close()
	text, err := root.ReadFile(within(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s is not a file in the directory of %s", name, path)
		return "", hint.Add(err, "mxsrv import --include %s", path)
	}
	return string(text), pathError(name, err)
}

// within returns a path that is relative to a directory, or absolute, as one below that directory, if it is there.
func within(dir, path string) string {
	base, err := filepath.Abs(dir)
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(base, resolve(base, path))
	if err != nil {
		return path
	}
	return relative
}

// noteImport says what is not converted, or not exactly, and what is wrong in the definitions.
func noteImport(u *ui, r *foreign.Result, findings []lint.Finding) {
	lines := slices.Concat(r.NotConverted, r.Changed)
	slices.SortStableFunc(lines, func(a, b foreign.Line) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	for _, line := range lines {
		u.note("%s", line)
	}
	for _, finding := range findings {
		u.note("%v", finding)
	}
	if len(r.Zones) == 0 {
		u.note("the names are in several zones: write --zone ZONE for those of one")
	}
	if acceptsWildcardMail(r) {
		u.note("wildcards have MX records, so any name below takes mail (RFC 1912 §2.7): the Corefile needs \"ignore %s\", or delete them", mailWildcard)
	}
	if serial.Newer(r.Serial, uint32(time.Now().Unix())) {
		u.note("the serial %d is newer than the time, which is the first serial here, so secondaries keep the old zone: write \"serials PATH\" in the Corefile, "+
			"and \"%s %d %032d\" in that file, before the first start", r.Serial, r.Zones[0], r.Serial, 0)
	}
	u.note("%s, %s", conversion(distinctLines(r.NotConverted), distinctLines(r.Changed)), summary(findings))
}

// conversion says how many lines are not converted, and how many not exactly.
func conversion(none, changed int) string {
	text := "all lines converted"
	if none > 0 {
		text = plural(none, "line") + " not converted"
	}
	if changed > 0 {
		text += ", " + plural(changed, "line") + " not exactly"
	}
	return text
}

// distinctLines returns how many lines of the file are listed, some of them perhaps for several reasons.
func distinctLines(listed []foreign.Line) int {
	return len(slices.CompactFunc(slices.Clone(listed), func(a, b foreign.Line) bool { return a.Pos == b.Pos }))
}

// The JSON of an import.
type (
	jsonImport struct {
		Kind         foreign.Kind     `json:"kind"`
		Zones        definition.Zones `json:"zones"`
		Definitions  string           `json:"definitions"`
		NotConverted []jsonLine       `json:"not_converted"`
		Changed      []jsonLine       `json:"changed"`
		Findings     []jsonFinding    `json:"findings"`
	}
	jsonLine struct {
		File string `json:"file"`
		Line int    `json:"line"`
		Text string `json:"text"`
		Why  string `json:"why"`
	}
)

func importJSON(r *foreign.Result, definitions string, findings []lint.Finding) jsonImport {
	lines := func(listed []foreign.Line) []jsonLine {
		return convert(listed, func(l foreign.Line) jsonLine { return jsonLine{l.Source, l.Line, l.Text, l.Why} })
	}
	return jsonImport{r.Kind, append(definition.Zones{}, r.Zones...), definitions, lines(r.NotConverted), lines(r.Changed),
		findingsJSON(findings)}
}
