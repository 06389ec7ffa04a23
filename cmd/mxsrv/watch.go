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
  mxsrv watch --json | jq -r .key        a line of JSON for each

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
	u.addJSON(c)
	f.add(c)
	c.ValidArgsFunction = complete(f.fragmentNames)
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
				newEvent(e).print(u)
			}
			if u.output.err != nil { // nobody reads what comes
				stop()
			}
		},
	})
}

// An event is a change of a fragment as watch prints it. It is its own JSON.
type event struct {
	Key     string    `json:"key"`
	Change  string    `json:"change"` // created, changed or deleted
	At      int64     `json:"revision"`
	Time    time.Time `json:"time"` // of this machine
	Created int64     `json:"created"`
	Lease   string    `json:"lease,omitempty"` // in hexadecimal, as for etcdctl
	Text    string    `json:"text"`            // as it is now, or as it was before it was deleted
}

func newEvent(e store.Event) event {
	change := event{Key: e.Key, Change: "changed", At: e.At, Time: time.Now(), Created: e.Created, Text: e.Text}
	switch {
	case e.Deleted:
		change.Change = "deleted"
	case e.At == e.Created:
		change.Change = "created"
	}
	if e.Lease != 0 {
		change.Lease = fmt.Sprintf("%x", e.Lease)
	}
	return change
}

var changeColor = map[string]color{"created": green, "changed": yellow, "gone": red}

// print prints a fragment as it is now, or as a comment if it was deleted; or a line of JSON.
func (e event) print(u *ui) {
	if u.asJSON {
		u.jsonLine(e)
		return
	}
	text, how, lease := printable(strings.TrimRight(e.Text, "\n")), e.Change, ""
	if how == "deleted" {
		text, how = "# "+strings.ReplaceAll(text, "\n", "\n# "), "gone"
	}
	if e.Lease != "" {
		lease = ", lease " + e.Lease
	}
	u.line("%s%s, revision %d%s, %s: %s\n%s", mark, printableKey(e.Key), e.At, lease, e.Time.Format(time.RFC3339),
		u.paint(changeColor[how], how), text)
}
