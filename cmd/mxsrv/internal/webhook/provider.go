// Package webhook is a provider of ExternalDNS: it keeps the endpoints that ExternalDNS makes of the services and
// ingresses of Kubernetes as fragments in etcd, which servers serve.
//
// A [Provider] has a folder below the prefix of a [store.Store], and in it a key for each name, as a name belongs to
// one fragment only. Keys that it has not written, or that were edited since, it does not change: see [compose].
//
// What the rules refuse must not end ExternalDNS, which gives up for ever when changes are refused. So
// [Provider.Adjust], which sees what is wished before any change is made, leaves out what servers would exclude, or
// has it as it is in etcd if it is there; the log says why. [Provider.Apply] judges all changes together once more.
//
// # Limitations
//
// Set identifiers are kept, but mean nothing to DNS: endpoints that differ in them are one RRset. Properties of
// providers are left out.
package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A Provider keeps endpoints in etcd. Its methods take their turns.
type Provider struct {
	Store   *store.Store                     // without a connection: it is made when it is needed
	Folder  string                           // the key below which all keys are, ends in "/"
	Domains []definition.Name                // whose names it has; without any, all
	DryRun  bool                             // write nothing
	Note    func(format string, args ...any) // a line of the log

	turn    chan struct{} // has room for whoever uses what follows
	open    bool          // the store
	refused string        // what Adjust has reported last
	metrics *metrics
}

// New returns a provider of a folder in a store. Without domains, those of the zones of the store count.
func New(s *store.Store, folder string, domains []definition.Name) *Provider {
	zones := slices.Clone(domains)
	for _, sim := range s.Simulators {
		if len(domains) == 0 {
			zones = append(zones, sim.Options.Zones...)
		}
	}
	return &Provider{Store: s, Folder: s.Key(strings.Trim(folder, "/") + "/"), Domains: zones,
		Note: func(string, ...any) {}, turn: make(chan struct{}, 1), metrics: newMetrics()}
}

// Close ends the connection to etcd.
func (p *Provider) Close() { p.Store.Close() }

// Changes are the changes of endpoints that ExternalDNS makes in one loop.
type Changes struct {
	Create    []Endpoint `json:"create,omitempty"`
	UpdateOld []Endpoint `json:"updateOld,omitempty"`
	UpdateNew []Endpoint `json:"updateNew,omitempty"`
	Delete    []Endpoint `json:"delete,omitempty"`
}

// A Refusal is why changes are not made. It is not for ExternalDNS to try again.
type Refusal []lint.Finding

func (r Refusal) Error() string {
	var lines []string
	for _, f := range r[:min(len(r), mostReasons)] {
		lines = append(lines, f.String())
	}
	if more := len(r) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// mostReasons are in one response: ExternalDNS reads no long ones of errors, and the log is for people.
const mostReasons = 20

// content is what is in etcd: all fragments, and those of the folder by their names.
type content struct {
	entries []store.Entry
	ours    map[definition.Name]held
	foreign map[string]bool // keys in the folder
}

// held are the endpoints of a name.
type held struct {
	store.Entry
	endpoints []Endpoint
}

// begin waits for the turn of a call, and returns what is in etcd, and what ends the turn.
func (p *Provider) begin(ctx context.Context) (*content, func(), error) {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("other calls take too long: %w", ctx.Err())
	}
	end := func() { <-p.turn }
	c, err := p.read(ctx)
	if err != nil {
		end()
		return nil, nil, err
	}
	return c, end, nil
}

// list returns all fragments. A connection that has never worked is made again.
func (p *Provider) list(ctx context.Context) (entries []store.Entry, err error) {
	if p.open {
		entries, _, err = p.Store.List(ctx)
		return entries, err
	}
	if entries, _, err = p.Store.Open(ctx); err != nil {
		p.Store.Close()
	}
	p.open = err == nil
	return entries, err
}

// read returns what is in etcd.
func (p *Provider) read(ctx context.Context) (*content, error) {
	entries, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	c := &content{entries, map[definition.Name]held{}, map[string]bool{}}
	for _, e := range entries {
		if strings.HasPrefix(e.Key, p.Folder) {
			c.add(p, e)
		}
	}
	return c, nil
}

// add adds a fragment of the folder.
func (c *content) add(p *Provider, e store.Entry) {
	endpoints, ok := parse(e.Text)
	if ok && e.Lease == 0 {
		if name, err := endpoints[0].name(); err == nil && p.key(name) == e.Key {
			c.ours[name] = held{e, endpoints}
			return
		}
	}
	c.foreign[e.Key] = true
}

func (p *Provider) key(name definition.Name) string {
	return p.Folder + strings.TrimSuffix(string(name), ".")
}

// covers reports whether a name is in the domains.
func (p *Provider) covers(name definition.Name) bool {
	return len(p.Domains) == 0 || slices.ContainsFunc(p.Domains, name.Below)
}

// Ready returns an error if etcd does not answer.
func (p *Provider) Ready(ctx context.Context) error {
	_, end, err := p.begin(ctx)
	if err != nil {
		return err
	}
	end()
	return nil
}

// Records returns all endpoints, in the order of their names.
func (p *Provider) Records(ctx context.Context) ([]Endpoint, error) {
	c, end, err := p.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	all := []Endpoint{}
	for _, name := range slices.SortedFunc(maps.Keys(c.ours), definition.Name.Compare) {
		if p.covers(name) {
			all = append(all, c.ours[name].endpoints...)
		}
	}
	p.metrics.endpoints.Set(float64(len(all)))
	return all, nil
}

// change returns the change that makes endpoints those of a name, nil if it has them; or what is wrong with it.
func (p *Provider) change(c *content, name definition.Name, endpoints []Endpoint) (*store.Change, []lint.Finding) {
	before, there := c.ours[name]
	fragment := change.Fragment{Key: p.key(name), Created: cmp.Or(before.Created, math.MaxInt64)} // or it is the youngest
	switch {
	case equal(before.endpoints, endpoints):
		return nil, nil
	case !p.covers(name):
		return nil, wrong("owner-outside-zone", name, fmt.Sprintf("%s is in no domain: write one of %v", name, p.Domains))
	case c.foreign[fragment.Key]:
		return nil, wrong(lint.FragmentClosed, name,
			fragment.Source()+" is not as ExternalDNS has written it: delete it, or choose another folder")
	case len(endpoints) == 0 && there:
		return &store.Change{Edit: change.Edit{Fragment: before.Fragment, Gone: true}, Before: before.Entry}, nil
	}
	var findings []lint.Finding
	if fragment.Text, findings = compose(name, endpoints); findings != nil {
		return nil, findings
	}
	return &store.Change{Edit: change.Edit{Fragment: fragment}, Before: before.Entry}, nil
}

// Apply makes changes, all of them or none: if servers would exclude one, the error is a [Refusal]. Those that are made
// already are no mistake.
func (p *Provider) Apply(ctx context.Context, changes Changes) error {
	c, end, err := p.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	wished, about, refusal := c.wished(changes)
	var planned []store.Change
	for _, name := range slices.SortedFunc(maps.Keys(wished), definition.Name.Compare) {
		one, why := p.change(c, name, wished[name])
		if refusal = append(refusal, why...); one != nil {
			planned = append(planned, *one)
		}
	}
	if refusal == nil && len(planned) > 0 {
		excluded := p.Store.Exclusions(c.entries, planned)
		for _, key := range slices.Sorted(maps.Keys(excluded)) {
			refusal = append(refusal, excluded[key]...)
		}
	}
	if len(refusal) > 0 {
		return refusal
	}
	return p.commit(planned, about)
}

// wished returns the endpoints that names have after changes, and of names with ownership records the name that these
// are about.
func (c *content) wished(changes Changes) (
	wished map[definition.Name][]Endpoint, about map[string]definition.Name, refusal Refusal,
) {
	wished, about = map[definition.Name][]Endpoint{}, map[string]definition.Name{}
	each := func(endpoints []Endpoint, change func([]Endpoint, Endpoint) []Endpoint) {
		for _, e := range endpoints {
			name, err := e.name()
			if err != nil {
				refusal = append(refusal, wrong(definition.Syntax, definition.Name(e.DNSName), err.Error())...)
				continue
			}
			if _, ok := wished[name]; !ok {
				wished[name] = c.ours[name].endpoints
			}
			wished[name] = change(wished[name], e)
			if owned, err := parseName(e.Labels[ownedRecord]); err == nil && e.isOwnership() {
				about[string(name)] = owned
			}
		}
	}
	remove := func(all []Endpoint, e Endpoint) []Endpoint { return without(all, e.identity()) }
	each(changes.Delete, remove)
	each(changes.UpdateOld, remove)
	each(changes.UpdateNew, with)
	each(changes.Create, with)
	return wished, about, refusal
}

// errChanged is why changes are not made that have become others.
var errChanged = errors.New("fragments were changed by somebody else just now: try again")

// commit makes changes in one transaction, or in several if it has no room for them.
func (p *Provider) commit(changes []store.Change, about map[string]definition.Name) error {
	if p.DryRun {
		for _, c := range changes {
			p.Note("dry run: %s", described(c))
		}
		return nil
	}
	for _, part := range parts(changes, func(c store.Change) string {
		name := strings.TrimPrefix(c.Key, p.Folder) + "."
		return string(cmp.Or(about[name], definition.Name(name)))
	}) {
		_, conflicts, err := p.Store.Commit(part)
		if err == nil && conflicts != nil {
			err = errChanged
		}
		if err != nil {
			return err
		}
		for _, c := range part {
			p.metrics.changed(c)
			p.Note("%s", described(c))
		}
	}
	return nil
}

func described(c store.Change) string {
	switch {
	case c.Gone:
		return "delete " + c.Source()
	case c.Before.Revision == 0:
		return "create " + c.Source()
	}
	return "change " + c.Source()
}

// mostOctets of text are in one transaction: etcd takes requests of 1.5 MiB.
const mostOctets = 1 << 20

// parts splits changes so that each part fits a transaction. Those of one group, a name and the records that say whose
// it is, are in one: what ExternalDNS finds without these it never changes again.
func parts(changes []store.Change, group func(store.Change) string) (all [][]store.Change) {
	groups := map[string][]store.Change{}
	for _, c := range changes {
		groups[group(c)] = append(groups[group(c)], c)
	}
	var part []store.Change
	octets := 0
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		more := 0
		for _, c := range groups[name] {
			more += len(c.Text)
		}
		if len(part) > 0 && (len(part)+len(groups[name]) > store.MaxChanges || octets+more > mostOctets) {
			all, part, octets = append(all, part), nil, 0
		}
		part, octets = append(part, groups[name]...), octets+more
	}
	if len(part) > 0 {
		all = append(all, part)
	}
	return all
}
