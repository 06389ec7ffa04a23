package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// A child is a command that runs beside. A nil one never ends.
type child struct {
	process *os.Process
	exited  chan error
}

// startChild starts a command, if there is one, that gets all signals that come on
// a channel too.
func startChild(command []string, signals chan os.Signal) (*child, error) {
	if len(command) == 0 {
		return nil, nil
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signal.Notify(signals, forChild...)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd.Process, make(chan error, 1)}
	go func() { c.exited <- exitOf(cmd.Wait()) }()
	return c, nil
}

func (c *child) ended() <-chan error {
	if c == nil {
		return nil
	}
	return c.exited
}

func (c *child) signal(s os.Signal) {
	if c != nil {
		c.process.Signal(s) // it may have ended just now
	}
}

// An ending is the exit code of a command, which becomes that of this program.
type ending int

func (e ending) Error() string { return "a command has ended, not well" }

// exitOf returns how a command has ended: nil if well, and its signal as shells do.
func exitOf(err error) error {
	e := new(exec.ExitError)
	if !errors.As(err, &e) {
		return err
	}
	if status, ok := e.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return ending(128 + int(status.Signal()))
	}
	return ending(e.ExitCode())
}
