package webhook

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// An adjustment is of what ExternalDNS wishes to what servers serve.
type adjustment struct {
	*Provider
	*content
	wished  map[definition.Name][]Endpoint // what remains of it
	refused map[definition.Name]map[identity]lint.Finding
	about   []string // the findings
}

// Adjust returns the endpoints that ExternalDNS wishes without those that servers would exclude. One of which an older
// version is in etcd is replaced by that: it stays as it is.
func (p *Provider) Adjust(ctx context.Context, endpoints []Endpoint) ([]Endpoint, error) {
	c, end, err := p.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	a := &adjustment{p, c, map[definition.Name][]Endpoint{}, map[definition.Name]map[identity]lint.Finding{}, nil}
	for _, e := range endpoints {
		if name, err := e.name(); err == nil {
			a.wished[name] = with(a.wished[name], e)
		}
	}
	a.judge()
	adjusted := a.keep(endpoints)
	p.report(a.about, len(endpoints))
	return adjusted, nil
}

// report notes what is refused, if it is not the same as before.
func (p *Provider) report(about []string, of int) {
	slices.Sort(about)
	about = slices.Compact(about)
	p.metrics.refused.Set(float64(len(about)))
	if text := strings.Join(about, "\n"); text != p.refused {
		p.refused = text
		for _, line := range about {
			p.Note("not served: %s", line)
		}
		if text == "" {
			p.Note("all of %d endpoints are served", of)
		}
	}
}

// mostRounds bounds how often what remains is judged again: what is refused may have excluded others.
const mostRounds = 10

// judge refuses what is wrong by itself, and then what is wrong together with all that there is.
func (a *adjustment) judge() {
	changes := map[definition.Name]store.Change{}
	for name, endpoints := range a.wished {
		if one := a.alone(name, endpoints); one != nil {
			changes[name] = *one
		}
	}
	for range mostRounds {
		if len(changes) == 0 || !a.together(changes) {
			return
		}
	}
}

// together refuses the names that servers exclude, or that make them exclude others. It reports whether there are any.
func (a *adjustment) together(changes map[definition.Name]store.Change) bool {
	all := slices.SortedFunc(maps.Values(changes), func(x, y store.Change) int { return strings.Compare(x.Key, y.Key) })
	excluded, wrong := a.Store.Exclusions(a.entries, all), map[definition.Name]lint.Finding{}
	for _, key := range slices.Sorted(maps.Keys(excluded)) {
		at := definition.Name(strings.TrimPrefix(key, a.Folder) + ".")
		if one, ok := changes[at]; ok && one.Key == key {
			wrong[at] = excluded[key][0]
			continue
		}
		for _, why := range excluded[key] { // others lose a name because of what it points to
			for _, name := range why.Names {
				if _, ok := changes[name]; ok {
					wrong[name] = why
				}
			}
		}
	}
	for name, why := range wrong {
		delete(changes, name)
		for _, e := range a.wished[name] {
			a.refuse(name, e, why)
		}
	}
	return len(wrong) > 0
}

// alone returns the change of a name to the endpoints that are right by themselves, nil if there is none. Of the
// others, what is in etcd remains.
func (a *adjustment) alone(name definition.Name, endpoints []Endpoint) *store.Change {
	one, why := a.try(name, endpoints)
	if why == nil {
		return one
	}
	var right []Endpoint
	for _, e := range endpoints {
		if _, why = a.try(name, with(right, e)); why == nil {
			right = with(right, e)
			continue
		}
		a.refuse(name, e, why[0])
		if there, ok := find(a.ours[name].endpoints, e.identity()); ok {
			right = with(right, there)
		}
	}
	if one, why = a.try(name, right); why != nil {
		return nil // Apply will say so
	}
	return one
}

// try returns the change of a name to endpoints, or what is wrong with it whatever else is declared.
func (a *adjustment) try(name definition.Name, endpoints []Endpoint) (*store.Change, []lint.Finding) {
	one, why := a.change(a.content, name, endpoints)
	if one != nil && !one.Gone {
		why = a.Store.CheckAlone(one.Fragment)
	}
	return one, why
}

func (a *adjustment) refuse(name definition.Name, e Endpoint, why lint.Finding) {
	if a.refused[name] == nil {
		a.refused[name] = map[identity]lint.Finding{}
	}
	a.refused[name][e.identity()] = why
}

// keep returns endpoints but those that are refused, of which the versions in etcd remain.
func (a *adjustment) keep(endpoints []Endpoint) []Endpoint {
	kept := []Endpoint{}
	for _, e := range endpoints {
		name, err := e.name()
		if err != nil {
			a.about = append(a.about, lint.Lines(wrong(definition.Syntax, definition.Name(e.DNSName), err.Error()), lint.Error)...)
			continue
		}
		why, refused := a.refused[name][e.identity()]
		if refused {
			a.about = append(a.about, e.RecordType+" "+why.String())
			there, ok := find(a.ours[name].endpoints, e.identity())
			if !ok {
				continue
			}
			there.Labels = e.Labels
			e = there
		}
		kept = append(kept, e.canonical())
	}
	return kept
}
