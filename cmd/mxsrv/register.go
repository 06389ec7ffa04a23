package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
)

const registerExamples = `  mxsrv register "host ldap1 192.0.2.41" "service _ldap._tcp 0 6 389 ldap1"
                                         until interrupted; then it is withdrawn
  mxsrv register -f ldap.conf --check "nc -z 127.0.0.1 389"
                                         and withdrawn while the check fails
  mxsrv register "host web1 192.0.2.51" -- nginx -g "daemon off;"
                                         for as long as a command runs

The definitions are put under a lease: if this program or its machine dies or is cut off, etcd deletes them after the
TTL. The key is HOSTNAME/NAME, with the first name that is declared; --name sets another. If another instance holds
the key under a lease, this one takes it over if it has the same text, and waits until the key is free if not; the
instance that loses the key waits, too.

Exit status: 0 interrupted, and withdrawn; 1 errors in the definitions, or not withdrawn; 2 usage or I/O error, or etcd
refuses the user. With a command it is that of the command, or 128 and the number of the signal that ended it.`

type registerFlags struct {
	storeFlags
	fragmentName, file string
	ttl                time.Duration
	force              bool
	liveness           liveness
}

func registerCommand(u *ui) *cobra.Command {
	f := new(registerFlags)
	c := &cobra.Command{
		Use:     "register LINE... [-- COMMAND...]",
		Short:   "Keep definitions in etcd for as long as this runs",
		Long:    "Keep the definitions of an instance in etcd for as long as this runs.",
		Example: registerExamples,
		RunE: func(c *cobra.Command, args []string) error {
			lines, command := args, []string(nil)
			if i := c.ArgsLenAtDash(); i >= 0 {
				lines, command = args[:i], args[i:]
			}
			return f.run(u, lines, command)
		},
	}
	flags := c.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "the `FILE` with the definitions, - for standard input")
	flags.StringVar(&f.fragmentName, "name", "", "the `NAME` of the fragment (default HOSTNAME/ and the first name that is declared)")
	flags.DurationVar(&f.ttl, "ttl", 10*time.Second, "how long the definitions stay when this is dead or cut off, in whole seconds")
	flags.StringVar(&f.liveness.command, "check", "", "a `COMMAND` for sh that succeeds if the instance is healthy")
	flags.DurationVar(&f.liveness.interval, "interval", 5*time.Second, "the time between checks, and how long one may take")
	flags.IntVar(&f.liveness.limit, "failures", 3, "the `NUMBER` of failures in a row that withdraw the definitions; one success puts them back")
	flags.BoolVar(&f.force, "force", false, "take the key at the start, whoever has it")
	f.storeFlags.add(c)
	completeFlag(c, "name", f.fragmentNames)
	return c
}

func (f *registerFlags) run(u *ui, lines, command []string) error {
	text, err := f.text(lines)
	if err == nil {
		err = f.validate()
	}
	if err != nil {
		return err
	}
	s, err := f.store()
	if err != nil {
		return err
	}
	fragment := change.Fragment{Text: text}
	if fragment.Key, err = f.key(s, firstName(text)); err != nil {
		return err
	}
	if findings := unique(s.CheckAlone(fragment)); len(findings) > 0 {
		u.findings(findings)
		return errFindings
	}
	r := &store.Registration{Store: s, Fragment: fragment, TTL: f.ttl, Force: f.force, Persistent: len(command) > 0, Note: u.note}
	r.Registered = func() { noteExcluded(u, s, fragment.Key) }
	if len(command) > 0 {
		return f.keepBeside(u, r, command)
	}
	return f.keepUntilSignal(u, r)
}

func (f *registerFlags) keepUntilSignal(u *ui, r *store.Registration) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return f.keep(ctx, u, r)
}

// noteExcluded notes which names of a fragment servers exclude. It is registered all the same: its other names are
// served, and these are when who has them is gone. Without permission to read there is no note.
func noteExcluded(u *ui, s *store.Store, key string) {
	entries, _, err := s.List(context.Background(), clientv3.WithSerializable())
	if err != nil {
		return
	}
	for _, f := range unique(s.Excluded(entries)[key]) {
		u.note("%s is excluded by servers: %v", key, f)
	}
}

func (f *registerFlags) validate() error {
	switch {
	case f.ttl < time.Second || f.ttl%time.Second != 0:
		return hint.Add(fmt.Errorf("ttl %v: write whole seconds, at least 1s", f.ttl), "--ttl 10s")
	case f.liveness.interval <= 0:
		return hint.Add(fmt.Errorf("interval %v: write a duration above 0", f.liveness.interval), "--interval 5s")
	case f.liveness.limit < 1:
		return hint.Add(fmt.Errorf("failures %d: write at least 1", f.liveness.limit), "--failures 3")
	}
	return nil
}

func (f *registerFlags) text(lines []string) (string, error) {
	switch {
	case f.file != "" && len(lines) > 0:
		return "", fmt.Errorf("--file and %q: write one of them", lines[0])
	case f.file != "":
		text, err := readText(f.file)
		return store.Tidy(text), err
	case len(lines) == 0:
		return "", hint.Add(errors.New("register what? write definitions"), `mxsrv register "host web1 192.0.2.51"`)
	}
	return store.Tidy(strings.Join(lines, "\n")), nil
}

// key returns the key of the fragment. By default its name is that of the host and the first that is declared: no other
// instance has it, not even one on the same host.
func (f *registerFlags) key(s *store.Store, declared string) (string, error) {
	if declared == "" {
		return "", hint.Add(errors.New("nothing is declared"), `mxsrv register "host web1 192.0.2.51"`)
	}
	name := f.fragmentName
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return "", hint.Add(fmt.Errorf("this machine has no name: %v", err), "--name NAME")
		}
		name = host + "/" + declared
	}
	return s.ParseName(name)
}

// firstName returns the first name that a text declares, as it is written.
func firstName(text string) string {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] != "ttl" && words[0] != "order" && !strings.HasPrefix(words[0], "#") {
			return strings.Trim(words[1], `."`)
		}
	}
	return ""
}

// keep keeps the registration until ctx ends.
func (f *registerFlags) keep(ctx context.Context, u *ui, r *store.Registration) error {
	if f.liveness.command != "" {
		r.Healthy, r.HealthChanged = f.liveness.start(ctx, u)
	}
	withdrawn, err := r.Run(ctx)
	if err == nil && !withdrawn {
		u.note("%s could not be withdrawn: it goes with its lease, within %v", r.Fragment.Key, r.TTL)
		err = errFindings
	}
	return err
}

// keepBeside keeps the registration until a command has ended, and returns its exit status. The command gets all
// signals, but those that end it only after the registration is withdrawn, so that no new clients come.
func (f *registerFlags) keepBeside(u *ui, r *store.Registration, command []string) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, append(forwarded, os.Interrupt, syscall.SIGTERM)...)
	defer signal.Stop(signals)
	process, exited, err := startCommand(command)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f.keep(ctx, u, r) })
	withdraw := func() {
		end()
		running.Wait()
	}
	defer withdraw()
	for {
		select {
		case s := <-signals:
			if s == os.Interrupt || s == syscall.SIGTERM {
				withdraw()
			}
			process.Signal(s) // it may have ended just now
		case err := <-exited:
			return err
		}
	}
}

// startCommand starts a command. When it ends, the channel gets nil or its exit status.
func startCommand(command []string) (*os.Process, <-chan error, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	exited := make(chan error, 1)
	go func() { exited <- exitOf(cmd.Wait()) }()
	return cmd.Process, exited, nil
}

// An exitStatus is that of a command, which becomes that of this program.
type exitStatus int

func (exitStatus) Error() string { return "the command has failed" }

// exitOf returns nil for a command that succeeded, else its exit status: after a signal as shells have it.
func exitOf(err error) error {
	e, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if status, ok := e.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitStatus(128 + int(status.Signal()))
	}
	return exitStatus(e.ExitCode())
}
