package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/picture"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const renderExamples = `  mxsrv render                          ./Corefile as master files, RFC 1035
  mxsrv render --zone example.com -o db.example.com && named-checkzone example.com db.example.com
  mxsrv render --format svg -o mail.svg a picture: who gets what, and what backs up what
  mxsrv render --format mermaid         the same, for a README
  mxsrv render --format dot | dot -Tpdf > mail.pdf
  mxsrv render --format json | jq -r '.sets[].names[]'
  mxsrv render --format mta-sts --mode testing -o policy.txt   the MTA-STS policy that the exchanges are
  mxsrv render --format mta-sts --out /srv/www                 of each mail domain, where a web server serves it

Exit status: 0 success; 2 usage or I/O error, or errors in the definitions.`

// drawing holds what draws a picture, by format.
var drawing = map[string]func(*picture.Picture, io.Writer) error{
	"dot":     (*picture.Picture).Dot,
	"json":    (*picture.Picture).JSON,
	"mermaid": (*picture.Picture).Mermaid,
	"svg":     (*picture.Picture).SVG,
}

const zoneFormat = "zone"

var formats = []string{zoneFormat, "json", "dot", "svg", "mermaid", policyFormat}

type renderFlags struct {
	readFlags
	policyFlags
	config, format string
	json           bool
}

func renderCommand(u *ui) *cobra.Command {
	f := new(renderFlags)
	c := &cobra.Command{
		Use:     "render [COREFILE|FILE...]",
		Short:   "Show what definitions mean: as a zone, a picture or MTA-STS policies",
		Long:    "Show what definitions mean: as the master file of each zone, or as a picture of who gets\nwhat and what backs up what; or write the MTA-STS policies of mail domains.",
		Example: renderExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, args) },
	}
	c.Flags().StringVar(&f.format, "format", zoneFormat, "the `FORMAT`: "+strings.Join(formats, ", "))
	c.Flags().StringVar(&f.config, "config", "", "another way to name the `COREFILE`")
	c.Flags().BoolVar(&f.json, "json", false, "the same as --format json; with --format mta-sts, policies as JSON")
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	u.addOutput(c)
	f.readFlags.add(c)
	f.policyFlags.add(c)
	f.addBlock(c)
	f.completeFiles(c)
	c.Flags().Lookup("zone").Usage = "the `ZONE` to show, and that of the relative names in a definitions file; repeat it for several"
	return c
}

func (f *renderFlags) run(u *ui, paths []string) error {
	if err := f.checkFormat(u); err != nil {
		return err
	}
	if f.config != "" {
		paths = append(paths, f.config)
	}
	if len(paths) == 0 {
		paths = []string{defaultCorefile}
	}
	all, err := f.readValid(u, paths, f.mends)
	if err != nil {
		return err
	}
	zones, err := f.selectZones(all)
	if err != nil {
		return err
	}
	for _, zone := range zones {
		if several := serving(all, zone); !alike(several, zone) {
			return ambiguous(several, zone)
		}
	}
	switch f.format {
	case zoneFormat:
		return renderZones(u, all, zones)
	case policyFormat:
		return f.renderPolicies(u, all, zones)
	}
	p := picture.New(selectNames(all, zones).Index(), zones)
	return drawing[f.format](p, u.out)
}

// checkFormat returns an error for a format that does not exist. With --json it sets the format.
func (f *renderFlags) checkFormat(u *ui) error {
	switch {
	case f.out != "" && u.output.path != "":
		return errors.New("--out and --output: write one of them")
	case f.format == policyFormat: // which --json has, too
	case f.json && f.format != zoneFormat && f.format != "json":
		return fmt.Errorf("--json and --format %s: write one of them", f.format)
	case f.json:
		f.format = "json"
	case !slices.Contains(formats, f.format):
		return hint.Add(fmt.Errorf("format %q: write one of %s", f.format, strings.Join(formats, ", ")), "mxsrv render --format svg")
	}
	return f.policyFlags.check(f.format)
}

// selectZones returns the zones of --zone, or all.
func (f *renderFlags) selectZones(all []*served) (definition.Zones, error) {
	existing := allZones(all)
	zones, err := f.parseZones()
	if err != nil || len(zones) == 0 {
		return existing, err
	}
	for _, zone := range zones {
		if !slices.Contains(existing, zone) {
			return nil, hint.Add(fmt.Errorf("there is no zone %s, but %s", zone, listZones(existing)), "--zone %s", existing[0])
		}
	}
	return zones, nil
}

// selectNames returns what is declared in some zones, and the hosts that this points to.
func selectNames(all []*served, zones definition.Zones) *definition.Set {
	return definition.Merge(convert(all, func(s *served) *definition.Set {
		set, names, zoneOf := s.index.Set, s.index.Set.Owners(), s.zones.Set()
		maps.DeleteFunc(names, func(n definition.Name, _ bool) bool {
			zone := zoneOf.Of(n)
			return !slices.Contains(zones, zone) || serving(all, zone)[0] != s
		})
		part := set.Declaring(names)
		part.Apexes = nil
		names.Add(part.Targets())
		part.Hosts = set.Declaring(names).Hosts
		return part
	})...)
}

// renderZones writes the master file of each zone, in the order of the server blocks.
func renderZones(u *ui, all []*served, zones definition.Zones) error {
	u.during(doing("compiling"), func() {
		for _, s := range all {
			s.compile()
		}
	})
	for _, s := range all {
		for _, zone := range s.zones {
			if !slices.Contains(zones, zone) || serving(all, zone)[0] != s {
				continue
			}
			u.line("; %s by the definitions of %s", zone, sourceOf(all, zone))
			if err := renderZone(u.out, s, zone); err != nil {
				return err
			}
		}
	}
	return nil
}

// sourceOf names the file that a zone is declared in, and the server blocks if it is in several.
func sourceOf(all []*served, zone definition.Name) string {
	if of := holding(all, zone); len(of) == 1 {
		return of[0].name
	}
	return listBlocks(serving(all, zone))
}

func renderZone(w io.Writer, s *served, zone definition.Name) error {
	t := s.compile()
	if !t.IsApex(string(zone)) {
		if _, err := fmt.Fprintf(w, placeholderApex+"\n", zone); err != nil {
			return err
		}
	}
	return t.Render(w, zone)
}

// alike reports whether server blocks have the same records of a zone.
func alike(several []*served, zone definition.Name) bool {
	if len(several) < 2 {
		return true
	}
	texts := convert(several, func(s *served) string {
		var text strings.Builder
		renderZone(&text, s, zone) // into memory: there is no error
		return text.String()
	})
	return len(slices.Compact(texts)) == 1
}

// placeholderApex completes the master file of a zone that is not authoritative: one without SOA and NS records is not
// loaded. Its names belong to nobody (RFC 6761 §6.4).
const placeholderApex = `; The zone is not authoritative: these SOA and NS records are placeholders, so that the file loads.
%[1]s	60	IN	SOA	ns.invalid. hostmaster.invalid. 1 7200 1800 1209600 60
%[1]s	60	IN	NS	ns.invalid.`
