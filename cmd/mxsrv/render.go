package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/picture"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const renderExamples = `  mxsrv render                          ./Corefile as master files, RFC 1035
  mxsrv render --zone example.com > db.example.com && named-checkzone example.com db.example.com
  mxsrv render --format svg > mail.svg  a picture: who gets what, and what is backed up by whom
  mxsrv render --format mermaid         the same, for a README
  mxsrv render --format dot | dot -Tpdf > mail.pdf
  mxsrv render --format json | jq -r '.sets[].names[]'

Exit code: 0, or 2 if it cannot be told.`

// drawing holds what draws a picture, by format.
var drawing = map[string]func(*picture.Picture, io.Writer) error{
	"dot":     (*picture.Picture).Dot,
	"json":    (*picture.Picture).JSON,
	"mermaid": (*picture.Picture).Mermaid,
	"svg":     (*picture.Picture).SVG,
}

const zoneFormat = "zone"

var formats = []string{zoneFormat, "json", "dot", "svg", "mermaid"}

// rendering is what the command line says of how to show definitions.
type rendering struct {
	reading
	config, format string
	json           bool
}

func renderCommand(u *ui) *cobra.Command {
	r := new(rendering)
	c := &cobra.Command{
		Use:     "render [COREFILE|FILE...]",
		Short:   "Show what definitions stand for: as a zone, or as a picture",
		Long:    "Show what definitions stand for: as the master file of each zone, or as a picture of\nwho gets what and what is backed up by whom.",
		Example: renderExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return r.run(u, args) },
	}
	c.Flags().StringVar(&r.format, "format", zoneFormat, "the `FORMAT`: "+strings.Join(formats, ", "))
	c.Flags().StringVar(&r.config, "config", "", "another way to name the `COREFILE`")
	c.Flags().BoolVar(&r.json, "json", false, "the same as --format json")
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	r.reading.flags(c)
	c.Flags().Lookup("zone").Usage = "the `ZONE` to show; of a definitions file, that of its relative names. Several with several --zone"
	return c
}

func (r *rendering) run(u *ui, paths []string) error {
	if r.json && r.format != zoneFormat && r.format != "json" {
		return fmt.Errorf("--json and --format %s: write one of them", r.format)
	}
	if r.json {
		r.format = "json"
	}
	if r.format != zoneFormat && drawing[r.format] == nil {
		return withHint(fmt.Errorf("format %q: write one of %s", r.format, strings.Join(formats, ", ")), "mxsrv render --format svg")
	}
	if r.config != "" {
		paths = append(paths, r.config)
	}
	if len(paths) == 0 {
		paths = []string{defaultCorefile}
	}
	all, err := r.read(u, paths)
	if err == nil {
		err = faultless(all)
	}
	if err != nil {
		return err
	}
	zones, err := r.chosen(all)
	if err != nil {
		return err
	}
	if draw := drawing[r.format]; draw != nil {
		return draw(picture.New(within(all, zones).Index(), picture.Options{Zones: zones}), u.out)
	}
	return renderZones(u, all, zones)
}

// chosen returns the zones to show: those of --zone, or all.
func (r *rendering) chosen(all []*served) (definition.Zones, error) {
	var there definition.Zones
	for _, s := range all {
		there = append(there, s.zones...)
	}
	slices.SortFunc(there, definition.Name.Compare)
	there = slices.Compact(there)
	zones, err := r.origins()
	if err != nil || len(zones) == 0 {
		return there, err
	}
	for _, zone := range zones {
		if !slices.Contains(there, zone) {
			return nil, withHint(fmt.Errorf("there is no zone %s, but %s", zone, listZones(there)), "--zone %s", there[0])
		}
	}
	return zones, nil
}

// within returns what is in some zones, and the hosts that this points to.
func within(all []*served, zones definition.Zones) *definition.Set {
	var sets []*definition.Set
	for _, s := range all {
		zoneOf := s.zones.Set()
		sets = append(sets, only(s.index.Set, func(owner definition.Name) bool {
			return slices.Contains(zones, zoneOf.Of(owner))
		}))
	}
	return definition.Merge(sets...)
}

// only returns the part of a set whose owners are in, and the hosts of others
// that it points to.
func only(set *definition.Set, in func(definition.Name) bool) *definition.Set {
	part, pointed := new(definition.Set), map[definition.Name]bool{}
	for _, m := range set.Mails {
		if in(m.Owner) {
			part.Mails = append(part.Mails, m)
			for _, e := range m.Exchanges {
				pointed[e.Host] = true
			}
		}
	}
	for _, v := range set.Services {
		if in(v.Owner) {
			part.Services = append(part.Services, v)
			for _, t := range v.Targets {
				pointed[t.Host] = true
			}
		}
	}
	for _, a := range set.Aliases {
		if in(a.Owner) {
			part.Aliases = append(part.Aliases, a)
			pointed[a.Host] = true
		}
	}
	for _, h := range set.Hosts {
		if in(h.Owner) || pointed[h.Owner] {
			part.Hosts = append(part.Hosts, h)
		}
	}
	return part
}

// renderZones writes the master file of each zone.
func renderZones(u *ui, all []*served, zones definition.Zones) error {
	for _, s := range all {
		t := s.compile()
		for _, zone := range s.zones {
			if !slices.Contains(zones, zone) {
				continue
			}
			u.line("; %s by the definitions of %s", zone, s.name)
			if !t.IsApex(string(zone)) {
				u.line(overlayHead, zone)
			}
			if err := t.Render(u.out, zone); err != nil {
				return err
			}
		}
	}
	return nil
}

// overlayHead makes a master file of what is laid over another plugin: one
// without SOA and NS records is not loaded. The names are of no one (RFC 6761
// §6.4).
const overlayHead = `; The zone is not served whole: SOA and NS are put here so that the file loads.
%[1]s	60	IN	SOA	ns.invalid. hostmaster.invalid. 1 7200 1800 1209600 60
%[1]s	60	IN	NS	ns.invalid.`
