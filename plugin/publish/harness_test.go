package publish

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// A recorder is an observer that keeps what it is told.
type recorder struct {
	infos, warnings, errors []string
	loads                   []string // SOURCE: ERROR
	excluded                int
	changed                 []string // zones
}

func (r *recorder) Info(text string)    { r.infos = append(r.infos, text) }
func (r *recorder) Warning(text string) { r.warnings = append(r.warnings, text) }
func (r *recorder) Error(text string)   { r.errors = append(r.errors, text) }

func (r *recorder) Loaded(source string, err error) {
	r.loads = append(r.loads, fmt.Sprintf("%s: %v", source, err))
}

func (r *recorder) Excluded(fragments int) { r.excluded += fragments }

func (r *recorder) Changed(zones []definition.Name) {
	for _, z := range zones {
		r.changed = append(r.changed, string(z))
	}
}

// findings returns the errors that are no news of a rejection, sorted.
func (r *recorder) findings() []string {
	rejection := func(line string) bool { return strings.Contains(line, ": rejected: ") }
	errs := slices.DeleteFunc(slices.Clone(r.errors), rejection)
	slices.Sort(errs)
	return errs
}

// configOf returns the config that a Corefile makes, in the zone example.org if it names
// none, with further sources.
func configOf(text, server string, sources ...source.Source) Config {
	d := caddyfile.NewDispenser("Corefile", strings.NewReader(text))
	b := corefile.Read(&d, corefile.Env{Keys: []string{"example.org."}, Origins: func(args, keys []string) []string {
		if len(args) == 0 {
			return keys
		}
		zones := make([]string, len(args))
		for i, zone := range args {
			zones[i] = dns.CanonicalName(zone)
		}
		return zones
	}})
	return Config{
		Pos: b.Pos, Zones: b.Zones, Fallthrough: b.Fallthrough, Ignore: b.Ignore, Sources: append(b.Sources(), sources...),
		View: server, Serials: b.Serials, SerialsPos: b.SerialsPos,
	}
}

// newPublisher returns a publisher that has loaded nothing yet, and its observer.
func newPublisher(t *testing.T, c Config) (*Publisher, *recorder) {
	t.Helper()
	r := new(recorder)
	p, err := New(c, r)
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

// loaded returns a publisher that serves what a Corefile declares, and its observer.
func loaded(t *testing.T, text string) (*Publisher, *recorder) {
	t.Helper()
	p, r := newPublisher(t, configOf(text, "the server"))
	if err := p.Load(); err != nil {
		t.Fatal(err)
	}
	return p, r
}

// forgetSerials is what a restart of the process does.
func forgetSerials() {
	serials = newLedger()
	serialsFiles.Lock()
	defer serialsFiles.Unlock()
	clear(serialsFiles.at)
}

// serialOf returns the serial of an authoritative zone.
func serialOf(t *testing.T, p *Publisher, zone string) uint32 {
	t.Helper()
	_, a := p.Table().Lookup(zone, dns.TypeSOA)
	if len(a.RRs) != 1 {
		t.Fatalf("no SOA of %s", zone)
	}
	return a.RRs[0].(*dns.SOA).Serial
}

func newReader(zones ...definition.Name) *definition.Reader {
	return definition.NewReader(definition.Zones(zones))
}
