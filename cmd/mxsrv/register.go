package main

import (
	"context"
	"errors"
	"fmt"
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

const registerExamples = `  mxsrv register "host ldap1 192.0.2.41" "service _ldap._tcp 0 6 389 ldap1"
                                         until interrupted; then it is withdrawn
  mxsrv register -f ldap.conf --check "nc -z 127.0.0.1 389"
                                         and withdrawn while the check fails
  mxsrv register "host web1 192.0.2.51" -- nginx -g "daemon off;"
                                         for as long as a command runs

The definitions are put under a lease: if this program or its machine dies, or is cut off, they go when the TTL is over.
The key is HOSTNAME/NAME, the name being the first that is declared; --name says another. If another instance
has the key under a lease, with the same text it is taken over, else this one waits until it is free;
the one that loses it waits too.

Exit code: 0 once interrupted and withdrawn, 1 if there are errors in the definitions or they could not be withdrawn,
2 for wrong usage, or if etcd does not let the user in. With a command it is that of the command, or
128 and the number of the signal that ended it.`

// registering is what the command line says of a registration.
type registering struct {
	storing
	fragmentName, file string
	ttl                time.Duration
	force              bool
	health             health
}

func registerCommand(u *ui) *cobra.Command {
	r := new(registering)
	c := &cobra.Command{
		Use:     "register LINE... [-- COMMAND...]",
		Short:   "Keep definitions in etcd for as long as this runs",
		Long:    "Keep definitions in etcd for as long as this runs: what an instance says of itself.",
		Example: registerExamples,
		RunE: func(c *cobra.Command, args []string) error {
			lines, command := args, []string(nil)
			if i := c.ArgsLenAtDash(); i >= 0 {
				lines, command = args[:i], args[i:]
			}
			return r.run(u, lines, command)
		},
	}
	f := c.Flags()
	f.StringVarP(&r.file, "file", "f", "", "the `FILE` with the definitions, - for standard input")
	f.StringVar(&r.fragmentName, "name", "", "the `NAME` of the fragment; HOSTNAME/ and the first name that is declared if left out")
	f.DurationVar(&r.ttl, "ttl", 10*time.Second, "how long the definitions stay once this is dead or cut off, in whole seconds")
	f.StringVar(&r.health.command, "check", "", "the `COMMAND` for sh that tells by its exit code whether the instance is well")
	f.DurationVar(&r.health.interval, "interval", 5*time.Second, "the pause between checks, and how long one may take")
	f.IntVar(&r.health.limit, "failures", 3, "the `NUMBER` of failures in a row that withdraw the definitions; one success puts them back")
	f.BoolVar(&r.force, "force", false, "take the key at the start, whoever has it")
	r.storing.flags(c)
	return c
}

func (r *registering) run(u *ui, lines, command []string) error {
	text, err := r.text(lines)
	if err == nil {
		err = r.sound()
	}
	if err != nil {
		return err
	}
	s, err := r.store()
	if err != nil {
		return err
	}
	f, err := r.fragment(s, text)
	if err != nil {
		return err
	}
	if faults := s.alone(f); len(faults) > 0 {
		printFindings(u, faults)
		return errNotFine
	}
	return r.hold(u, &registration{u: u, store: s, fragment: f, ttl: r.ttl, force: r.force, patient: len(command) > 0}, command)
}

// sound checks the flags.
func (r *registering) sound() error {
	switch {
	case r.ttl < time.Second || r.ttl%time.Second != 0:
		return withHint(fmt.Errorf("ttl %v: write whole seconds, at least 1s", r.ttl), "--ttl 10s")
	case r.health.interval <= 0:
		return withHint(fmt.Errorf("interval %v: write a duration above 0", r.health.interval), "--interval 5s")
	case r.health.limit < 1:
		return withHint(fmt.Errorf("failures %d: write at least 1", r.health.limit), "--failures 3")
	}
	return nil
}

// text returns the definitions to register.
func (r *registering) text(lines []string) (string, error) {
	switch {
	case r.file != "" && len(lines) > 0:
		return "", fmt.Errorf("--file and %q: write one of them", lines[0])
	case r.file != "":
		text, err := readText(r.file)
		return tidy(text), err
	case len(lines) == 0:
		return "", withHint(errors.New("register what? write definitions"), `mxsrv register "host web1 192.0.2.51"`)
	}
	return tidy(strings.Join(lines, "\n")), nil
}

// fragment returns what to put under which key. The name of an instance is to be
// one that no other has: its host's, and of several on one host what it declares.
func (r *registering) fragment(s *store, text string) (plugchange.Fragment, error) {
	first := firstName(text)
	if first == "" {
		return plugchange.Fragment{}, withHint(errors.New("nothing is declared"), `mxsrv register "host web1 192.0.2.51"`)
	}
	name := r.fragmentName
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return plugchange.Fragment{}, withHint(fmt.Errorf("this machine has no name: %v", err), "--name NAME")
		}
		name = host + "/" + first
	}
	keys, err := s.properKeys([]string{name})
	if err != nil {
		return plugchange.Fragment{}, err
	}
	return plugchange.Fragment{Key: keys[0], Text: text}, nil
}

// firstName returns the first name that a text declares, as it is written.
func firstName(text string) string {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] != "ttl" && !strings.HasPrefix(words[0], "#") {
			return strings.Trim(words[1], `."`)
		}
	}
	return ""
}

// hold keeps the registration until a signal comes, or the command has ended.
func (r *registering) hold(u *ui, g *registration, command []string) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	running, err := startChild(command, signals)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	defer end()
	if r.health.command != "" {
		r.health.changed = make(chan struct{}, 1)
		g.health = &r.health
		go r.health.run(ctx, u)
	}
	done := make(chan error, 1)
	go func() { done <- g.run(ctx) }()
	for {
		select {
		case err := <-done:
			if running == nil {
				return err
			}
			done = nil
		case s := <-signals:
			if s == os.Interrupt || s == syscall.SIGTERM { // first no client is to come any more
				end()
				if done != nil {
					err = <-done
					done = nil
				}
				if running == nil {
					return err
				}
			}
			running.signal(s)
		case err := <-running.ended():
			end()
			if done != nil {
				<-done
			}
			return err
		}
	}
}
