package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// commitFlags say whether changes are made.
type commitFlags struct{ force, dryRun bool }

func (f *commitFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.force, "force", false, "make the changes in any case")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "change nothing, and print what would be changed")
}

// commit makes changes if no server would then exclude any of them, or what it serves now; or if it is forced.
func (f commitFlags) commit(u *ui, s *store.Store, entries []store.Entry, changes []store.Change) error {
	if len(changes) == 0 {
		return nil
	}
	findings := unique(s.Consequences(entries, changes))
	u.findings(findings)
	if f.dryRun {
		printDiffs(u, changes)
	}
	switch n := count(findings, lint.Error); {
	case n > 0 && !f.force:
		u.note("nothing is written because of %s; --force writes in any case", plural(n, "error"))
		return errFindings
	case f.dryRun:
		u.note("nothing is written: it is a dry run")
		return nil
	}
	effects := newEffects(s, entries, changes)
	for part := range slices.Chunk(changes, store.MaxChanges) {
		if err := commitPart(u, s, part, effects); err != nil {
			return err
		}
	}
	return nil
}

// commitPart makes changes in one transaction, and prints them.
func commitPart(u *ui, s *store.Store, changes []store.Change, of effects) error {
	revision, conflicts, err := s.Commit(changes)
	if err != nil {
		return err
	}
	for _, key := range conflicts {
		u.note("%s was changed by somebody else just now: look at it, and try again", key)
	}
	if conflicts != nil {
		return errFindings
	}
	for _, c := range changes {
		switch {
		case c.Gone:
			u.line("delete %s: deleted, revision %d: %s", c.Key, revision, of.deletion(c.Fragment))
		case c.Before.Revision == 0:
			u.line("put %s: created, revision %d", c.Key, revision)
		default:
			u.line("put %s: changed, revision %d", c.Key, revision)
		}
	}
	return nil
}

// printDiffs prints what changes do to the fragments that are there.
func printDiffs(u *ui, changes []store.Change) {
	for _, c := range changes {
		from, to, old, text := "/dev/null", "/dev/null", "", ""
		if c.Before.Revision != 0 {
			from, old = fmt.Sprintf("%s, revision %d", printableKey(c.Key), c.Before.Revision), printable(c.Before.Text)
		}
		if !c.Gone {
			to, text = printableKey(c.Key), printable(c.Text)
		}
		u.diff(from, old, to, text)
	}
}

// effects are what the server blocks of a store serve before and after some changes.
type effects []effect

type effect struct {
	zones         definition.Zones // of relative names
	before, after *table.Table
}

// newEffects returns the effects of changes. They are for deletions: without any, there are none.
func newEffects(s *store.Store, entries []store.Entry, changes []store.Change) (of effects) {
	if !slices.ContainsFunc(changes, func(c store.Change) bool { return c.Gone }) {
		return nil
	}
	before, after := s.Served(entries, nil), s.Served(entries, changes)
	for i, sim := range s.Simulators {
		opt := table.Options{Zones: sim.Options.Zones}
		of = append(of, effect{sim.Zones, table.Compile(before[i], opt), table.Compile(after[i], opt)})
	}
	return of
}

// deletion says what servers serve no more once a fragment is deleted, and what they serve otherwise, the first few of
// many. What others declare too is neither.
func (of effects) deletion(f change.Fragment) string {
	var gone, changed []string
	for _, e := range of {
		set, _ := definition.Read(f.Source(), f.Text, e.zones)
		for o := range set.Index().Owners() {
			g, c := e.kinds(o)
			gone, changed = addName(gone, g, o.Name()), addName(changed, c, o.Name())
		}
	}
	if gone == nil {
		gone = []string{"nothing"}
	}
	text := "withdraws " + firstOf(gone, " and ")
	if changed != nil {
		text += "; changes " + firstOf(changed, " and ")
	}
	return text
}

// kinds returns the kinds of an owner of which no records are left, and those of which there are others.
func (e effect) kinds(o definition.Owner) (gone, changed []string) {
	for _, k := range kindsOf(o) {
		var before, after []string
		for _, qtype := range k.qtypes {
			_, b := e.before.Lookup(string(o.Name()), qtype)
			_, a := e.after.Lookup(string(o.Name()), qtype)
			before, after = append(before, rdata(b.RRs)...), append(after, rdata(a.RRs)...)
		}
		switch {
		case len(before) > 0 && len(after) == 0:
			gone = append(gone, k.word)
		case !slices.Equal(before, after):
			changed = append(changed, k.word)
		}
	}
	return gone, changed
}

// addName appends a name with its kinds, if there are any and it is not there yet.
func addName(names, kinds []string, name definition.Name) []string {
	if whole := strings.Join(append(kinds, string(name)), " "); len(kinds) > 0 && !slices.Contains(names, whole) {
		return append(names, whole)
	}
	return names
}
