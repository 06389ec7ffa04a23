package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
)

const watchExamples = `  mxsrv watch                            all changes as they come, until interrupted
  mxsrv watch mail customers/            those of one fragment, and of a folder

A lost connection is made again, and the changes in between are printed then.

Exit status: 0 interrupted; 2 usage or I/O error, or etcd does not answer at the start.`

func watchCommand(u *ui) *cobra.Command {
	f := new(storeFlags)
	c := &cobra.Command{
		Use:     "watch [NAME|FOLDER/...]",
		Short:   "Print the changes of the definitions in etcd as they come",
		Long:    "Print the changes of the definitions in etcd as they come.",
		Example: watchExamples,
		RunE:    func(_ *cobra.Command, names []string) error { return f.watch(u, names) },
	}
	f.add(c)
	return c
}

func (f *storeFlags) watch(u *ui, names []string) error {
	s, err := f.store()
	if err != nil {
		return err
	}
	keys, err := s.ParseNames(names)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return s.Watch(ctx, store.Watcher{
		Started: func(revision int64) { u.note("watching %s from revision %d on", s.Prefix, revision) },
		Failed:  func(err error) { u.note("%v: trying again", err) },
		Changed: func(e store.Event) {
			if s.Selected(e.Key, keys) {
				printEvent(u, e)
			}
			if u.output.err != nil { // nobody reads what comes
				stop()
			}
		},
	})
}

// printEvent prints a fragment as it is now, or as a comment if it was deleted.
func printEvent(u *ui, e store.Event) {
	text, how := printable(strings.TrimRight(e.Text, "\n")), u.paint(yellow, "changed")
	switch {
	case e.Deleted:
		text, how = "# "+strings.ReplaceAll(text, "\n", "\n# "), u.paint(red, "gone")
	case e.At == e.Created:
		how = u.paint(green, "created")
	}
	lease := ""
	if e.Lease != 0 {
		lease = fmt.Sprintf(", lease %x", e.Lease)
	}
	u.line("%s%s, revision %d%s, %s: %s\n%s", mark, printableKey(e.Key), e.At, lease, time.Now().Format(time.RFC3339), how, text)
}
