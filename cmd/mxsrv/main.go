// Command mxsrv shows what MX and SRV definitions do before they are served, and what the answers of a running DNS
// server make clients do. It also reads, writes and watches definitions in etcd. "mxsrv --help" has examples of each
// command.
//
// # Exit status
//
//	0  success: no errors, mail is delivered, a client finds a target
//	1  problems found: errors (or, with --strict, warnings), mail that waits, bounces or has an unknown way, no target
//	   that is up, files that fmt -d would change; nothing is written to etcd
//	2  usage or I/O error: wrong arguments, a file that cannot be read, definitions with errors (for route, pick and
//	   render), a server that does not answer
//
// register with a command ends with the exit status of that.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const (
	exitOK       = 0
	exitFindings = 1
	exitError    = 2
)

// errFindings ends a command that has printed what is wrong.
var errFindings = errors.New("problems found")

// run runs a command line and returns its exit status.
func run(args []string, stdout, stderr io.Writer) int {
	u := newUI(stdout, stderr)
	root := rootCommand(u)
	root.SetArgs(args)
	root.SetOut(u.out)
	root.SetErr(stderr)
	err := root.Execute()
	if failed := u.output.end(err == nil || errors.Is(err, errFindings)); failed != nil {
		err = failed
	}
	return exit(u, err)
}

// exit prints an error, and returns the exit status that it means.
func exit(u *ui, err error) int {
	var status exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, errFindings):
		return exitFindings
	default:
		u.failed(err)
		return exitError
	}
}

func rootCommand(u *ui) *cobra.Command {
	root := &cobra.Command{
		Use:               "mxsrv",
		Short:             "Shows what MX and SRV definitions do, and what a running server makes clients do",
		Long:              "mxsrv shows what MX and SRV definitions do before they are served, and what the answers of a\nrunning DNS server make clients do.",
		Example:           rootExamples,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              refuseUnknown,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(checkCommand(u), fmtCommand(u), renderCommand(u), routeCommand(u), pickCommand(u), importCommand(u),
		putCommand(u), getCommand(u), deleteCommand(u), watchCommand(u), registerCommand(u), webhookCommand(u), drainCommand(u), undrainCommand(u),
		statusCommand(u), exampleCommand(u), completionCommand(u), versionCommand(u))
	for _, c := range root.Commands() {
		refuseRepeats(c)
	}
	u.wrapHelp(root)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return hint.Add(err, "%s --help", c.CommandPath())
	})
	return root
}

const rootExamples = `  mxsrv example > Corefile              a Corefile to begin with
  mxsrv check                           is the Corefile here right?
  mxsrv fmt -w Corefile *.conf          bring definitions into canonical form
  mxsrv route user@example.com          which host gets this mail, and why?
  mxsrv route user@example.com --from mx2 --down mx1
                                        and what does mx2 do while mx1 is down?
  mxsrv pick _ldap._tcp.example.com     how is the load shared?
  mxsrv render --format svg > mail.svg  who gets what, and what backs up what?
  mxsrv import db.example.com           convert a zone file to definitions
  mxsrv put mail.conf                   write definitions to etcd, unless servers would exclude them
  mxsrv get                             print what is in etcd, and what servers exclude of it
  mxsrv drain mx1 --for 2h              leave a host out of answers, until its maintenance is over
  mxsrv status --corefile Corefile      probe the targets that are checked: what is up, what is hidden?

Exit status: 0 success; 1 problems found; 2 usage or I/O error.`

// refuseUnknown refuses a word that is no command, and suggests one that is spelled like it.
func refuseUnknown(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	commands := filter(c.Commands(), func(sub *cobra.Command) bool { return sub.Name() != "help" })
	names := convert(commands, (*cobra.Command).Name)
	err := fmt.Errorf("%q is no command: write one of %s", args[0], strings.Join(names, ", "))
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return hint.Add(err, "mxsrv %s", strings.Join(append(near[:1], args[1:]...), " "))
	}
	return hint.Add(err, "mxsrv --help")
}

// single are the flags that name the one thing to read, ask or write: of several values the last would hide the others.
var single = []string{"block", "config", "corefile", "file", "from", "in", "listen", "metrics", "name", "output", "prefix", "root", "server", "zone"}

// refuseRepeats makes the second value of such a flag an error, unless the command takes several.
func refuseRepeats(c *cobra.Command) {
	for _, name := range single {
		if f := c.Flags().Lookup(name); f != nil && f.Value.Type() == "string" {
			f.Value = &once{value: f.Value}
		}
	}
}

// once is the value of a flag that is given once.
type (
	once struct {
		value
		given bool
	}
	value interface {
		String() string
		Set(string) error
		Type() string
	}
)

func (o *once) Set(text string) error {
	if o.given && text != o.String() { // cobra reads flags twice to complete a word
		return fmt.Errorf("%q is given already: write one of them", o.String())
	}
	o.given = true
	return o.value.Set(text)
}

// oneArg refuses any number of arguments but one, which is a kind of thing.
func oneArg(kind, example string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return hint.Add(fmt.Errorf("%s takes one %s, not %d arguments", c.Name(), kind, len(args)), "%s %s", c.CommandPath(), example)
	}
}
