package main

import (
	"context"
	"errors"
	"fmt"
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const deleteExamples = `  mxsrv delete mail                      one fragment
  mxsrv delete customers/example.com customers/old/
                                         one, and those in a folder
  mxsrv delete --force hosts             even if others point to what it declares

Nothing is deleted if servers would then leave out another fragment. A fragment that an instance registers
comes back as long as the instance lives.

Exit code: 0 if it is deleted, 1 if not, 2 if it cannot be told: there is no such name, or no answer.`

// deleting is what the command line says of what to delete.
type deleting struct {
	storing
	force bool
}

func deleteCommand(u *ui) *cobra.Command {
	d := new(deleting)
	c := &cobra.Command{
		Use:     "delete NAME|FOLDER/...",
		Short:   "Delete definitions from etcd, if the rest can do without",
		Long:    "Delete definitions from etcd, if the rest can do without.",
		Example: deleteExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return d.run(u, args) },
	}
	c.Flags().BoolVar(&d.force, "force", false, "delete all the same")
	d.storing.flags(c)
	return c
}

func (d *deleting) run(u *ui, names []string) error {
	if len(names) == 0 {
		return withHint(errors.New("delete what? write at least one name"), "mxsrv get, to see them")
	}
	s, err := d.open()
	if err != nil {
		return err
	}
	defer s.close()
	all, _, err := s.list(context.Background())
	if err != nil {
		return err
	}
	chosen, err := s.choose(all, names)
	if err != nil {
		return err
	}
	var changes []change
	for _, k := range chosen {
		changes = append(changes, change{plugchange.Edit{Fragment: k.Fragment, Gone: true}, k.changed})
		if k.lease != 0 {
			u.note("%s is held by an instance, under lease %x: if that lives it comes back", k.Key, k.lease)
		}
	}
	return s.change(u, all, changes, d.force)
}

// withdrawn lists what goes with a fragment, the first few of many.
func (s *store) withdrawn(f plugchange.Fragment) string {
	const few = 4
	var words []string
	for _, c := range s.critics {
		set, _ := definition.Read(f.Source(), f.Text, c.zones)
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
	more := ""
	if n := len(words) - few; n > 0 {
		words, more = words[:few], fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(words, ", ") + more
}

// kinds returns what a name is declared as.
func kinds(o definition.Owner) (words []string) {
	if len(o.Hosts()) > 0 {
		words = append(words, "host")
	}
	if len(o.Mails()) > 0 {
		words = append(words, "mail")
	}
	if len(o.Services()) > 0 {
		words = append(words, "service")
	}
	if len(o.Aliases()) > 0 {
		words = append(words, "alias")
	}
	return words
}
