package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const deleteExamples = `  mxsrv delete mail                      one fragment
  mxsrv delete customers/example.com customers/old/
                                         one, and those in a folder
  mxsrv delete --force hosts             even if others point to what it declares

Nothing is deleted if servers would then exclude another fragment. A fragment that an instance registers comes back
as long as the instance runs.

Exit status: 0 deleted; 1 problems found, nothing is deleted; 2 usage or I/O error, or no such name.`

type deleteFlags struct {
	storeFlags
	force bool
}

func deleteCommand(u *ui) *cobra.Command {
	f := new(deleteFlags)
	c := &cobra.Command{
		Use:     "delete NAME|FOLDER/...",
		Short:   "Delete definitions from etcd, unless others need them",
		Long:    "Delete definitions from etcd, after checking that no server would exclude others then.",
		Example: deleteExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, args) },
	}
	c.Flags().BoolVar(&f.force, "force", false, "delete in any case")
	f.storeFlags.add(c)
	return c
}

func (f *deleteFlags) run(u *ui, names []string) error {
	if len(names) == 0 {
		return hint.Add(errors.New("delete what? write at least one name"), "mxsrv get, to see them")
	}
	s, err := f.store()
	if err != nil {
		return err
	}
	entries, _, err := s.Open(context.Background())
	defer s.Close()
	if err != nil {
		return err
	}
	selected, err := s.Select(entries, names)
	if err != nil {
		return err
	}
	var changes []store.Change
	for _, e := range selected {
		changes = append(changes, deletion(e))
		if e.Lease != 0 {
			u.note("%s is held by an instance, under lease %x: if that runs it comes back", e.Key, e.Lease)
		}
	}
	return commit(u, s, entries, changes, f.force)
}

func deletion(e store.Entry) store.Change {
	return store.Change{Edit: change.Edit{Fragment: e.Fragment, Gone: true}, Before: e.Revision}
}

// withdrawn lists what a fragment declares.
func withdrawn(s *store.Store, f change.Fragment) string {
	var words []string
	for _, sim := range s.Simulators {
		set, _ := definition.Read(f.Source(), f.Text, sim.Zones)
		for o := range set.Index().Owners() {
			word := strings.Join(append(kinds(o), string(o.Name())), " ")
			if len(kinds(o)) > 0 && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	if len(words) == 0 {
		return "nothing that is declared"
	}
	return firstOf(words, " and ")
}

// kinds returns what a name is declared as.
func kinds(o definition.Owner) (words []string) {
	for _, kind := range []struct {
		word     string
		declared int
	}{
		{"host", len(o.Hosts())}, {"mail", len(o.Mails())}, {"service", len(o.Services())}, {"alias", len(o.Aliases())},
	} {
		if kind.declared > 0 {
			words = append(words, kind.word)
		}
	}
	return words
}
