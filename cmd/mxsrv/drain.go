package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const drainExamples = `  mxsrv drain mx1 --for 2h               mx1 leaves the answers, and is back in 2 hours at the latest
  mxsrv drain mx1.example.com ldap1      two hosts, until mxsrv undrain
  mxsrv drain mx1 --dry-run              print what it would change, and whether that hides nothing
  mxsrv undrain mx1                      mx1 is back now

A drained host is hidden where another target of the same priority takes its place; where none does it stays, with the
warning drain-useless. A HOST without a dot is the one target that begins so. Each is a fragment of its own,
drain/HOST; with --for it is put under a lease, with which etcd deletes it. To drain again sets the time anew.

Exit status: 0 drained; 1 problems found, nothing is written; 2 usage or I/O error, or no such host.`

type drainFlags struct {
	storeFlags
	commitFlags
	in       string
	duration time.Duration
}

func (f *drainFlags) add(u *ui, c *cobra.Command) {
	c.Flags().StringVar(&f.in, "in", "", "the `FOLDER` below the prefix for drain/HOST, as where allow limits the keys of a user")
	f.commitFlags.add(u, c)
	f.storeFlags.add(c)
}

func drainCommand(u *ui) *cobra.Command {
	f := new(drainFlags)
	c := &cobra.Command{
		Use:     "drain HOST...",
		Short:   "Leave hosts out of answers, as for maintenance",
		Long:    "Leave hosts out of the answers of all servers on one etcd, as if a check had found them\ndown, for some time or until they are undrained.",
		Example: drainExamples,
	}
	c.RunE = func(_ *cobra.Command, args []string) error {
		if c.Flags().Changed("for") && f.duration < time.Second { // 0, too, which scripts may come to
			return hint.Add(fmt.Errorf("for %v: write at least 1s", f.duration), "--for 2h")
		}
		return f.drain(u, args)
	}
	c.Flags().DurationVar(&f.duration, "for", 0, "how long, after which etcd itself ends it (default until mxsrv undrain)")
	f.add(u, c)
	c.ValidArgsFunction = complete(func([]string, string) []string { return f.readFlags.owners(f.corefile, isHost) })
	return c
}

func (f *drainFlags) drain(u *ui, words []string) error {
	if len(words) == 0 {
		return hint.Add(errors.New("drain what? write at least one host"), "mxsrv drain mx1 --for 2h")
	}
	s, err := f.store()
	if err != nil {
		return err
	}
	if f.corefile == "" { // nothing is known that could be hidden
		s.Simulators[0].Options.Ignore = map[string]definition.Pos{"drain-useless": {}}
	}
	return f.end(u, f.open(u, s, func(entries []store.Entry, _ int64) error {
		hosts, err := f.hosts(s, entries, words)
		if err != nil {
			return err
		}
		changes, err := f.changes(s, entries, hosts)
		if err != nil {
			return err
		}
		if err := f.commit(u, s, entries, changes); err != nil {
			return err
		}
		f.noteEnd(u, hosts)
		return nil
	}))
}

// noteEnd notes when hosts are back.
func (f *drainFlags) noteEnd(u *ui, hosts []definition.Name) {
	if f.dryRun {
		return
	}
	if f.corefile == "" {
		u.note("what this hides is not known without the Corefile of the servers: see mxsrv status")
	}
	if f.duration > 0 {
		u.note("drained until %s, for %v: %s", time.Now().Add(f.duration).Format(time.DateTime), f.duration, listNames(hosts))
	}
}

func listNames(names []definition.Name) string {
	return firstOf(convert(names, func(n definition.Name) string { return plainName(n) }), ", and ")
}

// plainName returns a name without its final dot.
func plainName(n definition.Name) string { return strings.TrimSuffix(string(n), ".") }

// hosts returns the names that words mean, each once. Those of targets of mail domains and services are known.
func (f *drainFlags) hosts(s *store.Store, entries []store.Entry, words []string) (hosts []definition.Name, err error) {
	targets := targetHosts(s.Served(entries, nil))
	for _, word := range words {
		host, err := f.host(s, targets, word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts, nil
}

func (f *drainFlags) host(s *store.Store, targets []delivery.Host, word string) (definition.Name, error) {
	domain := "."
	if zones := s.Simulators[0].Zones.Forward(); len(zones) == 1 && (f.corefile != "" || len(f.zones) > 0) {
		domain = plainName(zones[0])
	}
	named, err := hostNamed(word, domain, targets)
	switch {
	case err == nil:
		word = named
	case f.corefile != "" && len(targets) > 0:
		return "", fmt.Errorf("%s: %v", word, err)
	case strings.Contains(word, "."):
	case domain == ".":
		return "", hint.Add(fmt.Errorf("%s: its zone is not known: write its whole name", word), "mxsrv drain %s.example.com", word)
	default:
		word += "." + domain
	}
	host, err := definition.ParseName(strings.TrimSuffix(word, ".")+".", ".")
	if err != nil {
		return "", fmt.Errorf("host %v", err)
	}
	return host, nil
}

// targetHosts returns what mail domains and services of servers point to, as plans have hosts.
func targetHosts(served []*definition.Index) (hosts []delivery.Host) {
	seen := definition.Names{".": true}
	for _, index := range served {
		add := func(host definition.Name) {
			if !seen[host] {
				seen[host] = true
				hosts = append(hosts, delivery.Host{Name: plainName(host), Addrs: index.At(host).Addrs()})
			}
		}
		for o := range index.Owners() {
			for _, e := range o.Exchanges() {
				add(e.Host)
			}
			for _, t := range o.Targets() {
				add(t.Host)
			}
		}
	}
	return hosts
}

// key returns the key of the fragment that drains a host.
func (f *drainFlags) key(s *store.Store, host string) (string, error) {
	name := "drain/" + host
	if folder := strings.Trim(f.in, "/"); folder != "" {
		name = folder + "/" + name
	}
	return s.ParseName(name)
}

// changes returns those that put the fragments of hosts.
func (f *drainFlags) changes(s *store.Store, entries []store.Entry, hosts []definition.Name) (changes []store.Change, err error) {
	for _, host := range hosts {
		fragment := change.Fragment{Text: "drain " + string(host) + "\n", Created: math.MaxInt64}
		if fragment.Key, err = f.key(s, plainName(host)); err != nil {
			return nil, err
		}
		before := store.Entry{}
		if i := slices.IndexFunc(entries, func(e store.Entry) bool { return e.Key == fragment.Key }); i >= 0 {
			before = entries[i]
			fragment.Created = before.Created
		}
		changes = append(changes, store.Change{Edit: change.Edit{Fragment: fragment}, Before: before, For: f.duration})
	}
	return changes, nil
}

const undrainExamples = `  mxsrv undrain mx1                      mx1 is back in the answers
  mxsrv undrain mx1.example.com ldap1    two hosts

Exit status: 0 undrained; 1 problems found, nothing is written; 2 usage or I/O error, or a host that is not drained.`

func undrainCommand(u *ui) *cobra.Command {
	f := new(drainFlags)
	c := &cobra.Command{
		Use:     "undrain HOST...",
		Short:   "Take drained hosts back into answers",
		Long:    "Take hosts back into answers that mxsrv drain has left out.",
		Example: undrainExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return f.undrain(u, args) },
	}
	f.add(u, c)
	return c
}

func (f *drainFlags) undrain(u *ui, words []string) error {
	s, err := f.store()
	if err != nil {
		return err
	}
	return f.end(u, f.open(u, s, func(entries []store.Entry, _ int64) error {
		folder, err := f.key(s, "")
		if err != nil {
			return err
		}
		drained := filter(entries, func(e store.Entry) bool { return strings.HasPrefix(e.Key, folder) })
		hosts := convert(drained, func(e store.Entry) delivery.Host {
			return delivery.Host{Name: strings.TrimPrefix(e.Key, folder)}
		})
		if len(words) == 0 {
			return undrainWhat(hosts, folder)
		}
		var changes []store.Change
		for _, word := range words {
			host, err := hostNamed(word, ".", hosts)
			if err != nil {
				return cmp.Or(drainedBy(s.Served(entries, nil), word), noneDrained(hosts, folder), fmt.Errorf("%s: %v", word, err))
			}
			i := slices.IndexFunc(hosts, func(h delivery.Host) bool { return h.Name == host })
			if c := deletion(drained[i]); !slices.Contains(changes, c) {
				changes = append(changes, c)
			}
		}
		return f.commit(u, s, entries, changes)
	}))
}

func undrainWhat(hosts []delivery.Host, folder string) error {
	if err := noneDrained(hosts, folder); err != nil {
		return err
	}
	return hint.Add(errors.New("undrain what? write at least one host"), "mxsrv undrain %s", hosts[0].Name)
}

func noneDrained(hosts []delivery.Host, folder string) error {
	if len(hosts) > 0 {
		return nil
	}
	return fmt.Errorf("no host is drained below %s: there is nothing to undrain", folder)
}

// drainedBy returns the error that a line drains the host that a word means, by its name or its first label, or nil.
func drainedBy(served []*definition.Index, word string) error {
	word = strings.TrimSuffix(word, ".")
	for _, index := range served {
		for _, d := range index.Set.Drains {
			name := plainName(d.Owner)
			if first, _, _ := strings.Cut(name, "."); strings.EqualFold(word, name) || strings.EqualFold(word, first) {
				return fmt.Errorf("%s is drained by a line, %v: delete it there", name, d.Pos)
			}
		}
	}
	return nil
}
