package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
)

const deleteExamples = `  mxsrv delete mail                      one fragment
  mxsrv delete customers/example.com customers/old/
                                         one, and those in a folder
  mxsrv delete --dry-run hosts           print what it would delete, and what servers would exclude then
  mxsrv delete --json hosts | jq -r '.changes[].withdraws[]'
  mxsrv delete --force hosts             even if others point to what it declares

Nothing is deleted if servers would then exclude another fragment. A fragment that an instance registers comes back
as long as the instance runs.

Exit status: 0 deleted; 1 problems found, nothing is deleted; 2 usage or I/O error, or no such name.`

type deleteFlags struct {
	storeFlags
	commitFlags
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
	f.commitFlags.add(u, c)
	f.storeFlags.add(c)
	c.ValidArgsFunction = complete(f.fragmentNames)
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
	return f.end(u, f.open(u, s, func(entries []store.Entry, _ int64) error {
		selected, err := s.Select(entries, names)
		if err != nil {
			return err
		}
		for _, e := range filter(selected, func(e store.Entry) bool { return e.Lease != 0 }) {
			u.note("%s is held by an instance, under lease %x: if that runs it comes back", e.Key, e.Lease)
		}
		return f.commit(u, s, entries, convert(selected, deletion))
	}))
}

func deletion(e store.Entry) store.Change {
	return store.Change{Edit: change.Edit{Fragment: e.Fragment, Gone: true}, Before: e}
}
