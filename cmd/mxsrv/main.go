// Command mxsrv tells what MX and SRV definitions will do, before they are
// served, and what a DNS server that is running makes clients do; and it writes
// definitions to etcd and reads them there. See "mxsrv --help", which teaches by
// examples.
//
// # Exit codes
//
//	0  it is fine: no errors, the mail is delivered, a client finds a target
//	1  it is not: there are errors (or, with --strict, warnings), the mail
//	   waits or bounces or its way is not known, no client finds a target,
//	   nothing is written to etcd
//	2  it cannot be told: wrong usage, a file that is not there, definitions with
//	   errors, a server that does not answer
//
// With a command to run, register ends as that does.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const (
	fine     = 0
	notFine  = 1
	notKnown = 2
)

// errNotFine ends a command that has said what is not fine.
var errNotFine = errors.New("not fine")

// commands are the subcommands, a file for each.
var commands = []func(*ui) *cobra.Command{
	checkCommand,
	renderCommand,
	routeCommand,
	pickCommand,
	importCommand,
	putCommand,
	getCommand,
	deleteCommand,
	watchCommand,
	registerCommand,
	completionCommand,
}

// run runs a command line and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	u := newUI(stdout, stderr)
	root := &cobra.Command{
		Use:               "mxsrv",
		Short:             "Tells what MX and SRV definitions will do, and what a running server does",
		Long:              "mxsrv tells what MX and SRV definitions will do, before they are served, and what\na DNS server that is running makes clients do.",
		Example:           rootExamples,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              known,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, command := range commands {
		root.AddCommand(command(u))
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return withHint(err, "%s --help", c.CommandPath())
	})
	exit := ending(0)
	switch err := root.Execute(); {
	case err == nil:
		return fine
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, errNotFine):
		return notFine
	default:
		u.failed(err)
		return notKnown
	}
}

const rootExamples = `  mxsrv check                           is the Corefile here right?
  mxsrv route user@example.com          which host gets this mail, and why?
  mxsrv route user@example.com --from mx2 --down mx1
                                        and what does mx2 do while mx1 is down?
  mxsrv pick _ldap._tcp.example.com     how is the load shared?
  mxsrv render --format svg > mail.svg  who gets what, and what is backed up by whom?
  mxsrv import db.example.com           what is this zone file in definitions?
  mxsrv put mail.conf                   write definitions to etcd, if servers would serve them
  mxsrv get                             and what is in etcd, and what do servers leave out of it?

Exit codes: 0 it is fine; 1 it is not: errors, mail that is not delivered, a
service without target, nothing written; 2 it cannot be told: wrong usage, no such file or answer.`

// known refuses a word that is no command, with those that look alike.
func known(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("%q is no command: write one of %s", args[0], strings.Join(names(c), ", "))
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return withHint(err, "mxsrv %s", strings.Join(append(near[:1], args[1:]...), " "))
	}
	return withHint(err, "mxsrv --help")
}

func names(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.Name() != "help" {
			names = append(names, sub.Name())
		}
	}
	return names
}

// one refuses any number of arguments but one; what says what it is.
func one(what, example string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return withHint(fmt.Errorf("%s takes one %s, not %d arguments", c.Name(), what, len(args)), "%s %s", c.CommandPath(), example)
	}
}

// A hinted error knows what to type instead.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func withHint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}
