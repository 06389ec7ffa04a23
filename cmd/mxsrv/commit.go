package main

import (
	"cmp"
	"errors"
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

// commitFlags say whether changes are made, and keep what is printed of them as JSON.
type commitFlags struct {
	force, dryRun bool
	report        commitReport
}

func (f *commitFlags) add(u *ui, c *cobra.Command) {
	c.Flags().BoolVar(&f.force, "force", false, "make the changes in any case")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "change nothing, and print what would be changed")
	u.addJSON(c)
}

// The JSON of changes.
type (
	commitReport struct {
		Changes  []madeChange  `json:"changes"`
		Findings []jsonFinding `json:"findings"`
	}
	madeChange struct {
		Key       string   `json:"key"`
		Change    string   `json:"change"`              // created, changed, unchanged or deleted
		Revision  int64    `json:"revision,omitempty"`  // none if it is not written
		Withdraws []string `json:"withdraws,omitempty"` // names that no server has any more, and what they were
		Alters    []string `json:"alters,omitempty"`    // names that have other records then
	}
)

// newChange returns a change that is not made yet.
func newChange(c store.Change) madeChange {
	switch {
	case c.Gone:
		return madeChange{Key: c.Key, Change: "deleted"}
	case c.Before.Revision == 0:
		return madeChange{Key: c.Key, Change: "created"}
	}
	return madeChange{Key: c.Key, Change: "changed"}
}

func (c madeChange) String() string {
	if c.Change != "deleted" {
		return fmt.Sprintf("put %s: %s, revision %d", c.Key, c.Change, c.Revision)
	}
	text := fmt.Sprintf("delete %s: deleted, revision %d: withdraws ", c.Key, c.Revision)
	if text += firstOf(c.Withdraws, " and "); c.Withdraws == nil {
		text += "nothing"
	}
	if c.Alters != nil {
		text += "; changes " + firstOf(c.Alters, " and ")
	}
	return text
}

// print prints a change that is made, or keeps it for end.
func (f *commitFlags) print(u *ui, c madeChange) {
	if u.asJSON {
		f.report.Changes = append(f.report.Changes, c)
		return
	}
	u.line("%v", c)
}

// end prints the JSON, also of a part of the changes, and returns the error that the command ends with.
func (f *commitFlags) end(u *ui, err error) error {
	if !u.asJSON || err != nil && !errors.Is(err, errFindings) && f.report.Changes == nil {
		return err
	}
	r := commitReport{append([]madeChange{}, f.report.Changes...), append([]jsonFinding{}, f.report.Findings...)}
	return cmp.Or(u.json(r), err)
}

// commit makes changes if no server would then exclude any of them, or what it serves now; or if it is forced.
func (f *commitFlags) commit(u *ui, s *store.Store, entries []store.Entry, changes []store.Change) error {
	if len(changes) == 0 {
		return nil
	}
	var findings []lint.Finding
	u.during(checking(changes), func() { findings = unique(s.Consequences(entries, changes)) })
	f.report.Findings = findingsJSON(findings)
	refused := count(findings, lint.Error) > 0 && !f.force
	switch {
	case !u.asJSON:
		u.findings(findings)
		if f.dryRun {
			printDiffs(u, changes)
		}
	case refused || f.dryRun:
		f.report.Changes = append(f.report.Changes, convert(changes, newChange)...)
	}
	switch {
	case refused:
		u.note("nothing is written because of %s; --force writes in any case", plural(count(findings, lint.Error), "error"))
		return errFindings
	case f.dryRun:
		u.note("nothing is written: it is a dry run")
		return nil
	}
	var of effects
	u.during(checking(changes), func() { of = newEffects(s, entries, changes) })
	for part := range slices.Chunk(changes, store.MaxChanges) {
		if err := f.commitPart(u, s, part, of); err != nil {
			return err
		}
	}
	return nil
}

func checking(changes []store.Change) func() string {
	return doing("checking %s", plural(len(changes), "change"))
}

// commitPart makes changes in one transaction, and prints them.
func (f *commitFlags) commitPart(u *ui, s *store.Store, changes []store.Change, of effects) error {
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
		made := newChange(c)
		made.Revision = revision
		if c.Gone {
			made.Withdraws, made.Alters = of.deletion(c.Fragment)
		}
		f.print(u, made)
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

// deletion returns what servers serve no more once a fragment is deleted, and what they serve otherwise. What others
// declare too is neither.
func (of effects) deletion(f change.Fragment) (withdrawn, altered []string) {
	for _, e := range of {
		set, _ := definition.Read(f.Source(), f.Text, e.zones)
		for o := range set.Index().Owners() {
			gone, changed := e.kinds(o)
			withdrawn, altered = addName(withdrawn, gone, o.Name()), addName(altered, changed, o.Name())
		}
	}
	return withdrawn, altered
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
